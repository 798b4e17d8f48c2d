"""A machine looked at and moved from the command line, beside a real agent; and lines that the agent holds."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest

import cli
from central_scheduler.console.screen import Screen
from commands import hands_on, kit
from device_drivers.links.memory import named_line
from edge_agent.console.at_device import Place
from edge_agent.console.exercise import NotExercised, wanted
from edge_agent.console.spare import Held, held_by_agent
from edge_agent.orders.exercising import EXERCISES, acts_of, exercise_of
from edge_agent.orders.scenes import load_scenes
from edge_agent.settings import parse
from edge_agent.upkeep.doctor.running import kept_out
from simulators.crt591.line import Crt591Line
from simulators.crt591.options import Options
from simulators.machine import Effect
from tests.device_drivers.far_side import at_far_end
from tests.edge_agent.test_app import config, started, told
from tests.ports import free_port
from tests.speech import speak

pytestmark = pytest.mark.process
__all__ = ["told"]


def branch(folder: Path) -> Place:
    text = config(folder, free_port()).replace("act_max_s = 0.1", "act_max_s = 1.5")
    text = text.replace('kind = "crt591"', 'kind = "crt591"\nidle_poll_s = 0.2')
    (folder / "branch.toml").write_text(text, encoding="utf-8")
    settings = parse(text)
    return Place(settings, settings.device[0])


def acts(effects: list[Effect]) -> list[str]:
    return [one.act for one in effects if one.kind == "act"]


async def run(*arguments: str) -> int:
    return await asyncio.to_thread(cli.run, arguments)


async def test_probe_and_exercise_through_the_agent(
    told: asyncio.Queue[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    speak(monkeypatch, "en")
    it, file = branch(tmp_path), str(tmp_path / "branch.toml")
    machine = Crt591Line({0: ("card-1", Options())})
    async with at_far_end(machine, named_line(f"app-{tmp_path.name}")[1]) as effects, started(told, it.settings):
        async with asyncio.timeout(20):
            while await run("device", "probe", "card-1", "--config", file, "--json"):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        capsys.readouterr()
        assert await run("device", "probe", "card-1", "--config", file, "--json") == 0
        twin = json.loads(capsys.readouterr().out)
        assert (twin["state"], twin["lane"]) == ("online", "open")
        for act, code in (("capture_card", 1), ("print_receipt", 1), ("dance", 1)):
            assert await run("device", "exercise", "card-1", act, "--config", file, "--by", "li", "--yes") == code
        assert await run("device", "exercise", "card-1", "draw_card", "--config", file, "--by", "li") == 2, (
            "no terminal"
        )
        assert acts(effects) == [], "nothing moves that nobody agreed to"
        capsys.readouterr()
        assert await run("device", "exercise", "card-1", "draw_card", "--config", file, "--by", "li", "--yes") == 0
        said = " ".join(capsys.readouterr().out.split())
        assert "--step draw --choice release" in said
        assert acts(effects) == [], "two people release it first"
        with pytest.raises(NotExercised, match="busy"):
            await asyncio.to_thread(wanted, it, "draw_card")
        (order,) = [word for word in said.split() if word.startswith("exercise-card-1-")][:1]
        people = ["/people/li", "/people/wang"]
        data = {"step": "draw", "attempt": f"{order}/draw/0", "choice": "release", "people": people}
        reply = await asyncio.to_thread(_resolve, it, order, data)
        assert reply.get("message", "") == ""
        async with asyncio.timeout(30):
            while len(acts(effects)) < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        held = held_by_agent(tmp_path / "branch.toml", it.device.address)
        assert held == Held("card-1", it.settings.journal.folder)
        assert held_by_agent(tmp_path / "branch.toml", "tcp://127.0.0.1:1") is None
        capsys.readouterr()
        assert await run("serial", "listen", it.device.address, "--config", file) == 75
        assert f"process {os.getpid()} (" in capsys.readouterr().err
    assert len(acts(effects)) == 2, "drawn, and put into the bin"
    assert held_by_agent(tmp_path / "branch.toml", it.device.address) is None


def _resolve(it: Place, order: str, data: dict[str, Any]) -> dict[str, Any]:
    from edge_agent.console.door import hand_in, instruction

    data = {key: value for key, value in data.items() if value is not None}
    return hand_in(it.settings.door_folder(), instruction("B0001", "order.resolve", data, "/people/li", order))


def test_a_printer_is_not_exercised_by_what_another_machine_would_print() -> None:
    paper = ("print_receipt", "print_ticket", "void_receipt")
    assert acts_of("ticket-printer", paper) == ["print_ticket"]
    assert exercise_of("ticket-printer", "print_receipt", paper) is None, "the receipt printer's scene"
    assert exercise_of("window-screen", "show_idle", ("show_text",)) is None
    assert acts_of("hall-screen", ("show_text", "show_idle")) == ["show_text"]


def test_a_printer_is_not_exercised_where_its_like_at_another_counter_might_print(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = config(tmp_path, 1)
    for n in (1, 2):
        text += f'\n[[device]]\nid = "ticket-{n}"\nkind = "escpos"\nrole = "ticket-printer"\nplace = "{n}"\n'
        text += f'address = "tcp://192.0.2.{n}:9100"\n'
    settings = parse(text)
    (printer,) = (one for one in settings.device if one.id == "ticket-1")
    twin = {"state": "online", "lane": "open"}
    monkeypatch.setattr(Place, "at_door", lambda *_: {"devices": {"ticket-1": twin}})
    with pytest.raises(NotExercised, match="role_shared") as no:
        wanted(Place(settings, printer), "print_ticket")
    assert no.value.detail == "ticket-1, ticket-2"


async def test_probe_without_an_agent_asks_the_machine_and_moves_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    it = branch(tmp_path)
    it.settings.journal.folder.mkdir()
    machine = Crt591Line({0: ("card-1", Options())})
    async with at_far_end(machine, named_line(f"app-{tmp_path.name}")[1]) as effects:
        twin = await hands_on._asked(Screen(kit.T, as_json=True), it)
    assert (twin["state"], twin["identity"]["model"][:7]) == ("online", "CRT-591")
    assert acts(effects) == []
    with kept_out(it.settings.journal.folder) as free:
        assert free


def test_each_exercise_is_a_shipped_scene_with_the_parameters_that_it_asks_for() -> None:
    scenes = load_scenes()
    for (role, act), one in EXERCISES.items():
        scene = scenes[one.scene]
        more = {"window": "1"} if one.of_window else {}
        scene.fill({**one.parameters, **more})
        assert act in [step.act for step in scene.step]
        assert {step.role for step in scene.step} == {role}, "another machine would move"
        assert [step.name for step in scene.step if step.two_people] == ([one.released] if one.released else [])
    assert (EXERCISES["card-dispenser", "draw_card"].released, EXERCISES["token-cabinet", "open_cell"].released) == (
        "draw",
        "open",
    ), "what is worth something is released by two"


async def test_listening_shows_what_comes_and_says_nothing(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    heard: list[bytes] = []

    async def speak_first(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"AB\x00")
        heard.append(await reader.read())
        writer.close()

    server = await asyncio.start_server(speak_first, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    code = await run("serial", "listen", f"tcp://127.0.0.1:{port}", "--seconds", "1", "--config", str(tmp_path / "no"))
    assert code == 0
    assert "41 42 00" in capsys.readouterr().out
    server.close()
    await server.wait_closed()
    await asyncio.sleep(0)
    assert heard in ([b""], [])
    assert await run("serial", "listen", "nonsense", "--config", str(tmp_path / "no")) == 2
    assert await run("modbus", "scan", "tcp://127.0.0.1:1", "--config", str(tmp_path / "no")) == 1

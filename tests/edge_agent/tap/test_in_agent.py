"""Recording through the door of a real agent, and the commands around a recording."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

import cli
from device_drivers.links.memory import named_line
from device_drivers.links.tap import read_recording
from edge_agent.audit.proof import Wanted, rows
from edge_agent.console import tap
from edge_agent.console.at_device import AgentWorks, Place, ask, person
from edge_agent.console.door import hand_in, instruction
from edge_agent.settings import parse
from simulators import serve
from simulators.crt591.line import Crt591Line
from simulators.crt591.options import Options
from tests.device_drivers.far_side import at_far_end
from tests.edge_agent.tap.test_replay import recorded
from tests.edge_agent.test_app import config, started, told
from tests.ports import free_port
from tests.speech import speak
from tests.virtual_time import run

pytestmark = pytest.mark.process
__all__ = ["told"]


async def test_the_running_agent_records_and_says_who_wanted_it(told: asyncio.Queue[str], tmp_path: Path) -> None:
    text = config(tmp_path, free_port()).replace("act_max_s = 0.1", "act_max_s = 1.5")
    branch = parse(text.replace('kind = "crt591"', 'kind = "crt591"\nidle_poll_s = 0.2'))
    it = Place(branch, branch.device[0])
    machine = Crt591Line({0: ("card-1", Options())})
    async with at_far_end(machine, named_line(f"app-{tmp_path.name}")[1]), started(told, branch):
        assert it.agent_works()
        with pytest.raises(AgentWorks):
            await ask(it)  # never beside an agent
        file = await asyncio.to_thread(tap.begin, it, 30.0, 4096)
        with pytest.raises(tap.NotRecorded, match="busy"):
            await asyncio.to_thread(tap.begin, it, 30.0, 4096)
        async with asyncio.timeout(20):
            while not [one for one in read_recording(file) if one.direction == "read"]:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert await asyncio.to_thread(tap.goes_on, it)
        await asyncio.to_thread(tap.end, it)
        assert not await asyncio.to_thread(tap.goes_on, it)
        odd = instruction("B0001", "box.dance", {}, "/people/li")
        assert (await asyncio.to_thread(hand_in, branch.door_folder(), odd))["problem"] == "unreadable"
    found = tap.fetch(file, tmp_path / "home.tap")
    assert found.pieces > 1
    deeds = [row for row in rows(branch.journal.folder, Wanted(10)) if row["act"] == "device.record"]
    assert [(row["what"], row["who"]) for row in deeds] == [("card-1", [person()])] * 2


def test_who_wanted_it_is_who_called_sudo() -> None:
    assert person({"SUDO_USER": "li.na", "USER": "root"}) == "/people/li.na"
    assert person({"USER": "root"}) == "/people/root"
    assert person({"USER": "li na"}) == person({}) == "/people/console"


async def test_a_recording_is_played_back_on_a_port(tmp_path: Path) -> None:
    text = config(tmp_path, free_port()).replace("act_max_s = 0.1", "act_max_s = 1.5\ndrain_s = 0.1")
    branch = parse(text)
    machine = Crt591Line({0: ("card-1", Options())})
    file = tmp_path / "card-1.tap"
    async with at_far_end(machine, named_line(f"app-{tmp_path.name}")[1]):
        it = Place(branch, branch.device[0])
        await tap.record_here(it, file, 0.0, 65536, lambda _: None)
    ledger, state_file = tmp_path / "ledger.jsonl", tmp_path / "state.json"
    options = {"recording": str(file), "tell": False}
    async with AsyncExitStack() as stack:
        replay = serve.Wanted("replay", "tcp:127.0.0.1:0", ledger, state_file, {"card-1": 0}, options=options)
        serving = await serve.start(replay, stack)
        at = branch.device[0].model_copy(update={"address": serving.address})
        again = await ask(Place(branch, at))
        assert (again.twin.device, again.twin.identity["model"][:7]) == ("online", "CRT-591")
        state = serving.runtime.control({"do": "state"})
        assert (state["elsewhere"], state["unknown"]) == (0, 0)


def test_a_recording_is_shown_in_both_languages(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async def keep() -> None:
        async with recorded(tmp_path):
            pass

    run(keep())
    file = str(tmp_path / "card-1.tap")
    for lang, word in (("en", "initialise, leave card"), ("zh", "初始化，卡不动")):
        speak(monkeypatch, lang)
        assert cli.run(["tap", "show", file]) == 0
        said = capsys.readouterr().out
        assert word in said
        assert "→ F2 00 00 03 43 30 37 03 B6" in said
    assert cli.run(["tap", "show", file, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["about"]["device"] == "card-1"
    assert cli.run(["tap", "show", str(tmp_path / "none")]) == 3
    (tmp_path / "bad.tap").write_text("no recording\n")
    assert cli.run(["tap", "show", str(tmp_path / "bad.tap")]) == 1
    assert cli.run(["tap", "replay", str(tmp_path / "bad.tap")]) == 1
    assert cli.run(["tap", "replay", file, "--listen", "nonsense:"]) == 2


def test_a_device_that_is_not_there(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "branch.toml"
    file.write_text(config(tmp_path, 1).replace("memory://", "tcp://127.0.0.1:1#").split("#")[0] + '"\n')
    assert cli.run(["tap", "record", "card-9", "--config", str(file)]) == 3
    assert "card-1" in capsys.readouterr().err
    out = tmp_path / "x.tap"
    assert cli.run(["tap", "record", "card-1", "--config", str(file), "--out", str(out)]) == 1
    assert [one.direction for one in read_recording(out)][:2] == ["open", "lost"], "what was heard until then is kept"

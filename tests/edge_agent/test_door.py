"""The door beside the journal: one line in, one line out, whoever else stands there; and the command that uses it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import stat
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

import cli
from cloud_bridge.envelope import MAX_PAYLOAD_BYTES, Envelope
from cloud_bridge.ports import StoreFailed
from edge_agent import app, door
from edge_agent.console.door import NoDoor, hand_in, instruction
from edge_agent.door import Door
from edge_agent.orders.desk import Caller
from edge_agent.settings import load
from tests.edge_agent.journal.gate import opened
from tests.edge_agent.test_app import config, started, told
from tests.ports import free_port
from tests.speech import speak

__all__ = ["told"]  # a fixture of these tests

Json = dict[str, Any]


class Echo:
    """An intake that says what it was handed."""

    def __init__(self) -> None:
        self.fails = False
        self.fault: Exception | None = None
        self.answer: Any = None
        self.hold = asyncio.Event()
        self.hold.set()

    async def ask(self, envelope: Envelope, caller: Caller) -> Json:
        assert caller.door == "local"
        await self.hold.wait()
        if self.fails:
            raise StoreFailed("the disk is gone")
        if self.fault is not None:
            raise self.fault
        return {"heard": self.answer or envelope.id}


def said(id_: str, source: str = "/people/zhang") -> bytes:
    words = json.loads(instruction("B0001", "orders.request", {}, source))
    return json.dumps({**words, "id": id_}, ensure_ascii=False).encode()


@contextlib.asynccontextmanager
async def an_open_door(folder: Path, intake: Echo) -> AsyncIterator[Callable[[bytes | str], Any]]:
    """Yields how to hand something in: bytes, or what an instruction is called."""

    def ask(what: bytes | str) -> Any:
        return asyncio.to_thread(hand_in, folder, what if isinstance(what, bytes) else said(what))

    standing = asyncio.create_task(Door(folder, intake).run())
    async with asyncio.timeout(60):
        while not (folder / door.NAME).exists():  # noqa: ASYNC110 - a name in a folder tells nobody
            await asyncio.sleep(0)
    try:
        yield ask
    finally:
        standing.cancel()
        await asyncio.wait([standing])


async def test_one_line_in_one_line_out_for_its_owner_only(tmp_path: Path) -> None:
    async with an_open_door(tmp_path, Echo()) as ask:
        assert stat.S_IMODE((tmp_path / door.NAME).stat().st_mode) == 0o600
        assert await ask("一") == {"heard": "一"}
        for nothing in (b"", b"{}", b"\xff", said("i", "/schedulers/centre")):
            assert (await ask(nothing))["problem"] == "unreadable"
    assert not (tmp_path / door.NAME).exists()


class Told:
    """A box that says who may see how much."""

    async def answer(self, envelope: Envelope, *, whole: bool) -> Json:
        return {"type": envelope.type, "whole": whole}


@pytest.mark.parametrize("uid", [0, 54321])
async def test_a_member_of_the_group_may_look_and_do_nothing(tmp_path: Path, uid: int) -> None:
    standing = Door(tmp_path, Echo(), box=Told())
    peer = door.Peer(uid)
    look = instruction("B0001", "box.look", {}, "/people/li")
    assert await standing._answer(look, peer) == {"type": door.LOOK, "whole": not uid}
    for noun in ("box.record", "box.record_end", "order.submit", "orders.request"):
        said = await standing._answer(instruction("B0001", noun, {}, "/people/li"), peer)
        assert (said.get("problem") == "not_trusted") == bool(uid), noun


async def test_a_folder_with_a_very_long_name_and_a_door_left_by_a_killed_agent(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 120) / "y"
    folder.mkdir(parents=True)
    (folder / door.NAME).touch()
    with pytest.raises(NoDoor):
        hand_in(folder, b"x")
    (folder / door.NAME).unlink()
    async with an_open_door(folder, Echo()) as ask:
        assert await ask("x") == {"heard": "x"}
    with pytest.raises(NoDoor):
        hand_in(folder, b"x")
    (folder / door.NAME).touch()
    standing = asyncio.create_task(Door(folder, Echo()).run())
    async with asyncio.timeout(60):
        while not (folder / door.NAME).is_socket():  # noqa: ASYNC110 - a name in a folder tells nobody
            await asyncio.sleep(0)
    standing.cancel()
    await asyncio.wait([standing])


async def test_a_disk_that_fails_is_told_and_the_next_one_is_served(tmp_path: Path) -> None:
    intake = Echo()
    async with an_open_door(tmp_path, intake) as ask:
        intake.fails = True
        assert await ask("x") == {"problem": "store_failed", "message": "the disk is gone"}
        intake.fails = False
        assert await ask("x") == {"heard": "x"}


async def test_a_fault_of_ours_over_one_guest_is_told_and_ends_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The door is one task among those of the agent: what it does not catch stops machines in the middle of an act."""
    intake = Echo()
    async with an_open_door(tmp_path, intake) as ask:
        intake.fault = ValueError("nobody thought of this")
        assert (await ask("x"))["problem"] == "agent_failed"
        assert "nobody thought of this" in caplog.text
        intake.fault = None
        assert await ask("y") == {"heard": "y"}


async def test_what_is_too_long_is_refused_and_not_kept(tmp_path: Path) -> None:
    async with an_open_door(tmp_path, Echo()) as ask:
        with contextlib.suppress(NoDoor):  # he may be hung up on while he still speaks
            await ask(b"x" * (MAX_PAYLOAD_BYTES * 4))
        assert await ask("y") == {"heard": "y"}


async def test_guests_who_say_nothing_or_leave_hold_up_nobody_for_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "PATIENCE_S", 0.05)
    async with an_open_door(tmp_path, Echo()) as ask:
        with door.place(tmp_path) as address:
            silent = [await asyncio.open_unix_connection(address) for _ in range(3 * door.GUESTS)]
        silent[0][1].transport.abort()
        async with asyncio.timeout(60):
            assert await ask("x") == {"heard": "x"}
        for _, writer in silent:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


async def _ask(folder: Path, line: bytes) -> Json:
    with door.place(folder) as address:
        reader, writer = await asyncio.open_unix_connection(address)
    writer.write(line)
    said: Json = json.loads(await reader.read())
    writer.close()
    await writer.wait_closed()
    return said


def served() -> int:
    return sum(task.get_name() == "door guest" for task in asyncio.all_tasks())


async def test_no_more_guests_than_there_is_room_for(tmp_path: Path) -> None:
    intake = Echo()
    intake.hold.clear()
    async with an_open_door(tmp_path, intake):
        asking = [asyncio.create_task(_ask(tmp_path, said(str(n)) + b"\n")) for n in range(2 * door.GUESTS)]
        async with asyncio.timeout(60):
            while served() < door.GUESTS:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0)
        for _ in range(100):
            await asyncio.sleep(0)
        assert served() == door.GUESTS
        intake.hold.set()
        assert {(await one)["heard"] for one in asking} == {str(n) for n in range(2 * door.GUESTS)}


async def test_where_no_door_can_be_the_branch_works_without(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    standing = asyncio.create_task(Door(tmp_path / "nowhere", Echo()).run())
    for _ in range(5):
        await asyncio.sleep(0)
    assert not standing.done()
    assert "no door in" in caplog.text
    standing.cancel()
    await asyncio.wait([standing])


# -- the command -------------------------------------------------------------------------------------------------------


@pytest.fixture
def branch_toml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    speak(monkeypatch, "en")
    file = tmp_path / "branch.toml"
    text = config(tmp_path, free_port()).replace('adoption = "automatic"', 'adoption = "instruction"\nreserve_mib = 0')
    file.write_text(text, encoding="utf-8")
    return file


PEOPLE = ("--by", "zhang", "--by", "li")
FOUND = ("--counted", "card-1=98 cards, gate empty")


@pytest.mark.rule("ORD-12")
async def test_two_people_adopt_on_the_machine_with_no_broker_anywhere(
    told: asyncio.Queue[str], branch_toml: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def run(*more: str) -> tuple[int, str]:
        code = await asyncio.to_thread(cli.run, ("journal", "adopt", "--config", str(branch_toml), *more))
        heard = capsys.readouterr()
        return code, heard.out + heard.err

    settings = await asyncio.to_thread(load, branch_toml)
    async with opened(settings.journal.folder):
        pass
    code, answer = await run(*PEOPLE, *FOUND, "--yes")
    assert (code, "No agent answers in" in answer) == (5, True)
    async with started(told, settings, app.Hooks()):
        for wrong, words in (
            (("--by", "zhang", *FOUND, "--yes"), "needs 2 different people"),
            ((*PEOPLE, "--yes"), "Not counted yet: card-1"),
            ((*PEOPLE, *FOUND), "no terminal to ask on"),
            ((*PEOPLE, "--counted", "card-1", "--yes"), "is not what was found"),
            ((*PEOPLE, *FOUND, "--order", "o1", "--yes"), "only the centre can say"),
        ):
            code, answer = await run(*wrong)
            assert (code, words in answer) == (2, True), answer
        code, answer = await run(*PEOPLE, *FOUND, "--yes", "--json")
        assert code == 0, answer
        assert json.loads(answer[answer.index("{") :])["by"] == ["/people/zhang", "/people/li"]
        code, answer = await run(*PEOPLE, *FOUND, "--yes")
        assert (code, "adopted already" in answer) == (1, True), answer
        asked = instruction("B0001", "orders.request", {}, "/people/zhang")
        reply = await asyncio.to_thread(hand_in, settings.journal.folder, asked)
        assert reply["status"] == "accepted"
    async with opened(settings.journal.folder) as journal:
        assert await journal.read(lambda tx: tx.adopted) == "people"


def test_without_the_branchs_own_file_people_adopt_nothing(
    branch_toml: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(("journal", "adopt", *PEOPLE, *FOUND)) == 2
    assert "was not said which one" in capsys.readouterr().err
    assert cli.run(("journal", "adopt", "--config", str(branch_toml), *PEOPLE, *FOUND, "--yes")) == 3
    branch_toml.write_text("[branch]\n", encoding="utf-8")
    assert cli.run(("journal", "adopt", "--config", str(branch_toml), *PEOPLE, *FOUND, "--yes")) == 78


@pytest.mark.parametrize("answer", ["half a pair: \ud800", b"bytes", {1, 2}], ids=["surrogate", "bytes", "set"])
async def test_an_answer_that_is_no_json_is_told_and_ends_nothing(
    tmp_path: Path, answer: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """As of a driver of somebody else's, which tells of its device whatever it likes."""
    intake = Echo()
    async with an_open_door(tmp_path, intake) as ask:
        intake.answer = answer
        assert (await ask("x"))["problem"] == "agent_failed"
        assert "cannot be written" in caplog.text
        intake.answer = None
        assert await ask("y") == {"heard": "y"}

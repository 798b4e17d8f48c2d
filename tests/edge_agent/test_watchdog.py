"""What the service manager is told, over a real socket: alive only while journal, lanes and link are."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from edge_agent import watchdog
from edge_agent.fleet.lane import Lane
from tests.edge_agent.journal.gate import Gate, opened


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """The service manager's end, at a path or at an abstract address."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        name = str(tmp_path / "notify") if request.param == "path" else f"@branchgate-test-{os.getpid()}"
        sock.bind(name.replace("@", "\0", 1) if request.param == "abstract" else name)
        monkeypatch.setenv("NOTIFY_SOCKET", name)
        yield sock


async def heard(manager: socket.socket) -> str:
    return (await asyncio.get_running_loop().sock_recv(manager, 4096)).decode()


def lane(device: str, due_in_s: float | None = 60.0) -> Lane:
    """All that the watchdog asks of a lane; None: it has not begun its first round."""
    due_s = 0.0 if due_in_s is None else asyncio.get_running_loop().time() + due_in_s
    return cast("Lane", SimpleNamespace(device=device, due_s=due_s))


def alive() -> bool:
    return True


async def test_messages_arrive_as_they_are(manager: socket.socket) -> None:
    for message in ("READY=1", "STATUS=鍵 ok", "STOPPING=1"):
        watchdog.notify(message)
        assert await heard(manager) == message


async def test_what_cannot_be_written_as_text_is_told_all_the_same(manager: socket.socket) -> None:
    watchdog.notify("STATUS=\udcff.toml")
    assert await heard(manager) == "STATUS=?.toml"


def test_without_a_manager_nobody_is_told(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    watchdog.notify("READY=1")
    assert caplog.text == ""


@pytest.mark.parametrize("address", ["/nowhere/notify", "@branchgate-nobody", "not/a/socket", "x" * 200])
def test_a_manager_that_is_gone_is_a_line_in_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, address: str
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    watchdog.notify("READY=1")
    assert "not told READY" in caplog.text


def test_a_manager_that_does_not_read_holds_up_nobody(
    manager: socket.socket, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(watchdog, "SEND_LIMIT_S", 0.001)
    for _ in range(2000):  # more than any queue of datagrams holds
        watchdog.notify("WATCHDOG=1")
        if "not told WATCHDOG" in caplog.text:
            return
    pytest.fail("its queue was never full")


@pytest.mark.parametrize(
    ("limit", "every_s"), [("60000000", 30.0), ("1", 5e-7), ("0", None), ("", None), ("-1", None), ("a", None)]
)
def test_how_often(monkeypatch: pytest.MonkeyPatch, limit: str, every_s: float | None) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", limit)
    assert watchdog.interval_s() == every_s
    monkeypatch.delenv("WATCHDOG_USEC")
    assert watchdog.interval_s() is None


# -- the look ----------------------------------------------------------------------------------------------------------


async def test_nothing_ails(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal:
        assert await watchdog.ailing(journal, [lane("card-1"), lane("card-2", None)], alive) == ""
        assert await watchdog.ailing(journal, [], alive) == ""


async def test_the_look_at_the_journal_reaches_the_disk(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal:
        before = await journal.write(lambda tx: tx.db.total_changes)
        await watchdog.ailing(journal, [], alive)
        assert await journal.write(lambda tx: tx.db.total_changes) == before + 1
        assert await journal.read(lambda tx: tx.last_seq()) == 0, "and is no event"


async def test_a_journal_that_hangs_is_named_and_does_not_hang_the_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watchdog, "JOURNAL_LIMIT_S", 0.01)
    gate = Gate()
    async with opened(tmp_path, gate) as journal:
        gate.shut()
        assert "no commit within" in await watchdog.ailing(journal, [], alive)
        gate.open()
        monkeypatch.setattr(watchdog, "JOURNAL_LIMIT_S", 20.0)
        assert await watchdog.ailing(journal, [], alive) == ""


async def test_a_full_disk_is_told_with_its_reason_but_no_reason_to_restart(
    tmp_path: Path, manager: socket.socket
) -> None:
    gate = Gate()
    async with opened(tmp_path, gate) as journal:
        gate.fail = OSError(28, "No space left on device")
        assert await watchdog.ailing(journal, [], alive) == ""
        assert "No space left on device" in await heard(manager)
        assert "card-1" in await watchdog.ailing(journal, [lane("card-1", -1)], alive), "the rest is looked at, too"


async def test_lanes_that_do_not_come_round_are_named(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal:
        lanes = [lane("card-1", -1), lane("card-2"), lane("card-3", -0.1)]
        assert await watchdog.ailing(journal, lanes, alive) == "lanes do not come round: card-1, card-3"


async def test_a_link_that_has_ended_is_named(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal:
        assert "link" in await watchdog.ailing(journal, [lane("card-1")], lambda: False)


# -- feeding -----------------------------------------------------------------------------------------------------------


async def test_fed_while_all_lives_and_not_while_something_is_dead(
    tmp_path: Path, manager: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "2000")
    state: dict[str, Any] = {"alive": True}
    gate = Gate()
    async with opened(tmp_path / "data", gate) as journal:
        task = asyncio.create_task(watchdog.watch(journal, [lane("card-1")], lambda: state["alive"]))
        for _ in range(3):
            assert await heard(manager) == "WATCHDOG=1"
        state["alive"] = False
        await _until(manager, "STATUS=the task of the link has ended")
        for _ in range(3):
            assert (await heard(manager)).startswith("STATUS=")
        state["alive"] = True
        await _until(manager, "WATCHDOG=1")
        gate.fail = OSError(28, "No space\nleft")
        said = await _until(manager, "STATUS=")
        assert said.endswith("No space left"), "one line, or it would be another message"
        gate.fail = None
        await _until(manager, "WATCHDOG=1")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def _until(manager: socket.socket, begins: str) -> str:
    while not (said := await heard(manager)).startswith(begins):
        pass
    return said


async def test_not_asked_for_means_no_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WATCHDOG_USEC", raising=False)
    gate = Gate()
    async with opened(tmp_path, gate) as journal:
        before = gate.commits
        await watchdog.watch(journal, [], alive)
        assert gate.commits == before


async def test_a_look_that_is_cancelled_ends_at_once(tmp_path: Path) -> None:
    """At a planned stop nobody waits for a journal that hangs."""
    gate = Gate()
    async with opened(tmp_path, gate) as journal:
        gate.shut()
        look = asyncio.create_task(watchdog.ailing(journal, [], alive))
        await gate.arrived()
        look.cancel()
        with pytest.raises(asyncio.CancelledError):
            await look

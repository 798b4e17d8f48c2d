"""The composition root: it starts, it stops when asked, and whatever ends it leaves nothing behind."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Self

import pytest

from cloud_bridge.link import Connect
from cloud_bridge.mqtt_link import MqttLink
from device_drivers.device import ActKind, ActSpec
from device_drivers.links.link import Link
from edge_agent import app, watchdog
from edge_agent.clock import Clock
from edge_agent.console.door import NoDoor, hand_in, instruction
from edge_agent.fleet.lane import Lane
from edge_agent.journal import opening
from edge_agent.journal.journal import JournalLocked, JournalUnusable
from edge_agent.orders.desk import Place
from edge_agent.settings import Settings, parse
from edge_agent.timekeeper import Timekeeper
from tests.broker import Broker
from tests.edge_agent.custody.server import authority, document_server, ok
from tests.edge_agent.journal.gate import handles, opened, threads
from tests.edge_agent.parts import Book, at
from tests.ports import free_port

ROOT = Path(__file__).parents[2]
STOP_BOUND_S = 15.0  # under the TimeoutStopSec of the unit


def config(folder: Path, port: int, *, more: str = "") -> str:
    return f"""
[branch]
id = "B0001"
[link]
port = {port}
backoff_min_s = 0.1
backoff_max_s = 0.2
{more}
[journal]
folder = "{folder / "data"}"
adoption = "automatic"
[clock]
source = "host"
[[device]]
id = "card-1"
role = "card-dispenser"
kind = "crt591"
address = "memory://app-{folder.name}"
[device.profile]
act_max_s = 0.1
"""


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> asyncio.Queue[str]:
    """What the service manager hears."""
    queue: asyncio.Queue[str] = asyncio.Queue()
    monkeypatch.setattr(watchdog, "notify", queue.put_nowait)
    return queue


@contextlib.asynccontextmanager
async def started(
    told: asyncio.Queue[str], settings: Settings, hooks: app.Hooks = app.Hooks()
) -> AsyncIterator[asyncio.Task[None]]:
    """An agent that said it is ready; ended by cancellation if it still runs."""
    agent = asyncio.create_task(app.run(settings, hooks))
    try:
        ready = asyncio.create_task(told.get())
        await asyncio.wait([agent, ready], return_when=asyncio.FIRST_COMPLETED)
        if not ready.done():
            ready.cancel()
            await agent
        assert ready.result() == "READY=1"
        yield agent
    finally:
        agent.cancel()
        await asyncio.wait([agent])


@pytest.fixture
def branch(tmp_path: Path) -> Settings:
    return parse(config(tmp_path, free_port()))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_stops_when_the_system_asks(
    told: asyncio.Queue[str], branch: Settings, number: signal.Signals
) -> None:
    own = {thread.name for thread in threading.enumerate()}
    async with started(told, branch) as agent:
        os.kill(os.getpid(), number)
        await agent
        assert told.get_nowait() == "STOPPING=1"
    assert signal.getsignal(number) in {signal.SIG_DFL, signal.default_int_handler}
    left = {thread.name for thread in threading.enumerate()} - own
    assert not [name for name in left if not name.startswith("asyncio_")], left  # those are the loop's own
    async with opened(branch.journal.folder):
        pass


async def test_it_ends_when_cancelled_and_leaves_nothing_behind(told: asyncio.Queue[str], branch: Settings) -> None:
    async with started(told, branch):
        pass
    files = handles()
    for _ in range(3):
        async with started(told, branch) as agent:
            pass
        assert agent.cancelled()
    assert handles() == files
    assert threads() == []


async def test_each_start_is_told_and_counted(told: asyncio.Queue[str], branch: Settings) -> None:
    for _ in range(2):
        async with started(told, branch) as agent:
            os.kill(os.getpid(), signal.SIGTERM)
            await agent
            told.get_nowait()
    async with opened(branch.journal.folder) as journal:
        rows = await journal.read(lambda tx: [json.loads(r["data"]) for r in tx.all("SELECT data FROM outbox")])
        whats = [(row["what"], row["facts"].get("epoch")) for row in rows if "what" in row]
        assert whats == [("created", 1), ("adopted", None), ("started", 2)]
        assert (journal.epoch, rows[0]["facts"]["clock"]) == (3, "host")


async def test_a_journal_of_an_older_version_is_given_time(
    told: asyncio.Queue[str], branch: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long one takes longer than systemd waits for a start: it would be killed over it, and begin again, for ever."""
    known = opening.migrations()
    async with started(told, branch):
        pass
    monkeypatch.setattr(opening, "migrations", lambda: [*known, "CREATE TABLE later (x);"])
    agent = asyncio.create_task(app.run(branch, app.Hooks()))
    try:
        heard = [await asyncio.wait_for(told.get(), 20) for _ in range(2)]
    finally:
        agent.cancel()
        await asyncio.wait([agent])
    assert heard == [f"EXTEND_TIMEOUT_USEC={app.MIGRATION_S * 1_000_000}", "READY=1"]
    while not told.empty():
        told.get_nowait()
    async with started(told, branch):  # which hears nothing but READY
        pass


async def test_hooks_stand_around_each_commit_and_each_link(told: asyncio.Queue[str], branch: Settings) -> None:
    calls: list[str] = []
    links: list[str] = []

    def wrap(link: Link) -> Link:
        links.append(link.describe())
        return link

    hooks = app.Hooks(wrap, lambda: calls.append("before"), lambda: calls.append("after"))
    async with started(told, branch, hooks):
        pass
    assert links == [branch.device[0].address]
    assert calls
    assert calls == ["before", "after"] * (len(calls) // 2)


async def test_a_part_that_dies_ends_the_agent_with_its_error(
    told: asyncio.Queue[str], branch: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """systemd starts it again; half an agent would be worse than none."""

    async def die(_: Timekeeper) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Timekeeper, "run", die)
    with pytest.raises(ExceptionGroup) as ended:
        await app.run(branch)
    assert ended.group_contains(ZeroDivisionError)
    assert threads() == []
    async with opened(branch.journal.folder):
        pass


async def test_a_folder_in_use_and_one_that_cannot_be_used_are_told_as_such(branch: Settings, tmp_path: Path) -> None:
    async with opened(branch.journal.folder):
        with pytest.raises(JournalLocked):
            await app.run(branch)
    (tmp_path / "file").touch()
    bad = branch.model_copy(update={"journal": branch.journal.model_copy(update={"folder": tmp_path / "file"})})
    with pytest.raises(JournalUnusable):
        await app.run(bad)
    assert threads() == []


async def test_a_stop_does_not_wait_for_lanes_for_ever(
    told: asyncio.Queue[str], branch: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "STOP_LIMIT_S", 0.01)
    limits: list[float] = []
    stop = Lane.stop

    async def busy(lane: Lane, limit_s: float) -> None:
        limits.append(limit_s)
        lane._idle.clear()  # an act is under way
        await stop(lane, limit_s)

    monkeypatch.setattr(Lane, "stop", busy)
    async with started(told, branch) as agent:
        os.kill(os.getpid(), signal.SIGTERM)
        await agent
    assert limits == [0.01]


async def test_documents_of_open_orders_are_fetched_and_deleted_while_it_runs(
    told: asyncio.Queue[str], tmp_path: Path
) -> None:
    """Its order was accepted by the process before; a later one deletes what it fetched, once it is cancelled."""
    pdf = b"%PDF-1.7 statement"
    place = Place("a4-1", "document-printer", {"print_document": ActSpec("print_document", ActKind.COUNTABLE, "P", 1)})
    ours = tmp_path / "ca.pem"
    ours.write_bytes(authority().cert_pem.bytes())
    async with document_server(authority()) as server:
        server.answers["/a.pdf"] = ok(pdf)
        document = {"name": "document", "media_type": "application/pdf", "address": server.address()}
        document["sha256"] = hashlib.sha256(pdf).hexdigest()
        async with Book(tmp_path / "data", places=(place,)) as book:
            await book.submit("o1", scene="print_document", documents=[document])
        more = f'[documents]\nca_file = "{ours}"\n'
        text = config(tmp_path, free_port()).replace("[clock]", f"{more}[clock]")
        text = text.replace("card-1", "a4-1").replace("card-dispenser", "document-printer").replace('"crt591"', '"ipp"')
        text = text.replace(f"memory://app-{tmp_path.name}", "ipp://127.0.0.1:1/ipp/print").partition(
            "[device.profile]"
        )[0]
        async with started(told, parse(text)):
            file = tmp_path / "data" / "documents" / "o1.document"
            async with asyncio.timeout(60):
                while not file.exists():  # noqa: ASYNC110
                    await asyncio.sleep(0)
            assert _bytes(file) == pdf
        assert _bytes(file) == pdf, "a stop is no reason to fetch it again"
        async with Book(tmp_path / "data", places=(place,)) as book:
            later = at(3600)  # today's agent has forgotten what was sent that noon: all of it is expired
            assert (await book.ask("order.cancel", id="i-9", subject="o1", deadline=later))["status"] == "accepted"
        async with started(told, parse(text)):
            async with asyncio.timeout(60):
                while file.exists():  # noqa: ASYNC110
                    await asyncio.sleep(0)
    assert server.asked == ["/a.pdf"]


class Asleep:
    """A lane that can be woken."""

    def wake(self) -> None:
        """Nothing to do."""


def test_whoever_else_looks_after_orders_is_told_with_the_lanes(branch: Settings) -> None:
    looked: list[str] = []
    agent = app.Agent(branch, None, Clock("host"), lambda: looked.append("looked"))  # type: ignore[arg-type]
    agent.lanes["card-1"] = Asleep()  # type: ignore[assignment]
    agent.wake({"card-1"})
    assert looked == ["looked"]


def _bytes(file: Path) -> bytes:
    return file.read_bytes()


# -- as a process ------------------------------------------------------------------------------------------------------


class Process:
    """`branchgate agent` with a service manager's socket."""

    def __init__(self, folder: Path, text: str) -> None:
        self.config = folder / "branch.toml"
        self.config.write_text(text, encoding="utf-8")
        self._manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._manager.bind(str(folder / f"notify-{time.monotonic_ns()}"))
        self._manager.settimeout(30)
        env = {
            **os.environ,
            "NOTIFY_SOCKET": self._manager.getsockname(),
            "WATCHDOG_USEC": "200000",
            "PYTHONDEVMODE": "1",
        }
        command = [sys.executable, str(ROOT / "cli.py"), "agent", "--config", str(self.config)]
        self._child = subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True, cwd=ROOT)

    def hear(self, begins: str) -> str:
        """Waits for a message of the agent to its service manager."""
        while not (said := self._manager.recv(4096).decode()).startswith(begins):
            pass
        return said

    def stop(self, number: signal.Signals = signal.SIGTERM) -> float:
        """Seconds from the signal to the end."""
        begun = time.monotonic()
        self._child.send_signal(number)
        self._child.wait(60)
        return time.monotonic() - begun

    def end(self) -> tuple[int, str]:
        """Exit code and what it said."""
        _, said = self._child.communicate(timeout=60)
        return self._child.returncode, said

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._child.kill()
        self._child.communicate()
        self._manager.close()


class Ear:
    """Hears what stands on the branch's session topic, and what comes there."""

    def __init__(self, port: int) -> None:
        self._connect = Connect("127.0.0.1", port, f"ear-{port}")

    async def __aenter__(self) -> Self:
        self._link = await MqttLink.connect(self._connect)
        await self._link.subscribe("branchgate/v1/B0001/session")
        return self

    async def hear(self) -> dict[str, Any]:
        message = await self._link.receive()
        message.ack()
        heard: dict[str, Any] = json.loads(message.payload)
        return heard

    async def __aexit__(self, *_: object) -> None:
        await self._link.drop()


@pytest.mark.process
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_planned_stop_without_a_broker(tmp_path: Path, number: signal.Signals) -> None:
    with Process(tmp_path, config(tmp_path, free_port())) as agent:
        assert agent.hear("READY=1")
        assert agent.hear("WATCHDOG=1")
        assert agent.stop(number) < STOP_BOUND_S
        assert agent.hear("STOPPING=1")
        code, said = agent.end()
    assert code == 0, said
    for bad in ("Traceback", "Warning", "never retrieved", "was destroyed"):  # development mode tells what is left over
        assert bad not in said, said


@pytest.mark.process
@pytest.mark.rule("SES-3")
async def test_a_planned_stop_tells_its_own_death(tmp_path: Path) -> None:
    with Broker(tmp_path) as broker, Process(tmp_path, config(tmp_path, broker.port)) as agent:
        async with Ear(broker.port) as ear:
            assert (await ear.hear())["type"] == "branchgate.session.born.v1"
            seconds = await asyncio.to_thread(agent.stop)
            death = await ear.hear()
        code, said = agent.end()
    assert (death["type"], death["data"]["reason"]) == ("branchgate.session.died.v1", "planned_stop")
    assert seconds < STOP_BOUND_S
    assert code == 0, said


@pytest.mark.process
async def test_what_went_up_is_counted_at_the_door(tmp_path: Path) -> None:
    """Asked there alone: no wall display and no page looks at the link in between."""
    with Broker(tmp_path) as broker, Process(tmp_path, config(tmp_path, broker.port)) as agent:
        look = instruction("B0001", "box.look", {}, "/people/top")
        folder, sent = parse(agent.config.read_text("utf-8")).door_folder(), 0
        assert agent.hear("READY=1")
        async with asyncio.timeout(60):
            while not sent:
                with contextlib.suppress(NoDoor):  # it is opened a moment later
                    sent = (await asyncio.to_thread(hand_in, folder, look))["link"]["sent_events"]
                await asyncio.sleep(0.05)


@pytest.mark.process
@pytest.mark.parametrize("how", ["killed", "frozen"])
async def test_a_planned_stop_does_not_wait_for_a_dead_broker(tmp_path: Path, how: str) -> None:
    with Broker(tmp_path) as broker, Process(tmp_path, config(tmp_path, broker.port)) as agent:
        async with Ear(broker.port) as ear:
            await ear.hear()  # it is connected
        if how == "killed":
            broker.kill()
        else:
            broker.freeze()
        seconds = await asyncio.to_thread(agent.stop)
        code, said = agent.end()
    assert seconds < STOP_BOUND_S
    assert code == 0, said


@pytest.mark.process
def test_a_second_agent_on_the_same_folder_ends_with_its_own_code(tmp_path: Path) -> None:
    text = config(tmp_path, free_port())
    with Process(tmp_path, text) as first:
        first.hear("READY=1")
        with Process(tmp_path, text) as second:
            code, said = second.end()
        assert code == 75, said
        assert "Traceback" not in said
        first.hear("WATCHDOG=1")  # the first goes on
        first.stop()
        assert first.end()[0] == 0


@pytest.mark.process
@pytest.mark.parametrize(
    ("old", "new", "code", "says"),
    [
        ("backoff_min_s", "backof_min_s", 78, "link.backof_min_s"),
        ("[link]", '[link]\npassword_file = "/nowhere/password"', 78, "/nowhere/password"),
        ("[link]", '[link]\nhost = "192.0.2.1"', 78, "loopback"),
        ('adoption = "automatic"', "adoption = ", 78, "is not TOML"),
        ("/data", "/branch.toml", 1, "File exists"),
    ],
)
def test_how_a_start_fails(tmp_path: Path, old: str, new: str, code: int, says: str) -> None:
    with Process(tmp_path, config(tmp_path, free_port()).replace(old, new, 1)) as agent:
        ended, said = agent.end()
    assert ended == code, said
    assert says in said


@pytest.mark.process
def test_it_runs_where_no_memory_may_be_written_and_executed() -> None:
    """MemoryDenyWriteExecute of the unit: ctypes must not need such memory to ask for the clock's grade."""
    code = """
import ctypes, os, sys
if ctypes.CDLL(None).prctl(65, 1, 0, 0, 0):  # PR_SET_MDWE, kept over exec
    sys.exit(77)
os.execv(sys.executable, [sys.executable, "-c", "import edge_agent.app as a; a.Clock().grade()"])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode == 77:
        pytest.skip("this kernel does not know PR_SET_MDWE (6.3 does)")
    assert done.returncode == 0, done.stderr

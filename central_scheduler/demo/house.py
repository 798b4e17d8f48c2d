"""The demo's branch: broker, simulated machines and agent as processes over one temporary folder.

Knows how each is configured and when it is ready; must not know the orders.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from central_scheduler.console.problem import Exit, Problem
from central_scheduler.demo.children import Child, free_port, our_path, python
from central_scheduler.demo.machines import CARD, MACHINES, Machine
from central_scheduler.words import Words

BRANCH = "B0001"
READY_LIMIT_S = 20.0
POLL_S = 0.05
MAX_SOCKET_PATH = 107  # sockaddr_un holds 108 bytes, the last of them 0

BROKER_CONFIG = """\
listener {port} 127.0.0.1
allow_anonymous true
persistence true
persistence_location {folder}/
autosave_interval 5
set_tcp_nodelay true
max_queued_messages 100000
log_type error
log_type warning
user {user}
"""

AGENT_CONFIG = """\
# Relaxed on purpose, for a demo on one machine only: see the line on the screen.
[branch]
id = "{branch}"
name = "示例银行海淀支行"
[link]
host = "127.0.0.1"
port = {port}
[journal]
folder = "{folder}/journal"
adoption = "automatic"
[clock]
source = "host"
[panel]
listen = "127.0.0.1:{panel}"
"""


class House:
    """`async with House(words) as house`: all of it runs inside, none of it after."""

    def __init__(self, words: Words, *, keep: bool = False) -> None:
        self.port = 0
        self.panel = free_port()  # should somebody take it first, the agent works without
        self.ended = False  # all of it, and in good order
        self._words = words
        self._keep = keep
        self._children: list[Child] = []
        self._agent: Child | None = None
        try:
            self.folder = Path(tempfile.mkdtemp(prefix="branchgate-demo-"))
        except OSError as error:
            raise Problem(Exit.FAILED, "demo_folder", folder=tempfile.gettempdir(), why=error) from error

    @property
    def broker(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def site(self) -> str:
        """Where the branch's own people look."""
        return f"http://127.0.0.1:{self.panel}/"

    @property
    def ledgers(self) -> list[Path]:
        """One of each machine."""
        return [machine.ledger(self.folder) for machine in MACHINES]

    @property
    def sheets(self) -> Path:
        """Where the printer's sheets lie, as pictures and as text."""
        return self.folder / "sheets"

    @property
    def kept(self) -> bool:
        return self._keep

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for child in reversed(self._children):
            await child.stop()
        if not self._keep:
            shutil.rmtree(self.folder, ignore_errors=True)
        self.ended = True

    async def start_broker(self) -> None:
        """Mosquitto on a free loopback port; another one if somebody else was quicker to take it."""
        program = find_mosquitto()
        what = self._words("demo.broker")
        for last in (False, False, True):
            self.port = free_port()
            config = self.folder / "mosquitto.conf"
            user = "root" if os.geteuid() == 0 else "mosquitto"  # as root it would become a user who may not write here
            config.write_text(BROKER_CONFIG.format(port=self.port, folder=self.folder, user=user), encoding="utf-8")
            child = await Child.start(what, [program, "-c", str(config)], self.folder / "broker.log")
            if await self._listens(child):
                self._children.append(child)
                return
            await child.stop()
            if last:
                raise child.failed()

    async def _listens(self, child: Child) -> bool:
        end = time.monotonic() + READY_LIMIT_S
        while child.running and time.monotonic() < end:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", self.port)
            except OSError:
                await asyncio.sleep(POLL_S)
                continue
            writer.close()
            await writer.wait_closed()
            return child.running
        return False

    async def start_simulators(self) -> None:
        """Each machine over a pty, with its ledger and its control socket."""
        started = [await self._begin(machine) for machine in MACHINES]
        end = time.monotonic() + READY_LIMIT_S
        for child in started:
            while not child.log.read_text(encoding="utf-8", errors="replace").startswith("ready "):
                if not child.running or time.monotonic() > end:
                    raise child.failed()
                await asyncio.sleep(POLL_S)

    async def _begin(self, machine: Machine) -> Child:
        if len(str(machine.control(self.folder))) > MAX_SOCKET_PATH:
            raise Problem(Exit.FAILED, "demo_folder", folder=self.folder, why="its path is too long for a socket")
        log = self.folder / f"{machine.device}.log"
        child = await Child.start(self._words("demo.simulators"), machine.command(self.folder), log, our_path())
        self._children.append(child)
        return child

    async def start_agent(self) -> Child:
        """The agent on its journal; again after a kill. It is ready when its birth is seen; others watch for that."""
        config = self.folder / "branch.toml"
        text = AGENT_CONFIG.format(branch=BRANCH, port=self.port, folder=self.folder, panel=self.panel)
        text += "".join(machine.config(self.folder) for machine in MACHINES)
        config.write_text(text, encoding="utf-8")
        (self.folder / "journal").mkdir(mode=0o750, exist_ok=True)  # as the doctor wants it
        command = python("cli", "agent", "--config", str(config))
        self._agent = await Child.start(self._words("demo.agent"), command, self.folder / "agent.log", our_path())
        self._children.append(self._agent)
        return self._agent

    @property
    def agent(self) -> Child:
        assert self._agent is not None, "the agent is started first"
        return self._agent

    async def machine(self, do: str, *, of: Machine = CARD, **keys: Any) -> dict[str, Any]:
        """One request to a simulated machine's control socket: faults, customers, power, paper."""
        reader, writer = await asyncio.open_unix_connection(str(of.control(self.folder)))
        try:
            writer.write(json.dumps({"do": do, "device": of.device, **keys}).encode() + b"\n")
            async with asyncio.timeout(READY_LIMIT_S):
                answer: dict[str, Any] = json.loads(await reader.readline())
        finally:
            writer.close()
            await writer.wait_closed()
        if not answer.get("ok"):
            raise RuntimeError(f"the simulator refused {do} {keys}: {answer.get('error')}")
        return answer


def find_mosquitto() -> str:
    """BRANCHGATE_MOSQUITTO, then PATH, then /usr/sbin, which is not on every user's PATH."""
    named = os.environ.get("BRANCHGATE_MOSQUITTO")
    found = shutil.which(named) if named else shutil.which("mosquitto") or shutil.which("/usr/sbin/mosquitto")
    if found is None:
        raise Problem(Exit.FAILED, "no_mosquitto")
    return found

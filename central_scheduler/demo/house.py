"""The demo's branch: broker, simulated card dispenser and agent as processes over one temporary folder.

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
from central_scheduler.words import Words

BRANCH = "B0001"
DEVICE = "card-1"
READY_LIMIT_S = 20.0
POLL_S = 0.05
ACT_S = 0.5  # as the real machine; long enough to be killed in the middle
CARDS = 500
MAX_SOCKET_PATH = 100  # sockaddr_un holds 108 bytes

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
[link]
host = "127.0.0.1"
port = {port}
[journal]
folder = "{folder}/journal"
adoption = "automatic"
[clock]
source = "host"
[[device]]
id = "{device}"
role = "card-dispenser"
kind = "crt591"
address = "serial://{folder}/{device}.tty?baud=9600"
[device.profile]
act_max_s = 0.7
"""


class House:
    """`async with House(words) as house`: all of it runs inside, none of it after."""

    def __init__(self, words: Words, *, keep: bool = False) -> None:
        self.port = 0
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
    def ledger(self) -> Path:
        return self.folder / "ledger.jsonl"

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

    async def start_simulator(self) -> None:
        """The card dispenser over a pty, with its ledger and its control socket."""
        if len(str(self._control)) > MAX_SOCKET_PATH:
            raise Problem(Exit.FAILED, "demo_folder", folder=self.folder, why="its path is too long for a socket")
        options = {"act_s": ACT_S, "cards": CARDS, "customer": {"policy": "take", "after_s": 0.3}}
        command = python(
            "simulators.serve", "crt591", "--device", DEVICE, "--unit", "0",
            "--listen", f"pty:{self.folder / DEVICE}.tty", "--control", f"unix:{self._control}",
            "--ledger", str(self.ledger), "--state", str(self.folder / "machine.json"),
            "--options", json.dumps(options),
        )  # fmt: skip
        child = await Child.start(self._words("demo.simulator"), command, self.folder / "simulator.log", our_path())
        self._children.append(child)
        end = time.monotonic() + READY_LIMIT_S
        while not child.log.read_text(encoding="utf-8", errors="replace").startswith("ready "):
            if not child.running or time.monotonic() > end:
                raise child.failed()
            await asyncio.sleep(POLL_S)

    async def start_agent(self) -> Child:
        """The agent on its journal; again after a kill. It is ready when its birth is seen; others watch for that."""
        config = self.folder / "branch.toml"
        text = AGENT_CONFIG.format(branch=BRANCH, port=self.port, folder=self.folder, device=DEVICE)
        config.write_text(text, encoding="utf-8")
        (self.folder / "journal").mkdir(exist_ok=True)
        command = python("cli", "agent", "--config", str(config))
        self._agent = await Child.start(self._words("demo.agent"), command, self.folder / "agent.log", our_path())
        self._children.append(self._agent)
        return self._agent

    @property
    def agent(self) -> Child:
        assert self._agent is not None, "the agent is started first"
        return self._agent

    @property
    def _control(self) -> Path:
        return self.folder / "machine.sock"

    async def machine(self, do: str, **keys: Any) -> dict[str, Any]:
        """One request to the simulated machine's control socket: faults, customers, power."""
        reader, writer = await asyncio.open_unix_connection(str(self._control))
        try:
            writer.write(json.dumps({"do": do, "device": DEVICE, **keys}).encode() + b"\n")
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

"""Where a bench plays: a broker, simulated printers without delays and an agent, each a process of its own.

Knows how each is started and ended; loads and figures are others' affair. Loopback only; what it starts it ends.
"""

from __future__ import annotations

import asyncio
import ctypes
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from central_scheduler.demo.children import free_port
from central_scheduler.demo.house import find_mosquitto
from cloud_bridge.link import Connect
from cloud_bridge.mqtt_link import MqttLink
from cloud_bridge.topics import Topics

ROOT = Path(__file__).resolve().parent.parent
BRANCH = "B0001"
READY_S = 60.0
PROFILE = "BRANCHGATE_BENCH_PROFILE"  # a file for cProfile's figures: see bench.agent
_BROKER = """\
listener {port} 127.0.0.1
allow_anonymous true
set_tcp_nodelay true
max_queued_messages 1000000
max_inflight_messages 1000
user {user}
"""
_AGENT = """\
[branch]
id = "{branch}"
[link]
port = {port}
receive_maximum = 1000
max_events_per_s = 100000.0
[journal]
folder = "{folder}/journal"
adoption = "automatic"
[clock]
source = "host"
[orders]
max_open = 100000
"""
_PRINTER = """\
[[device]]
id = "{name}"
role = "ticket-printer"
kind = "escpos"
address = "tcp://{address}"
[device.profile]
act_max_s = 2.0
drain_s = 0.1
quiet_s = {quiet_s}
"""
_DISPLAY = """\
[[device]]
id = "{name}"
role = "window-screen"
place = "{name}"
kind = "led485"
address = "tcp://{address}"
[device.profile]
drain_s = 0.1
[device.profile.modbus]
baud = {baud}
"""
BAUD = 1_000_000  # of the displays' lines: with 9600 the time of the bytes would be most of what is measured
QUIET_S = 0.001  # the silence before a question: 20 ms by default, which would be most of what is measured here


_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_LIBC = ctypes.CDLL(None)


def _die_with_parent() -> None:
    # Should the bench itself be killed without a chance to clean up, the kernel ends what it started.
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


@dataclass(frozen=True, slots=True)
class Machines:
    """What stands in the branch: how one is called, simulated, and configured."""

    name: str
    simulated: str  # the kind of its line
    device: str  # a part of branch.toml
    unit: int = 0

    def line(self, name: str) -> dict[str, Any]:
        """One machine on a line of its own."""
        options: dict[str, Any] = {"line_s": 0.0, "cut_s": 0.0, "draws": False}
        if self.simulated == "modbus":
            options = {"baud": BAUD, "units": {name: {"kind": "led485", "answer_s": 0.0}}}
        devices = {name: self.unit}
        return {"kind": self.simulated, "listen": "tcp:127.0.0.1:0", "options": options, "devices": devices}


PRINTERS = Machines("ticket", "escpos", _PRINTER)
DISPLAYS = Machines("window", "modbus", _DISPLAY, unit=1)


class Program:
    """One process; what it says goes to a file."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self.process = process
        self.log = log
        self.name = log.stem
        self.asked = 0  # how often it was asked for its counts

    @property
    def pid(self) -> int:
        return self.process.pid

    async def until_said(self, words: str, times: int = 1) -> None:
        """Waits until its output holds `words` so often."""
        async with asyncio.timeout(READY_S):
            while self.log.read_text(encoding="utf-8", errors="replace").count(words) < times:
                if self.process.returncode is not None:
                    raise RuntimeError(f"{self.log.name} ended:\n{self.log.read_text(encoding='utf-8')[-2000:]}")
                await asyncio.sleep(0.02)

    async def end(self) -> None:
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(20):
                    await self.process.wait()
            except TimeoutError:
                self.process.kill()
        await self.process.wait()


class Stage:
    """`async with Stage(printers) as stage`: broker and simulators run; agents and bridges are started on demand.

    `folder` is on the disk that is measured; the simulators' ledgers are on tmpfs, so that their fsync costs nothing.
    """

    def __init__(self, printers: int, flash: Sequence[str] = (), machines: Machines = PRINTERS) -> None:
        """`flash`: stands before the command of a program that keeps a journal, and makes its disk slow.

        `machines`: what is there in place of printers.
        """
        self._flash = flash
        self._machines = machines
        self.port = free_port()
        self.printers = printers
        self.addresses: list[str] = []
        self.simulators: Program | None = None
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        self.folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="branchgate-bench-")))
        memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 - tmpfs is what is meant
        self.ledgers = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-", dir=memory)))
        try:
            await self._start_broker()
            await self._start_printers()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def start(self, name: str, *command: str, more: Mapping[str, str] | None = None) -> Program:
        """A process that ends with the stage; `more` is added to its environment."""
        log = self.folder / f"{name}.log"
        log.touch()
        with log.open("ab") as out:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdout=out,
                stderr=out,
                stdin=subprocess.DEVNULL,
                cwd=ROOT,
                env={**os.environ, **(more or {})},
                preexec_fn=_die_with_parent,
            )
        program = Program(process, log)
        self._stack.push_async_callback(program.end)
        return program

    async def start_python(self, name: str, module: str, *arguments: str, journals: bool = False) -> Program:
        return await self.start(name, *(self._flash if journals else ()), sys.executable, "-m", module, *arguments)

    async def _start_broker(self) -> None:
        config = self.folder / "mosquitto.conf"
        user = "root" if os.geteuid() == 0 else "mosquitto"
        config.write_text(_BROKER.format(port=self.port, user=user), encoding="utf-8")
        program = await self.start("broker", find_mosquitto(), "-c", str(config))
        async with asyncio.timeout(READY_S):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                except OSError:
                    assert program.process.returncode is None, program.log.read_text(encoding="utf-8")
                    await asyncio.sleep(0.02)
                    continue
                writer.close()
                await writer.wait_closed()
                return

    async def _start_printers(self) -> None:
        if not self.printers:
            return
        lines = [self._machines.line(name) for name in self.names()]
        file = self.ledgers / "branch.json"
        file.write_text(json.dumps({"ledger": "ledger.jsonl", "state": "state", "lines": lines}), encoding="utf-8")
        self.simulators = await self.start_python("simulators", "bench.printers", str(file))
        await self.simulators.until_said("ready ", self.printers)
        said = self.simulators.log.read_text(encoding="utf-8").splitlines()
        self.addresses = [words.split()[2].removeprefix("tcp://") for words in said if words.startswith("ready ")]

    def names(self) -> Sequence[str]:
        return [f"{self._machines.name}-{number + 1}" for number in range(self.printers)]

    async def start_agent(self, module: str = "cli", profile: str = "") -> Program:
        """Returns at once; its readiness is in its log, its birth at the broker."""
        config = self.folder / "branch.toml"
        text = _AGENT.format(branch=BRANCH, port=self.port, folder=self.folder)
        for name, address in zip(self.names(), self.addresses, strict=True):
            text += self._machines.device.format(name=name, address=address, quiet_s=QUIET_S, baud=BAUD)
        config.write_text(text, encoding="utf-8")
        (self.folder / "journal").mkdir(exist_ok=True)
        command = (*self._flash, sys.executable, "-m", module, "agent", "--config", str(config))
        return await self.start("agent", *command, more={PROFILE: profile})

    async def until_online(self, topics: Topics) -> None:
        """Every printer was looked at."""
        waiting = set(self.names())
        link = await MqttLink.connect(Connect("127.0.0.1", self.port, "twins", clean_start=True, session_expiry_s=0))
        async with link, asyncio.timeout(READY_S):
            await link.subscribe(topics.device("+"))
            while waiting:
                message = await link.receive()
                message.ack()
                data = json.loads(message.payload)["data"]
                if data["state"] == "online":
                    waiting.discard(data["device"])

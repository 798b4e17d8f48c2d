"""One simulated machine of a branch: its process, its ledger, its control socket, and its table in the configuration.

Knows how a simulator is started, ended and asked; what a branch does with several of them is the branch's affair.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simulators.control import ControlClient
from simulators.ledger import read_ledger
from tests.harness.nursery import Child, Nursery
from tests.harness.scheduler import REACH_S
from tests.ports import free_port

Json = dict[str, Any]
READY_S = 0.005


@dataclass(frozen=True)
class Machine:
    """What is wanted of one machine. `line` is pty, tcp for whatever listens on a port, or usb."""

    device: str
    kind: str
    role: str
    line: str = "pty"
    options: Mapping[str, Any] = field(default_factory=dict)
    profile: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)  # further keys of its [[device]]
    faults: Iterable[Mapping[str, Any]] = ()
    unit: int | None = None  # its address on a line of several


class RunningMachine:
    """The machine in its folder; ledger, state and paper survive `end` and `start`."""

    def __init__(self, nursery: Nursery, folder: Path, wanted: Machine) -> None:
        self.nursery, self.folder, self.wanted = nursery, folder, wanted
        self.device = wanted.device
        self.ledger = folder / f"{self.device}.jsonl"
        self.tty = folder / f"{self.device}.tty"
        self.log = folder / f"{self.device}.log"
        self.control_address = f"unix:{folder / self.device}.ctl"
        self.address = ""  # as the simulator said it, once it is ready
        self.via: str | None = None  # another address of the same line, with something in between
        self.child: Child | None = None

    async def start(self) -> None:
        """Starts (or starts again) the simulator, and returns when it listens."""
        listen = f"pty:{self.tty}"
        if self.wanted.line == "tcp":
            listen = "tcp:" + (self.address.rpartition("//")[2].partition("/")[0] or f"127.0.0.1:{free_port()}")
        elif self.wanted.line == "usb":
            listen = "usb:" + (self.address.rpartition("bus=simulated:")[2] or f"127.0.0.1:{free_port()}")
        plan = self.folder / f"{self.device}.faults.json"
        plan.write_text(json.dumps(list(self.wanted.faults)), encoding="utf-8")
        arguments = [self.wanted.kind, "--listen", listen, "--device", self.device, "--fault-plan", str(plan)]
        arguments += ["--ledger", str(self.ledger), "--state", str(self.folder / f"{self.device}.json")]
        arguments += ["--control", self.control_address, "--options", json.dumps(dict(self.wanted.options))]
        arguments += [] if self.wanted.unit is None else ["--unit", str(self.wanted.unit)]
        before = len(self._ready())
        self.child = await self.nursery.spawn("machine", self.log, arguments=arguments)
        async with asyncio.timeout(REACH_S):
            while len(self._ready()) == before:
                assert self.child.running, self.child.said()
                await asyncio.sleep(READY_S)
        self.address = self._ready()[-1].split()[1]

    def _ready(self) -> list[str]:
        said = self.log.read_text().splitlines(keepends=True) if self.log.exists() else []
        return [line for line in said if line.startswith("ready ") and line.endswith("\n")]

    async def end(self) -> None:
        """SIGKILL; what it printed so far lies there."""
        if self.child is not None and self.child.running:
            await self.child.kill()
        self.tty.unlink(missing_ok=True)  # the system gives the number of a pty that is gone to anybody's next one

    # -- trouble, and what was done ------------------------------------------------------------------------------------

    def control(self) -> ControlClient:
        return ControlClient(self.control_address, device=self.device, timeout_s=REACH_S)

    async def fault(self, name: str, **args: Any) -> None:
        async with self.control() as control:
            await control.fault(name, **args)

    async def request(self, do: str, **keys: Any) -> Json:
        async with self.control() as control:
            return await control.request(do, **keys)

    def lines(self) -> list[Json]:
        return read_ledger(self.ledger)

    def sheets(self) -> list[Json]:
        """The details of all sheets that came out, in order."""
        return [line["detail"] for line in self.lines() if line["act"] == "sheet_out"]

    # -- configuration -------------------------------------------------------------------------------------------------

    @property
    def device_address(self) -> str:
        own = f"serial://{self.tty}?baud=9600" if self.wanted.line == "pty" else self.address
        return self.via or own

    def config(self) -> str:
        """Its [[device]] in the branch's file."""
        device: Json = {"id": self.device, "role": self.wanted.role, "kind": self.wanted.kind, "idle_poll_s": 2.0}
        device |= {"address": self.device_address, **self.wanted.settings}
        return f"[[device]]\n{toml(device)}\n[device.profile]\n{toml(self.wanted.profile)}\n"


def toml(words: Mapping[str, Any]) -> str:
    return "".join(f"{key} = {_toml_value(value)}\n" for key, value in words.items())


def _toml_value(value: Any) -> str:
    """JSON's strings, numbers, booleans and flat lists are TOML's too."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_toml_value(one)}" for key, one in value.items()) + " }"
    if isinstance(value, list) and any(isinstance(one, Mapping) for one in value):
        return "[" + ", ".join(map(_toml_value, value)) + "]"
    return json.dumps(value, ensure_ascii=False)

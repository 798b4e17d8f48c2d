"""The simulator's own process: `python -m simulators.serve crt591 --listen … --ledger … --state … --device …`.

Knows the command line and how the parts are put together; each part's work is its own file's.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simulators.control import ControlServer, split_address
from simulators.crt591 import Crt591Line, parse_options
from simulators.ledger import Ledger, LedgerError
from simulators.machine import ControlError
from simulators.plan import Plan, read_plan
from simulators.pty_port import PtyPort
from simulators.runtime import Port, Runtime
from simulators.state import StateError, StateFile
from simulators.tcp_port import TcpPort

KINDS = {"crt591": Crt591Line}


@dataclass(frozen=True)
class Wanted:
    """One simulated line. `devices` maps each device's name to its unit address; `options`: docs/simulators.md."""

    kind: str
    listen: str
    ledger: Path
    state: Path
    devices: Mapping[str, int]
    control: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    plan: Plan | None = None


@dataclass(frozen=True)
class Serving:
    """A simulator that listens."""

    address: str
    control: str | None
    runtime: Runtime


async def start(wanted: Wanted, stack: AsyncExitStack, ledger: Ledger | None = None) -> Serving:
    """Begin one simulator; leaving `stack` ends it. A shared `ledger` stays its owner's to close."""
    machine, line = _machine(wanted)
    if ledger is None:
        ledger = Ledger(wanted.ledger)
        stack.callback(ledger.close)
    runtime = Runtime(machine, ledger, StateFile(wanted.state))
    stack.callback(runtime.close)
    control = None
    if wanted.control is not None:
        server = ControlServer(wanted.control, runtime.control)
        stack.push_async_callback(server.close)
        control = await server.start()
    port = await _port(wanted.listen, runtime, line)
    runtime.attach(port)
    return Serving(port.address, control, runtime)


def _machine(wanted: Wanted) -> tuple[Crt591Line, dict[str, Any]]:
    options = dict(wanted.options)
    line = {"line_delay_s": options.pop("line_delay_s", 0.0), "holds_answers": options.pop("holds_answers", False)}
    own = options.pop("units", {})
    if not isinstance(own, Mapping) or any(name not in wanted.devices for name in own):
        raise ControlError(
            f"option 'units' maps a device of {', '.join(wanted.devices)} to its own options, not {own!r}"
        )
    if len(set(wanted.devices.values())) != len(wanted.devices):
        raise ControlError("two devices on one line need two unit addresses: give each its own --unit")
    units = {
        address: (device, parse_options({**options, **own.get(device, {})}))
        for device, address in wanted.devices.items()
    }
    return KINDS[wanted.kind](units, wanted.plan), line


async def _port(listen: str, runtime: Runtime, line: Mapping[str, Any]) -> Port:
    kind, _, path = listen.partition(":")
    if kind == "pty" and path:
        return PtyPort(Path(path), runtime.feed)
    if kind != "tcp":
        raise ControlError(f"--listen must be pty:/path/to/link or tcp:127.0.0.1:PORT, not {listen!r}")
    _, host, number = split_address(listen)
    port = TcpPort(runtime.feed, **line)
    await port.listen(host, number)
    return port


def parse_arguments(argv: Sequence[str]) -> Wanted:
    """The command line as wanted; raises `ControlError` or leaves with argparse's own message."""
    parser = argparse.ArgumentParser(
        prog="python -m simulators.serve", description="One simulated line with its machines."
    )
    parser.add_argument("kind", choices=sorted(KINDS))
    parser.add_argument("--listen", required=True, help="pty:/path/to/link or tcp:127.0.0.1:PORT (0: any)")
    parser.add_argument("--ledger", required=True, type=Path)
    parser.add_argument("--state", required=True, type=Path)
    parser.add_argument("--control", help="unix:/path.sock or tcp:127.0.0.1:PORT")
    parser.add_argument("--device", action="append", required=True, help="again for each further unit on the line")
    parser.add_argument("--unit", action="append", type=int, help="address 0..15 of the device in the same position")
    parser.add_argument("--options", default="{}", help="JSON object, see docs/simulators.md")
    parser.add_argument("--fault-plan", type=Path, help="TOML or JSON file")
    args = parser.parse_args(argv)
    units = args.unit or list(range(len(args.device)))
    if len(units) != len(args.device) or len(set(args.device)) != len(args.device):
        raise ControlError("give each --device once, and one --unit for each of them")
    try:
        options = json.loads(args.options)
    except ValueError as error:
        raise ControlError(f"--options is not JSON: {error}") from error
    if not isinstance(options, dict):
        raise ControlError("--options must be a JSON object such as '{\"cards\": 20}'")
    plan = read_plan(args.fault_plan) if args.fault_plan else None
    devices = dict(zip(args.device, units, strict=True))
    return Wanted(args.kind, args.listen, args.ledger, args.state, devices, args.control, options, plan)


async def serve(wanted: Wanted) -> None:
    """Until SIGTERM or SIGINT, or until something can no longer be written."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        serving = await start(wanted, stack)
        sys.stdout.write(f"ready {serving.address}\n")
        sys.stdout.flush()
        await until_stopped(stop, [serving.runtime])


async def until_stopped(stop: asyncio.Event, runtimes: Sequence[Runtime]) -> None:
    """Wait for `stop`, or raise what ended one of the runtimes."""
    stopping = asyncio.create_task(stop.wait(), name="stop")
    waiting: list[asyncio.Future[Any]] = [stopping, *(one.failed for one in runtimes)]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for one in runtimes:
            if one.failed.done():
                one.failed.result()
    finally:
        stopping.cancel()


def main(argv: Sequence[str] | None = None) -> int:
    """0 after a planned end; 2 with one sentence when it cannot begin or go on."""
    try:
        asyncio.run(serve(parse_arguments(sys.argv[1:] if argv is None else argv)))
    except (ControlError, LedgerError, StateError, OSError) as error:
        sys.stderr.write(f"simulator: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

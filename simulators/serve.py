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
from simulators.kinds import KINDS, Line, kind_of
from simulators.ledger import Ledger, LedgerError
from simulators.machine import ControlError
from simulators.plan import Plan, read_plan
from simulators.pty_port import PtyPort
from simulators.runtime import Port, Runtime
from simulators.state import StateError, StateFile
from simulators.tcp_port import TcpPort
from simulators.usb_port import UsbPort
from simulators.usb_remote import model_of

PROGRAM = "python -m simulators.serve"


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
    options = dict(wanted.options)
    plug = options.pop("usb", {})
    line = kind_of(wanted.kind).build(wanted.devices, options, wanted.plan)
    if ledger is None:
        ledger = Ledger(wanted.ledger)
        stack.callback(ledger.close)
    runtime = Runtime(line.machine, ledger, StateFile(wanted.state))
    stack.callback(runtime.close)
    control = None
    if wanted.control is not None:
        server = ControlServer(wanted.control, runtime.control)
        stack.push_async_callback(server.close)
        control = await server.start()
    port = await _port(wanted.listen, runtime, line, plug)
    runtime.attach(port)
    return Serving(port.address, control, runtime)


async def _port(listen: str, runtime: Runtime, line: Line, plug: Any) -> Port:
    if line.open_port is not None:
        return await line.open_port(listen, runtime)
    kind, _, path = listen.partition(":")
    if kind == "pty" and path:
        return PtyPort(Path(path), runtime.feed)
    if kind == "usb":
        return await _usb_port(path, runtime, line, plug)
    if kind != "tcp":
        raise ControlError(f"--listen must be pty:/path/to/link, tcp: or usb:127.0.0.1:PORT, not {listen!r}")
    _, host, number = split_address(listen)
    port = TcpPort(runtime.feed, on_host=runtime.host, **line.tcp)
    await port.listen(host, number)
    runtime.host(False)  # nobody is there yet
    return port


async def _usb_port(where: str, runtime: Runtime, line: Line, plug: Any) -> Port:
    _, host, number = split_address(f"tcp:{where}")
    try:
        model = model_of(plug)
    except (TypeError, ValueError) as error:
        raise ControlError(f"option 'usb' describes the plug, see docs/simulators.md: {error}") from error
    port = UsbPort(runtime.feed, line.machine, model)
    await port.listen(host, number)
    return port


def parse_arguments(argv: Sequence[str]) -> Wanted:
    """The command line as wanted; raises `ControlError` or leaves with argparse's own message."""
    parser = argparse.ArgumentParser(prog=PROGRAM, description="One simulated line with its machines.")
    parser.add_argument("kind", choices=sorted(KINDS))
    parser.add_argument("--listen", required=True, help="pty:/path/to/link, tcp: or usb:127.0.0.1:PORT (0: any)")
    parser.add_argument("--ledger", required=True, type=Path)
    parser.add_argument("--state", required=True, type=Path)
    parser.add_argument("--control", help="unix:/path.sock or tcp:127.0.0.1:PORT")
    parser.add_argument("--device", action="append", required=True, help="again for each further unit on the line")
    parser.add_argument("--unit", action="append", type=int, help="address of the device in the same position")
    parser.add_argument("--options", default="{}", help="JSON object, see docs/simulators.md")
    parser.add_argument("--fault-plan", type=Path, help="TOML or JSON file")
    args = parser.parse_args(argv)
    paths = (args.ledger, args.state)
    return wanted(
        args.kind, args.listen, *paths, args.device, args.unit or (), args.control, args.options, args.fault_plan
    )


def wanted(
    kind: str,
    listen: str,
    ledger: Path,
    state: Path,
    device: Sequence[str],
    unit: Sequence[int] = (),
    control: str | None = None,
    options: str = "{}",
    fault_plan: Path | None = None,
) -> Wanted:
    """What a command line asks for. Raises ControlError."""
    units = unit or range(len(device))
    if len(units) != len(device) or len(set(device)) != len(device):
        raise ControlError("give each --device once, and one --unit for each of them")
    try:
        parsed = json.loads(options)
    except ValueError as error:
        raise ControlError(f"--options is not JSON: {error}") from error
    if not isinstance(parsed, dict):
        raise ControlError("--options must be a JSON object such as '{\"cards\": 20}'")
    found = kind_of(kind)
    plan = read_plan(fault_plan, found.faults, found.occasions) if fault_plan else None
    return Wanted(kind, listen, ledger, state, dict(zip(device, units, strict=True)), control, parsed, plan)


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

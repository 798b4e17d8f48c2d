"""A simulated branch: several lines of machines in one process, with one ledger, from a TOML file or a plain dict.

Knows which lines there are and puts each together as `serve` does; what a line does is its own affair.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import tomllib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulators.kinds import kind_of
from simulators.ledger import Ledger, LedgerError
from simulators.machine import ControlError
from simulators.plan import parse_plan
from simulators.serve import Serving, Wanted, start, until_stopped
from simulators.state import StateError

_LINE_KEYS = {"kind", "listen", "control", "devices", "options", "faults"}
_BRANCH_KEYS = {"ledger", "state", "lines"}


@dataclass(frozen=True)
class Branch:
    """`lines` has each device's line under the device's name; `ledger` is the one file of all."""

    ledger: Path
    lines: Mapping[str, Serving]


@asynccontextmanager
async def open_branch(raw: Mapping[str, Any], base: Path) -> AsyncIterator[Branch]:
    """Start what `raw` describes (see docs/simulators.md), relative paths under `base`; leaving ends it."""
    wanted = parse_branch(raw, base)
    async with AsyncExitStack() as stack:
        ledger = Ledger(wanted[0].ledger)
        stack.callback(ledger.close)
        lines: dict[str, Serving] = {}
        for one in wanted:
            serving = await start(one, stack, ledger)
            lines.update(dict.fromkeys(one.devices, serving))
        yield Branch(ledger.path, lines)


def parse_branch(raw: Mapping[str, Any], base: Path) -> list[Wanted]:
    """Check a branch's description, or raise `ControlError` naming the line and the key."""
    _refuse_unknown("the branch", raw, _BRANCH_KEYS)
    lines = raw.get("lines")
    if not isinstance(lines, list) or not lines:
        raise ControlError("'lines' must be a list with at least one line of machines")
    ledger = base / _text("the branch", raw, "ledger", "ledger.jsonl")
    state = base / _text("the branch", raw, "state", "state")
    wanted = [_line(f"line {number}", line, ledger, state, base) for number, line in enumerate(lines, start=1)]
    names = [name for one in wanted for name in one.devices]
    if len(set(names)) != len(names):
        raise ControlError("each device of a branch needs a name of its own")
    return wanted


def _line(where: str, raw: Any, ledger: Path, state: Path, base: Path) -> Wanted:
    if not isinstance(raw, Mapping):
        raise ControlError(f"{where} must be a table, not {raw!r}")
    _refuse_unknown(where, raw, _LINE_KEYS)
    kind = _text(where, raw, "kind", None)
    try:
        faults, occasions = kind_of(kind).faults, kind_of(kind).occasions
    except ControlError as error:
        raise ControlError(f"{where}: {error}") from error
    devices = raw.get("devices")
    units = isinstance(devices, Mapping) and bool(devices) and all(isinstance(unit, int) for unit in devices.values())
    if not units or not isinstance(devices, Mapping):
        raise ControlError(f"{where}: 'devices' maps names to unit addresses such as {{card-1 = 0}}, not {devices!r}")
    options = raw.get("options", {})
    if not isinstance(options, Mapping):
        raise ControlError(f"{where}: 'options' must be a table, not {options!r}")
    listen, control = _text(where, raw, "listen", None), _text(where, raw, "control", "")
    first = next(iter(devices))
    return Wanted(
        kind,
        _under(base, listen),
        ledger,
        state / f"{first}.json",
        dict(devices),
        _under(base, control) or None,
        options,
        parse_plan(raw["faults"], faults, occasions) if "faults" in raw else None,
    )


def _under(base: Path, address: str) -> str:
    kind, _, path = address.partition(":")
    return f"{kind}:{base / path}" if kind in {"pty", "unix"} else address


def _text(where: str, raw: Mapping[str, Any], key: str, default: str | None) -> str:
    value = raw.get(key, default)
    if not isinstance(value, str):
        raise ControlError(f"{where}: {key!r} must be a text, not {value!r}")
    return value


def _refuse_unknown(where: str, raw: Mapping[str, Any], known: set[str]) -> None:
    unknown = sorted(set(raw) - known)
    if unknown:
        raise ControlError(f"{where}: key {unknown[0]!r} is not known; known are {', '.join(sorted(known))}")


async def serve(raw: Mapping[str, Any], base: Path) -> None:
    """Run a branch until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with open_branch(raw, base) as branch:
        for device, serving in branch.lines.items():
            sys.stdout.write(f"ready {device} {serving.address}\n")
        sys.stdout.flush()
        await until_stopped(stop, [serving.runtime for serving in branch.lines.values()])


def main(argv: Sequence[str] | None = None) -> int:
    """`python -m simulators.branch FILE`; 0 after a planned end, 2 with one sentence when it cannot begin or go on."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m simulators.branch BRANCH.toml\n")
        return 2
    try:
        path = Path(arguments[0]).absolute()
        asyncio.run(serve(tomllib.loads(path.read_text(encoding="utf-8")), path.parent))
    except (ControlError, LedgerError, StateError, OSError, tomllib.TOMLDecodeError) as error:
        sys.stderr.write(f"simulator: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

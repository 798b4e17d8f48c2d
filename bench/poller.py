"""A process that polls Modbus units over their addresses as drivers do, and tells how long each poll took.

Knows units on shared lines and a clock; which of them are dead it finds out by itself. `python -m bench.poller FILE`.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from device_drivers.errors import DeviceError
from device_drivers.links.address import open_address
from device_drivers.links.bus import Bus
from device_drivers.links.line import SharedLine, Urgency
from device_drivers.modbus.unit import ModbusUnit

PERIOD_S = 1.0
WORDS = 8  # read at each poll
RESULT = "result "


@dataclass(slots=True)
class Polled:
    """What came of one unit's polls. `skipped` were not begun: the one before was still under way."""

    took_s: list[float] = field(default_factory=list)
    failed: int = 0
    skipped: int = 0


async def poll(unit: ModbusUnit, first_s: float, seconds: float) -> Polled:
    """Once each period, from `first_s` of the loop's clock on."""
    clock, seen = asyncio.get_running_loop().time, Polled()
    due_s, end_s = first_s, first_s + seconds
    while due_s < end_s:
        await asyncio.sleep(max(0.0, due_s - clock()))
        try:
            await unit.read_words("holding", 0, WORDS, Urgency.POLL)
            seen.took_s.append(clock() - due_s)
        except DeviceError:
            seen.failed += 1
        due_s += PERIOD_S
        while due_s <= clock() - PERIOD_S and due_s < end_s:
            due_s += PERIOD_S
            seen.skipped += 1
    return seen


async def run(wanted: dict[str, Any]) -> dict[str, Any]:
    """`lines` maps an address to its units' numbers; polls of one line are spread over the period."""
    lines = {address: SharedLine(open_address(address)) for address in wanted["lines"]}
    units = [(address, ModbusUnit(lines[address], n)) for address, numbers in wanted["lines"].items() for n in numbers]
    for _, unit in units:
        await unit.connect()
    busy_s, began_s = time.process_time(), time.perf_counter()
    first_s = asyncio.get_running_loop().time() + 0.1
    many = len(units)
    seen = await asyncio.gather(
        *(poll(unit, first_s + PERIOD_S * at / many, wanted["seconds"]) for at, (_, unit) in enumerate(units))
    )
    busy = (time.process_time() - busy_s) / (time.perf_counter() - began_s)
    for _, unit in units:
        await unit.disconnect()
    return {
        "busy": busy,
        "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "timeouts": sum(Bus.of(line).timeouts for line in lines.values()),
        "units": [
            {"line": address, "unit": unit.unit, "took_s": one.took_s, "failed": one.failed, "skipped": one.skipped}
            for (address, unit), one in zip(units, seen, strict=True)
        ],
    }


def main() -> None:
    """Prints one line."""
    wanted = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    sys.stdout.write(RESULT + json.dumps(asyncio.run(run(wanted))) + "\n")


if __name__ == "__main__":
    main()

"""Many units on few lines: how long a poll takes, what dead units cost the living, and what 200 units cost the box.

Knows which lines are simulated and how long they are polled; what a poll is stands in `poller`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.figures import Chapter, Row, Spread
from bench.poller import RESULT
from bench.stage import Stage

SMALL_LINES, SMALL_UNITS = 4, 5
# (line, unit) -> how it is dead: silent, without power, garbled, broken off, too late
DEAD: Mapping[tuple[int, int], Mapping[str, Any]] = {
    (0, 2): {"fault": "dead"},
    (0, 4): {"fault": "wrong_crc", "args": {"count": 100_000}},
    (1, 3): {"fault": "slow", "args": {"for_s": 86_400, "delay_s": 4}},
    (2, 5): {"fault": "power_loss", "args": {"off_s": None}},
    (3, 1): {"fault": "half_answer", "args": {"count": 100_000}},
}
# An answer that comes seconds too late falls into whoever speaks then: no master can keep two wires from it.
LATE_LINES = {line for (line, _), dead in DEAD.items() if dead["fault"] == "slow"}


@dataclass(frozen=True, slots=True)
class Size:
    """How long lines are polled, and how many units on how many lines in the large run."""

    seconds: float
    lines: int = 20
    units: int = 10


async def lines(size: Size) -> list[Chapter]:
    """Three runs, one after the other."""
    alone = await _polled(SMALL_LINES, SMALL_UNITS, size.seconds)
    beside = await _polled(SMALL_LINES, SMALL_UNITS, size.seconds, DEAD)
    many = await _polled(size.lines, size.units, size.seconds)
    living = [unit for unit in beside["units"] if (unit["line"], unit["unit"]) not in DEAD]
    few, with_dead, all_of_many = (_spread(units) for units in (alone["units"], living, many["units"]))
    disturbed = [unit for unit in living if unit["line"] in LATE_LINES]
    missed, lost = _missed(living) - _missed(disturbed), _missed(many["units"])
    total = size.lines * size.units
    rows = [
        Row(f"a poll, {SMALL_UNITS} units on each of {SMALL_LINES} lines", few.words()),
        Row(f"… with {len(DEAD)} of them dead in five ways", with_dead.words()),
        Row("… polls that the living missed", str(missed), "0", missed == 0),
        Row("… where a unit answers four seconds late", str(_missed(disturbed))),
        Row("… time-outs of the dead", f"{beside['timeouts']} in {size.seconds:.0f} s"),
        Row(f"a poll, {total} units on {size.lines} lines", all_of_many.words()),
        Row("… missed", f"{lost} of {lost + all_of_many.count}", "0", lost == 0),
        Row("… processor time", f"{many['busy']:.1%} of a core"),
        Row("… memory of the process that polls", f"{many['mb']:.0f} MB"),
    ]
    numbers = {
        "p99_s": few.p99_s,
        "p99_beside_dead_s": with_dead.p99_s,
        "missed_beside_dead": missed,
        "missed_beside_late": _missed(disturbed),
        "timeouts": beside["timeouts"],
        "many_p99_s": all_of_many.p99_s,
        "many_missed": lost,
        "busy": many["busy"],
        "mb": many["mb"],
    }
    return [Chapter(f"Lines, polled each second for {size.seconds:.0f} s", tuple(rows), numbers)]


def _spread(units: Sequence[Mapping[str, Any]]) -> Spread:
    return Spread.of([took_s for unit in units for took_s in unit["took_s"]])


def _missed(units: Sequence[Mapping[str, Any]]) -> int:
    return sum(unit["failed"] + unit["skipped"] for unit in units)


async def _polled(
    count: int, units: int, seconds: float, dead: Mapping[tuple[int, int], Mapping[str, Any]] | None = None
) -> dict[str, Any]:
    """Simulated lines as ptys, and a process that polls them; each unit's line is its number."""
    async with Stage(printers=0) as stage:
        raw = {"lines": [_line(number, units, dead or {}) for number in range(count)]}
        file = stage.folder / "lines.json"
        file.write_text(json.dumps(raw), encoding="utf-8")
        simulators = await stage.start_python("simulators", "bench.printers", str(file))
        await simulators.until_said("ready ", count * units)
        places = {f"serial://{stage.folder}/bus-{number}": number for number in range(count)}
        wanted = stage.folder / "polls.json"
        numbers = list(range(1, units + 1))
        wanted.write_text(json.dumps({"lines": dict.fromkeys(places, numbers), "seconds": seconds}), encoding="utf-8")
        poller = await stage.start_python("poller", "bench.poller", str(wanted))
        await poller.process.wait()
        said = poller.log.read_text(encoding="utf-8")
        if not said.startswith(RESULT):
            raise RuntimeError(f"the poller ended:\n{said[-2000:]}")
        seen: dict[str, Any] = json.loads(said.removeprefix(RESULT))
        for unit in seen["units"]:
            unit["line"] = places[unit["line"]]
        return seen


def _line(number: int, units: int, dead: Mapping[tuple[int, int], Mapping[str, Any]]) -> dict[str, Any]:
    names = {f"u{number}-{unit}": unit for unit in range(1, units + 1)}
    faults = [
        {"at": 0.0, "device": f"u{number}-{unit}", **fault} for (line, unit), fault in dead.items() if line == number
    ]
    return {
        "kind": "modbus",
        "listen": f"pty:bus-{number}",
        "devices": names,
        "options": {"units": {name: {"kind": "registers"} for name in names}},
        "faults": faults,
    }

"""Nothing is ordered by wall clock: the sources have no such place, and a lying clock changes no day."""

from __future__ import annotations

import json
import logging
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cloud_bridge.envelope import read_envelope, rfc3339
from edge_agent.clock.steadiness import SETTLE_S
from edge_agent.orders.desk import AT_THE_BOX
from tests.edge_agent.orders.day import Day, Event
from tests.edge_agent.orders.test_model import random_day
from tests.edge_agent.parts import NOON, Json, Wall

ROOT = Path(__file__).parents[2]
DAYS = 24
OURS = ("edge_agent", "cloud_bridge", "device_drivers")
TIMES = r"(?:\w*time|deadline|not_before)"
ORDERING = re.compile(
    rf"ORDER\s+BY\b[^;)\[]*\b{TIMES}\b|\bsorted\([^\n]*\b{TIMES}\b|\.sort\([^\n]*\b{TIMES}\b|GROUP\s+BY\b[^;)\[]*\b{TIMES}\b"
)
READING = re.compile(r"fromisoformat|datetime\.now\(|time\.time\(|\.now\(\)(?!\.timestamp)|clock\.look\(\)")
MAY_READ = {  # each place that reads or compares wall time, and what for
    "cloud_bridge/client.py": "a scheduler's own deadlines",
    "device_drivers/banknotes/record.py": "the time that a counter printed beside a note",
    "edge_agent/audit/chain.py": "the time that is told, with its grade",
    "edge_agent/clock/kernel.py": "the clock itself",
    "edge_agent/clock/wall.py": "the clock itself",
    "edge_agent/console/commission.py": "the time that is told",
    "edge_agent/console/commissioned.py": "the time that is told",
    "edge_agent/console/door.py": "the time that is told",
    "edge_agent/custody/materials.py": "the date that is printed",
    "edge_agent/fleet/senses.py": "which hour a sum is of, and the time that is told",
    "edge_agent/console/exercise.py": "the deadline of what a person at the box hands in",
    "edge_agent/journal/holder.py": "since when another process holds the journal, for people",
    "edge_agent/journal/journal.py": "the clock that is handed in, by default",
    "edge_agent/journal/tx.py": "the time that is told",
    "edge_agent/orders/adopting.py": "the time that is told",
    "edge_agent/orders/attesting.py": "what people confirm",
    "edge_agent/orders/intake.py": "deadlines at most 90 days ahead",
    "edge_agent/orders/record.py": "the time that is told",
    "edge_agent/orders/times.py": "times of the centre's orders; of those made on site, once, at the door",
    "edge_agent/people/deciding.py": "the time that is told",
    "edge_agent/panel/branch.py": "the time that is told",
    "edge_agent/panel/pages/gatekeeping.py": "whether what is shown was on another day",
    "edge_agent/panel/pages/vouching.py": "what people are shown to confirm",
    "edge_agent/panel/pages/words.py": "times as people read them, and how long a wait was",
    "edge_agent/uplink.py": "the time that is told",
    "edge_agent/upkeep/box.py": "the name of a recording",
    "edge_agent/upkeep/marks.py": "how old rows are",
    "edge_agent/upkeep/retention.py": "deadlines and seven days",
    "edge_agent/watchdog.py": "the time that is told",
}


def sources() -> Iterator[tuple[str, str]]:
    for package in OURS:
        for path in sorted((ROOT / package).rglob("*")):
            if path.suffix in (".py", ".sql"):
                yield str(path.relative_to(ROOT)), path.read_text("utf-8")


@pytest.mark.rule("INS-5")
def test_no_source_orders_anything_by_time() -> None:
    assert [(name, found[0]) for name, text in sources() if (found := ORDERING.search(text))] == []


@pytest.mark.parametrize(
    "line",
    ["SELECT n FROM inbox ORDER BY time", "ORDER BY priority, not_before DESC", "sorted(rows, key=lambda r: r.time)"],
)
def test_such_a_place_would_be_seen(line: str) -> None:
    assert ORDERING.search(line)


def test_wall_time_is_read_in_these_places_only() -> None:
    read = {name for name, text in sources() if name.endswith(".py") and READING.search(text)}
    assert read - set(MAY_READ) == set(), "say here what for, or take the order from the journal"
    assert set(MAY_READ) - read == set(), "no longer so"


# -- days with a clock that lies ---------------------------------------------------------------------------------------


@dataclass(slots=True)
class LyingWall(Wall):
    """Anybody may set it between any two looks, years off; the time service says all the while that it is good.

    Only the first look of a process sees the truth: whom should it believe, if not the kernel?
    """

    chance: random.Random = field(default_factory=lambda: random.Random(0))
    lying: bool = True
    held: bool = False  # nobody sets it just now

    def now(self) -> datetime:
        begun = self._clock is not None and self._clock._trust.steadiness.offset_s is not None
        if self.held:
            pass
        elif self.lying and begun and self.chance.random() < 0.1:
            years = 365 * 86_400.0
            self.lie_s = self.chance.choice([0.0, 1.0, -1.0, -10.0, 299.0, 301.0, 7200.0, -2 * years, 9 * years])
        elif not self.lying or not begun:
            self.lie_s = 0.0
        return NOON + timedelta(seconds=self.steady() + self.lie_s)


class SiteDay(Day):
    """Whoever orders stands at the box, and goes by what its clock says."""

    def moment(self, seconds: float) -> str:
        return rfc3339(self.wall.now() + timedelta(seconds=seconds))

    def submit(self, *words: Any) -> None:
        if isinstance(self.wall, LyingWall):
            self.wall.held = True
        Day.submit(self, *words)
        if isinstance(self.wall, LyingWall):
            self.wall.held = False

    def hand_in(self, order: str, data: Json) -> None:
        written = self.bench.envelope("order.submit", data, source="/people/zhang", subject=order, deadline=None)
        reply = self.do(self.bench.intake.ask(read_envelope(json.dumps(written).encode()), AT_THE_BOX))
        assert reply["status"] == "accepted", reply
        self.bench.submitted.add(order)


Life = tuple[list[Any], list[Any], dict[str, str]]


def lived(events: list[Event], wall: Wall, day: Day) -> Life:
    """What was told and done on a day with these events, and how each order ended."""
    logging.disable(logging.CRITICAL)
    day.wall = wall
    try:
        with day:
            day.live(events)
            if isinstance(wall, LyingWall):
                wall.lying = False
            day.time(SETTLE_S + 2)
            day.evening()
            rows = day.bench.look(lambda tx: tx.all("SELECT type, subject, data FROM outbox ORDER BY seq"))
            told = [(r["type"], r["subject"], _without_moments(json.loads(r["data"]))) for r in rows]
            ledger = [(line["act"], line["detail"]) for line in day.bench.machine.ledger]
            return [one for one in told if one[2].get("what") != "clock_changed"], ledger, dict(day.told().orders)
    finally:
        logging.disable(logging.NOTSET)


def _without_moments(data: Json) -> Json:
    """A deadline that people at the box gave is another one by another clock."""
    data.get("facts", {}).pop("deadline", None)
    return data


def _on_time(events: list[Event], deadline_s: float | None) -> list[Event]:
    """The same day, where every order has this deadline, and nothing depends on how many commits there are."""
    kept = [e for e in events if e[0] != "full" and e[:2] != ("fault", "clock")]
    return [("submit", *e[1:3], deadline_s, None, *e[5:]) if e[0] == "submit" else e for e in kept]


@pytest.mark.rule("INS-5")
@pytest.mark.parametrize("part", range(4))
def test_without_deadlines_a_lying_clock_changes_nothing_at_all(part: int) -> None:
    """The same events in the same order, the same acts of the machine, the same ends."""
    for seed in range(part, DAYS, 4):
        events = _on_time(random_day(seed), None)
        assert lived(events, LyingWall(chance=random.Random(seed)), Day()) == lived(events, Wall(), Day()), (
            f"seed {seed}"
        )


@pytest.mark.rule("INS-5")
@pytest.mark.parametrize("part", range(4))
def test_a_deadline_that_has_not_passed_expires_nothing_whatever_the_clock_says(part: int) -> None:
    for seed in range(part, DAYS, 4):
        events = _on_time(random_day(seed), 86_400)
        _, _, ends = lived(events, LyingWall(chance=random.Random(seed)), Day())
        assert "expired" not in ends.values(), f"seed {seed}"


@pytest.mark.rule("INS-5")
@pytest.mark.parametrize("part", range(4))
def test_of_orders_made_on_site_a_lying_clock_changes_nothing_not_even_who_is_late(part: int) -> None:
    """With deadlines and times before which they must not begin; and with nobody to vouch for the time, by turns."""
    expired = 0
    for seed in range(part, DAYS, 4):
        events = [event for event in random_day(seed) if event[0] != "full"]
        true = [event for event in events if event[:2] != ("fault", "clock")]
        life = lived(events, LyingWall(chance=random.Random(seed)), SiteDay())
        assert life == lived(true, Wall(), SiteDay()), f"seed {seed}"
        expired += list(life[2].values()).count("expired")
    assert expired > 0, "or nothing was proved"

"""Random days at a branch, each shortened to the least that goes wrong; those that once did are kept."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Iterator

import pytest

from tests.edge_agent.orders.day import Day, Event
from tests.edge_agent.orders.paper_scenes import PRINTERS, WAYS
from tests.edge_agent.printer import ENDS

DAYS = 120
PATIENCE_S = 60.0  # real seconds for shortening a day that went wrong
BAD = [
    *(
        "silent_done",
        "silent_not",
        "unsent",
        "refused",
        "jam",
        "fault",
        "retained",
        "lost_track",
        "cut_done",
        "cut_not",
    ),
]
SOME = [*BAD, "ok", "ok", "ok"]
PRESSED = [*ENDS, "unsent", "refused", "ok"]


def random_day(seed: int) -> list[Event]:
    """Eight to thirty-five events; the same for the same seed."""
    chance = random.Random(seed)
    return [_event(chance, chance.choice("sssscccpplffqqqggttttoooooo")) for _ in range(chance.randint(8, 35))]


def _event(chance: random.Random, kind: str) -> Event:
    pick = chance.choice
    if kind == "s":
        times = (pick([None, None, None, 2, 4, 10, 60]), pick([None, None, None, None, 3, 20]))
        return ("submit", pick([0, 0, 5, -5]), pick([1, 5, 30]), *times, pick([None, *WAYS]))
    if kind == "c":
        return ("command", pick(["cancel", "hold", "release"]), chance.randint(0, 5))
    if kind == "p":
        return ("plan", pick(SOME), pick(SOME))
    if kind == "l":
        return ("plan", "ok", pick(BAD), pick(SOME))
    if kind == "f":
        return ("fault", pick(["line", "line", "shutter", "clock", "bin", "stacker"]), pick([True, False]))
    if kind == "q":
        return ("press", pick(PRINTERS), pick(PRESSED), pick(PRESSED))
    if kind == "g":
        return ("paper", pick(PRINTERS), pick(["line", "line", "cover", "text"]), pick([True, False]))
    if kind == "t":
        return ("time", pick([0.05, 0.3, 0.7, 1.3, 2.2, 3.0, 7.0, 12.0, 40.0]))
    rare: list[Event] = [("take",), ("restart",), ("full", chance.randint(1, 5)), ("hands", pick([True, False, False]))]
    rare += [("resolve", chance.randint(0, 11))]
    return pick([*rare, ("customers", pick([0.6, 2.0, None])), ("resolve", chance.randint(0, 11))])


def live(events: list[Event]) -> None:
    """Lives a day to its evening. Raises whatever went wrong."""
    logging.disable(logging.CRITICAL)  # full disks are many, and meant
    try:
        with Day() as day:
            day.live(events)
            day.evening()
    finally:
        logging.disable(logging.NOTSET)


def wrong(events: list[Event]) -> Exception | None:
    try:
        live(events)
    except Exception as error:  # noqa: BLE001  # any of them is what is looked for
        return error
    return None


def shortened(events: list[Event]) -> list[Event]:
    """The day without whatever is not needed for it to go wrong, as far as patience allows."""
    until = time.monotonic() + PATIENCE_S
    shorter = True
    while shorter and time.monotonic() < until:
        shorter = False
        for n in reversed(range(len(events))):
            less = events[:n] + events[n + 1 :]
            if wrong(less) is not None:
                events, shorter = less, True
    return events


def live_through(seeds: Iterator[int]) -> None:
    for seed in seeds:
        events = random_day(seed)
        if wrong(events) is not None:
            events = shortened(events)
            raise AssertionError(f"the day of seed {seed} goes wrong, also as: {events}") from wrong(events)


@pytest.mark.rule("ORD-2")
@pytest.mark.rule("ORD-5")
@pytest.mark.rule("ORD-9")
@pytest.mark.parametrize("part", range(4))
def test_random_days_lose_double_and_forget_nothing(part: int) -> None:
    live_through(iter(range(part, DAYS, 4)))


@pytest.mark.torture
def test_random_days_for_ten_minutes() -> None:
    until = time.monotonic() + 600
    base = time.time_ns() % 1_000_000_000
    live_through(base + n for n in range(1_000_000) if time.monotonic() < until)


KEPT: dict[str, list[Event]] = {
    "people said to leave it, and the capture that was not sent asked again for ever": [
        *(("submit", -5, 1, None, None), ("time", 7.0), ("plan", "fault", "unsent"), ("submit", 0, 30, None, None)),
        *(("time", 2.2), ("resolve", 2), ("time", 7.0), ("hands", True)),
    ],
    "a capture that was not sent gave the machine away, with the card in it": [
        *(("submit", -5, 30, None, None), ("plan", "jam", "unsent"), ("time", 12.0), ("resolve", 2)),
        ("submit", 0, 30, None, None),
    ],
    "the same, seen at once": [
        *(("submit", -5, 30, 2, None), ("plan", "jam", "unsent"), ("time", 12.0), ("resolve", 2), ("time", 0.05)),
    ],
    "a shut lane asked its device before it was connected": [
        *(("submit", 0, 5, None, None), ("plan", "ok", "fault"), ("time", 1.3), ("fault", "line", False)),
        *(("time", 3.0), ("restart",)),
    ],
    "the line cut while the capture that people chose is under way, and the disk full": [
        *(("plan", "fault", "cut_not"), ("submit", 0, 1, None, None), ("time", 1.9), ("resolve", 0)),
        *(("full", 3), ("restart",)),
    ],
    "the customer takes the card while people are asked about its capture": [
        *(("submit", 5, 1, None, None), ("time", 3.0), ("plan", "jam", "lost_track"), ("time", 3.0)),
        *(("take",), ("resolve", 0)),
    ],
    "held in mid-act, then the line, then a late cancel": [
        *(("submit", 0, 1, 60, None), ("time", 1.3), ("command", "hold", 1), ("plan", "unsent", "refused")),
        *(("time", 40.0), ("command", "release", 4), ("command", "cancel", 4)),
    ],
    "people choose to capture a card that hands took out": [
        *(("submit", 5, 1, 10, None), ("full", 5), ("time", 1.3), ("hands", False), ("time", 12.0), ("resolve", 0)),
    ],
}


@pytest.mark.rule("ORD-9")
@pytest.mark.parametrize("what", KEPT)
def test_days_that_once_went_wrong(what: str) -> None:
    live(KEPT[what])

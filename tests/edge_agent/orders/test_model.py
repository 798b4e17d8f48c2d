"""Random days at a branch, shrunk to the shortest one that goes wrong; those that once did are kept."""

from __future__ import annotations

import logging

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.edge_agent.orders.day import Day, Event

BAD = [
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
]
SHORT = st.tuples(st.just("time"), st.sampled_from([0.05, 0.3, 0.7, 1.3, 2.2]))
LONG = st.tuples(st.just("time"), st.sampled_from([3.0, 7.0, 12.0, 40.0]))
SUBMIT = st.tuples(
    st.just("submit"),
    st.sampled_from([0, 0, 5, -5]),
    st.sampled_from([1, 5, 30]),
    st.sampled_from([None, None, None, 2, 4, 10, 60]),
    st.sampled_from([None, None, None, None, 3, 20]),
)
COMMAND = st.tuples(st.just("command"), st.sampled_from(["cancel", "hold", "release"]), st.integers(0, 5))
PLAN = st.tuples(st.just("plan"), st.sampled_from(BAD), st.sampled_from([*BAD, "ok", "ok", "ok"]))
PLAN_LATER = st.tuples(st.just("plan"), st.sampled_from(["ok"]), st.sampled_from(BAD), st.sampled_from([*BAD, "ok"]))
FAULT = st.tuples(
    st.just("fault"), st.sampled_from(["line", "line", "shutter", "clock", "bin", "stacker"]), st.booleans()
)
CUSTOMERS = st.tuples(st.just("customers"), st.sampled_from([0.6, 2.0, None]))
RESOLVE = st.tuples(st.just("resolve"), st.integers(0, 3))
OTHERS = st.one_of(
    st.tuples(st.just("take")), st.tuples(st.just("restart")), st.tuples(st.just("full"), st.integers(1, 5))
)
EVENT: st.SearchStrategy[Event] = st.one_of(
    SUBMIT, SUBMIT, SHORT, SHORT, LONG, COMMAND, COMMAND, PLAN, PLAN_LATER, FAULT, FAULT, CUSTOMERS, RESOLVE, OTHERS
)


def live(events: list[Event]) -> None:
    logging.disable(logging.CRITICAL)  # full disks are many, and meant
    try:
        with Day() as day:
            day.live(events)
            day.evening()
    finally:
        logging.disable(logging.NOTSET)


@pytest.mark.rule("ORD-2")
@pytest.mark.rule("ORD-9")
@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(EVENT, min_size=8, max_size=30))
@example(  # a capture that was not sent gave the machine away, with the card in it
    [
        ("submit", -5, 30, None, None),
        ("plan", "jam", "unsent"),
        ("time", 12.0),
        ("resolve", 2),
        ("submit", 0, 30, None, None),
    ]
)
@example([("submit", -5, 30, 2, None), ("plan", "jam", "unsent"), ("time", 12.0), ("resolve", 2), ("time", 0.05)])
@example(  # a shut lane asked its device before it was connected
    [
        ("submit", 0, 5, None, None),
        ("plan", "ok", "fault"),
        ("time", 1.3),
        ("fault", "line", False),
        ("time", 3.0),
        ("restart",),
    ]
)
@example(  # the line is cut while the capture that people chose is under way, and the disk is full
    [
        ("plan", "fault", "cut_not"),
        ("submit", 0, 1, None, None),
        ("time", 1.9),
        ("resolve", 0),
        ("full", 3),
        ("restart",),
    ]
)
@example(  # the customer takes the card while people are asked about its capture
    [
        ("submit", 5, 1, None, None),
        ("time", 3.0),
        ("plan", "jam", "lost_track"),
        ("time", 3.0),
        ("take",),
        ("resolve", 0),
    ]
)
@example(  # held in mid-act, then the line, then too late or not
    [
        *(("submit", 0, 1, 60, None), ("time", 1.3), ("command", "hold", 1), ("plan", "unsent", "refused")),
        *(("time", 40.0), ("command", "release", 4), ("command", "cancel", 4)),
    ]
)
def test_random_days_lose_double_and_forget_nothing(events: list[Event]) -> None:
    live(events)


@pytest.mark.torture
@settings(max_examples=5_000, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(EVENT, min_size=8, max_size=60))
def test_many_random_days(events: list[Event]) -> None:
    live(events)

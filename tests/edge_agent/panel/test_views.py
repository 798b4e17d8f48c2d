"""The views by themselves: twins and rows in, what is drawn out."""

from __future__ import annotations

from importlib.resources import files

import pytest

from device_drivers import catalog
from edge_agent.panel import masks
from edge_agent.panel.pages import words
from edge_agent.panel.pages.machines import machine
from edge_agent.panel.pages.now import House, now
from edge_agent.panel.pages.timeline import timeline
from tests.edge_agent.panel import staged
from tests.edge_agent.parts import Json


def test_a_calm_branch_has_nothing_for_people() -> None:
    twins = [staged._twin("a", "crt591", "card-dispenser")]
    assert now([], [], [], twins, [], House()).calm


@pytest.mark.parametrize(
    ("twin", "kinds"),
    [
        ({"state": "offline", "reason": "line_lost"}, ["machine"]),
        ({"state": "userError"}, ["machine"]),
        ({"state": "never_heard_of"}, ["machine"]),
        ({"lane": "shut"}, ["lane"]),
        ({"storage": {"stacker": staged._unit("dispense", "empty")}}, ["supply_empty"]),
        ({"storage": {"stacker": staged._unit("dispense", "full")}}, []),
        ({"storage": {"bin": staged._unit("retain", "full")}}, ["supply_full"]),
        ({"storage": {"bin": staged._unit("retain", "empty")}}, []),
        ({"storage": {"A1": staged._cell("manipulated")}}, ["cell"]),
        ({"storage": {"A1": staged._cell("empty")}}, []),
    ],
)
def test_what_needs_hands_is_a_notice(twin: Json, kinds: list[str]) -> None:
    page = now([], [], [], [staged._twin("a", "x", "y") | twin], [], House())
    assert [notice.kind for notice in page.notices] == kinds


def test_the_house_itself_may_need_people() -> None:
    page = now([], [], [], [], [], House("disk_full", "unknown", altered=True, locked=("zhang",), manages=True))
    assert [(n.kind, n.link) for n in page.notices] == [
        ("store", ""),
        ("clock", ""),
        ("altered", ""),
        ("locked", "/people"),
    ]


def test_a_level_is_drawn_only_where_it_is_known() -> None:
    storage = {
        "a": staged._unit("dispense", "ok", count=50, capacity=200),
        "b": staged._unit("dispense", "ok", count=50),
        "c": staged._unit("paper", "low"),
    }
    assert [unit.part for unit in machine(staged._twin("m", "x", "y", storage=storage)).units] == [25, None, None]


def test_every_kind_of_ours_has_a_drawing_that_is_there() -> None:
    symbols = {kind: machine(staged._twin("m", kind, "y")).symbol for kind in catalog._BUILT_IN}
    assert [kind for kind, symbol in symbols.items() if symbol == "machine"] == []
    drawn = (files("edge_agent.panel.pages") / "templates" / "symbols.svg").read_text("utf-8")
    assert [symbol for symbol in (*symbols.values(), "machine") if f'id="m-{symbol}"' not in drawn] == []


def _row(seq: int, time: str, to: str) -> Json:
    return {"seq": seq, "type": "branchgate.order.changed.v1", "time": time, "to": to, "from": "accepted"}


def test_a_wait_lasts_until_the_next_change_and_a_clock_that_was_set_back_tells_nothing() -> None:
    rows = [
        _row(1, "2026-03-02T12:00:00Z", "waiting"),
        {**_row(2, "2026-03-02T12:00:05Z", "done"), "type": "branchgate.step.changed.v1", "act": "draw_card"},
        _row(3, "2026-03-02T12:00:09Z", "waiting"),
        _row(4, "2026-03-02T11:00:00Z", "running"),
    ]
    assert [entry.rested_s for entry in timeline(rows)] == [9.0, None, None, None]


def test_steps_that_an_order_goes_on_without_are_told_apart_from_its_facts() -> None:
    left = [{"step": "receipt", "reason": "not_wanted"}, {"step": "stamp", "instead": "by_hand"}]
    (entry,) = timeline([{**_row(1, "2026-03-02T12:00:00Z", "accepted"), "facts": {"left_out": left, "n": 1}}])
    assert entry.without == (("receipt", "reason", "not_wanted"), ("stamp", "choice", "by_hand"))
    assert entry.facts == {"n": 1}


@pytest.mark.parametrize(("value", "told"), [(30.0, "30"), (2.5, "2.5"), (True, "✓"), (float("inf"), "inf")])
def test_numbers_without_a_needless_fraction(value: object, told: str) -> None:
    assert words.plain(value) == told


@pytest.mark.parametrize(
    ("seconds", "told"), [(0.44, "0.4 s"), (12.3, "12 s"), (200, "3 min 20 s"), (7500, "2 h 05 min"), (None, "–")]
)
def test_spans(seconds: float | None, told: str) -> None:
    assert words.lasted(seconds) == told


def test_masking_keeps_enough_to_tell_two_apart_and_no_more() -> None:
    assert masks.masked("") == ""
    assert masks.masked("张三") == "张•••"
    assert masks.masked("KH-3310-7742") == "K•••42"
    assert masks.veiled({"name": "张三丰", "n": 3, "f": True, "l": ["张三丰"]}) == {
        "name": "张•••",
        "n": 3,
        "f": True,
        "l": "•••",
    }

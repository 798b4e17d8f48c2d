"""The lock boards as the real ones are: every frame opens anew, lock 00 opens all, and people do what they like."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.cells.faults import FAULTS, OCCASIONS
from simulators.cells.kind import build
from simulators.cells.line import LockBoards
from simulators.cells.options import parse_options
from simulators.machine import ControlError
from simulators.plan import parse_plan
from tests.simulators.line_bench import LineBench

# devices.md section 2.3
OPEN_1, OPEN_ALL, QUERY_1, QUERY_1_OF_2 = "8A 01 01 11 9B", "8A 01 00 11 9A", "80 01 01 33 B3", "80 02 01 33 B0"


class Bench(LineBench):
    """A cabinet, its clock, and what left it."""

    def __init__(self, plan: Any = None, **options: Any) -> None:
        settings = {"cells": 3, "customer": {"policy": "forget"}, **options}
        super().__init__(LockBoards("cells-1", 1, parse_options(settings), plan))

    def send(self, text: str, for_s: float = 1.0) -> str:
        """What the boards say to these bytes."""
        return super().send(text, for_s)

    @property
    def acts(self) -> list[tuple[str, str]]:
        return [(e.act, e.detail["cell"]) for e in self.effects if e.kind == "act"]

    @property
    def shows(self) -> list[str]:
        return [e.act for e in self.effects if e.kind == "show"]


def test_the_vectors() -> None:
    b = Bench()
    assert b.send(QUERY_1) == "80 01 01 00 80"
    assert b.send(OPEN_1) == "8A 01 01 11 9B"  # the switch is open by then, as the door is
    assert b.send(QUERY_1) == "80 01 01 11 91"
    assert b.acts == [("cell_opened", "01")]


def test_the_other_type_of_switch_answers_the_other_way_round() -> None:
    b = Bench(locked_feedback="11")
    assert b.send(QUERY_1) == "80 01 01 11 91"
    assert b.send(OPEN_1) == "8A 01 01 00 8A"


def test_items_close_the_contacts_of_the_second_board() -> None:
    b = Bench(serials=[None, "S2", "S3"])
    assert b.send(QUERY_1_OF_2) == "80 02 01 11 92"
    assert b.send("80 02 02 33 B3") == "80 02 02 00 80"


@pytest.mark.rule("SIM-3")
def test_a_repeated_frame_opens_again_and_lock_0_opens_them_all() -> None:
    b = Bench()
    b.send(OPEN_1)
    b.control("close", cell="01")
    b.send(OPEN_1)
    assert b.acts == [("cell_opened", "01")] * 2
    b.send(OPEN_ALL)
    assert [cell for _, cell in b.acts[2:]] == ["01", "02", "03"]


@pytest.mark.rule("SIM-1")
@pytest.mark.parametrize(
    ("policy", "shows", "is_open", "inside"),
    [
        ("take", ["item_taken", "door_closed"], False, False),
        ("leave", ["door_closed"], False, True),
        ("leave_open", ["item_taken"], True, False),
        ("forget", [], True, True),
        ("put_back", ["item_taken", "item_put_back", "door_closed"], False, True),
    ],
)
def test_what_people_do(policy: str, shows: list[str], is_open: bool, inside: bool) -> None:
    b = Bench(customer={"policy": policy})
    b.send(OPEN_1, 5.0)
    cell = b.control("state")["cells"]["01"]
    assert (b.shows, cell["open"], cell["serial"] is not None) == (shows, is_open, inside)
    opened = next(effect for effect in b.effects if effect.act == "cell_opened")
    assert opened.detail == {"cell": "01", "serial": "cells-1-01"}


def test_a_stuck_lock_answers_that_it_is_locked() -> None:
    b = Bench()
    b.fault("stuck_lock")
    assert b.send(OPEN_1) == "8A 01 01 00 8A"
    assert (b.acts, b.shows) == ([], ["lock_stuck"])


@pytest.mark.parametrize(
    ("fault", "answer", "opens"),
    [
        ({"name": "silence"}, "", 1),
        ({"name": "silence", "args": {"executes": False}}, "", 0),
        ({"name": "wrong_bcc"}, "8A 01 01 11 C1", 1),
        ({"name": "wrong_lock"}, "8A 01 02 11 98", 1),
        ({"name": "half_frame"}, "8A 01", 1),
        ({"name": "late_answer", "args": {"delay_s": 3}}, "", 1),
        ({"name": "echo"}, "8A 01 01 11 9B 8A 01 01 11 9B", 1),
        ({"name": "dead_board", "args": {"board": 1, "for_s": 1}}, "", 0),
    ],
)
def test_faults_of_the_wire(fault: dict[str, Any], answer: str, opens: int) -> None:
    b = Bench()
    b.control("fault", **fault)
    assert b.send(OPEN_1) == answer
    assert len(b.acts) == opens


def test_power_that_goes_before_the_door_springs_opens_nothing_and_doors_stay_as_they_are() -> None:
    b = Bench()
    b.send(OPEN_1, 0.1)
    b.fault("power_loss", off_s=1.0)
    b.run(0.5)
    assert b.send(QUERY_1, 0.1) == ""
    b.run(1.0)
    assert b.send(QUERY_1) == "80 01 01 00 80"
    assert (b.acts, b.shows) == ([], ["power_lost", "power_restored"])


def test_hands_that_force_take_and_load() -> None:
    b = Bench()
    b.control("force", cell="02", takes=True)
    b.control("load", cell="02", serial="new")
    assert b.shows == ["door_forced", "item_stolen", "cell_loaded"]
    assert b.control("state")["cells"]["02"] == {"serial": "new", "open": False}
    with pytest.raises(ControlError, match="in the cabinet already"):
        b.control("load", cell="03", serial="new")


def test_a_plan_strikes_at_its_frame_and_pulse() -> None:
    plan = parse_plan([{"at": "2nd pulse", "fault": "stuck_lock"}], FAULTS, OCCASIONS)
    b = Bench(plan)
    b.send(OPEN_1)
    b.send("8A 01 02 11 98")
    assert b.acts == [("cell_opened", "01")]


def test_what_lies_where_survives_the_process() -> None:
    b = Bench(customer={"policy": "leave_open"})
    b.send(OPEN_1, 5.0)
    other = Bench()
    other.line.restore(b.line.snapshot(), 100.0)
    assert other.control("state")["cells"] == b.control("state")["cells"]
    assert other.control("state")["pulses"] == 1


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"cells": 0}, "1 to 48"),
        ({"cells": 2, "serials": ["a"]}, "each of 2 cells"),
        ({"cells": 2, "serials": ["a", "a"]}, "distinct"),
        ({"customer": {"policy": "fly"}}, "not known"),
        ({"locked_feedback": "22"}, "00"),
        ({"nonsense": 1}, "not known"),
        ({"item_board": 1}, "cannot both be on board 1"),
    ],
)
def test_options_that_cannot_be_are_refused(options: dict[str, Any], why: str) -> None:
    with pytest.raises(ControlError, match=why):
        build({"cells-1": 1}, options, None)


@given(st.lists(st.binary(max_size=20), max_size=10))
def test_any_bytes_in_any_slices_are_survived(slices: list[bytes]) -> None:
    b = Bench()
    for data in slices:
        b.send(data.hex())
    b.run(1.0)
    assert b.send(QUERY_1, 0.1).endswith(("80 01 01 00 80", "80 01 01 11 91"))

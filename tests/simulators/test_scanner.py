"""The simulated scanner: what is shown goes out once, or as a bad scanner sends it; and the driver at its other end."""

from __future__ import annotations

from typing import Any

import pytest

from device_drivers.scanner.protocol import Decoder
from simulators.kinds import kind_of
from simulators.machine import ControlError, Effect, Machine, Plug, Send, Unplug
from simulators.plan import parse_plan
from simulators.scanner.faults import FAULTS, OCCASIONS


def scanner(**options: Any) -> Machine:
    return kind_of("scanner").build({"scanner-1": 0}, options, None).machine


def scan(machine: Machine, code: str, now: float = 0.0) -> None:
    machine.control({"do": "scan", "code": code}, now)


def sent(machine: Machine, now: float = 0.0) -> list[bytes]:
    return [action.data for action in machine.advance(now) if isinstance(action, Send)]


def test_what_is_shown_goes_out_at_once_and_stands_in_the_ledger() -> None:
    machine = scanner()
    scan(machine, "PICKUP-4417")
    actions = machine.advance(0.0)
    assert [action for action in actions if isinstance(action, Effect)] == [
        Effect(0.0, "scanner-1", "show", "scanned", {"code": "PICKUP-4417", "scan": 1})
    ]
    assert [action.data for action in actions if isinstance(action, Send)] == [b"PICKUP-4417\r"]
    machine.receive(b"anything", 1.0)
    assert machine.advance(1.0) == []


def test_prefix_and_end_are_those_that_it_is_set_to() -> None:
    machine = scanner(prefix_hex="5D 51 31", suffix_hex="0D 0A")
    scan(machine, "取件1")
    assert sent(machine) == [b"]Q1\xe5\x8f\x96\xe4\xbb\xb61\r\n"]


@pytest.mark.parametrize(
    ("fault", "args", "codes", "bad"),
    [
        ("repeat", {"times": 3}, [b"A-1"] * 3 + [b"B-2"], 0),
        ("garbage", {}, [b"B-2"], 1),
        ("half", {}, [], 1),
        ("glued", {}, [b"A-1", b"B-2"], 0),
        ("slow", {}, [b"A-1", b"B-2"], 0),
    ],
)
def test_each_fault_as_the_decoder_meets_it(fault: str, args: dict[str, Any], codes: list[bytes], bad: int) -> None:
    machine, decoder = scanner(), Decoder()
    machine.control({"do": "fault", "name": fault, "args": args}, 0.0)
    scan(machine, "A-1")
    pieces = sent(machine, 2.0)
    scan(machine, "B-2", 3.0)
    pieces += sent(machine, 9.0)
    found = [code for piece in pieces for code in decoder.feed(piece)]
    if fault == "half":  # no pause between them here: the two halves are one line
        assert found == [b"A-B-2"]
        return
    assert (found, decoder.bad_lines) == (codes, bad)


def test_a_flood_and_a_plug_that_is_pulled() -> None:
    machine = scanner()
    machine.control({"do": "fault", "name": "flood", "args": {"for_s": 1.0, "every_s": 0.1}}, 0.0)
    assert len(sent(machine, 2.0)) == 10
    machine.control({"do": "fault", "name": "unplug", "args": {"for_s": None}}, 3.0)
    machine.control({"do": "plug"}, 4.0)
    assert [type(action) for action in machine.advance(4.0)] == [Unplug, Plug]


def test_a_plan_strikes_at_the_scan_that_it_names() -> None:
    plan = parse_plan([{"at": "2nd scan", "fault": "half"}], FAULTS, OCCASIONS)
    machine = kind_of("scanner").build({"scanner-1": 0}, {}, plan).machine
    for code in ("A-1", "B-2"):
        scan(machine, code)
    assert sent(machine) == [b"A-1\r", b"B-"]


def test_it_goes_on_counting_after_its_own_end() -> None:
    machine, other = scanner(), scanner()
    scan(machine, "A-1")
    other.restore(machine.snapshot(), 0.0)
    scan(other, "B-2")
    assert other.control({"do": "state"}, 0.0) == {"device": "scanner-1", "scans": 2, "faults": []}


@pytest.mark.parametrize(
    ("request_", "why"),
    [
        ({"do": "dance"}, "'do' must be one of"),
        ({"do": "scan"}, "'code' must be a text"),
        ({"do": "scan", "code": ""}, "'code' must be a text"),
        ({"do": "scan", "code": "x", "often": 3}, "has no key 'often'"),
        ({"do": "state", "device": "scanner-2"}, "'device' must be scanner-1"),
        ({"do": "fault", "name": "jam"}, "not known"),
    ],
)
def test_a_request_that_cannot_be_done_says_what_to_send(request_: dict[str, Any], why: str) -> None:
    with pytest.raises(ControlError, match=why):
        scanner().control(request_, 0.0)


@pytest.mark.parametrize("options", [{"suffix_hex": "xx"}, {"colour": 1}])
def test_an_option_that_is_none_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ControlError):
        scanner(**options)

"""Pulse modules and digital inputs on a simulated line: people walk, inputs bounce, counters are cleared and wrap."""

from __future__ import annotations

from typing import Any

import pytest

from simulators.machine import ControlError
from simulators.modbus.frames import with_crc
from simulators.modbus.kind import KIND, build
from simulators.plan import parse_plan
from tests.simulators.line_bench import LineBench

WIDTH = 1 << 32


class Bench(LineBench):
    """A line with an M-7084 as unit 1, an ADAM as unit 2 and digital inputs as unit 3."""

    def __init__(self, plan: Any = None, **people: Any) -> None:
        units = {
            "people-1": {"kind": "pulse_counter", **people},
            "adam-1": {"kind": "pulse_counter", "model": "adam605x", "doors": {"a": [0, 1], "b": [11, 10]}},
            "site-1": {"kind": "digital_inputs", "channels": 10},
        }
        line = build({"people-1": 1, "adam-1": 2, "site-1": 3}, {"units": units}, plan).machine
        super().__init__(line)

    def send(self, text: str, for_s: float = 0.1) -> str:
        return super().send(text, for_s)

    def do(self, verb: str, device: str = "people-1", **keys: Any) -> dict[str, Any]:
        return self.control(verb, device=device, **keys)

    @property
    def shows(self) -> list[tuple[str, dict[str, Any]]]:
        return [(effect.act, effect.detail) for effect in self.effects]


def test_the_published_answer() -> None:
    b = Bench(raw=[0x005A0028, 0x00550053])
    assert b.send("01 04 00 00 00 04 F1 C9") == "01 04 08 00 28 00 5A 00 53 00 55 E4 2C"
    assert b.send("01 04 00 00 00 02 71 CB")[:20] == "01 04 04 00 28 00 5A"
    assert len(bytes.fromhex(b.send("01 04 00 00 00 10 F1 C6"))) == 5 + 32
    high = Bench(raw=[0x005A0028], word_order="high_first")
    assert high.send("01 04 00 00 00 02 71 CB")[:20] == "01 04 04 00 5A 00 28"


def test_what_the_modules_do_not_have() -> None:
    b = Bench()
    assert b.send(with_crc(bytes.fromhex("01 03 00 00 00 02")).hex())[3:8] == "83 01"
    assert b.send(with_crc(bytes.fromhex("01 04 00 0F 00 02")).hex())[3:8] == "84 02"
    assert b.send(with_crc(bytes.fromhex("01 05 01 08 FF 00")).hex())[3:8] == "85 01"  # no known coil clears it
    assert b.send(with_crc(bytes.fromhex("03 01 00 00 00 02")).hex())[3:8] == "81 01"
    assert b.send(with_crc(bytes.fromhex("03 02 00 09 00 02")).hex())[3:8] == "82 02"


def test_people_walk_and_the_ledger_knows_them() -> None:
    b = Bench()
    b.do("walk", way="in", people=3)
    b.do("walk", way="out")
    b.do("walk", "adam-1", way="out", door="b", people=2)
    assert b.do("state")["raw"][:3] == [3, 1, 0]
    assert b.do("state", "adam-1")["raw"][10] == 2
    assert b.send(with_crc(bytes.fromhex("02 03 00 14 00 02")).hex())[:20] == "02 03 04 00 02 00 00"
    assert b.shows == [
        ("people_in", {"door": "main", "people": 3, "counted": True, "raw": 3}),
        ("people_out", {"door": "main", "people": 1, "counted": True, "raw": 1}),
        ("people_out", {"door": "b", "people": 2, "counted": True, "raw": 2}),
    ]


def test_bounces_wraps_clearings_and_power() -> None:
    b = Bench()
    b.do("bounce", channel=0, pulses=7)
    b.do("set", channel=0, value=WIDTH - 2)
    b.do("walk", way="in", people=5)
    assert b.do("state")["raw"][0] == 3
    b.do("zero", channel=0)
    b.do("walk", way="in")
    assert b.do("state")["raw"][0] == 1
    b.do("power", on=False)
    b.do("walk", way="in", people=9)  # nobody counts them
    b.do("power", on=True)
    assert b.do("state")["raw"][0] == 0
    assert [act for act, _ in b.shows][:3] == ["input_bounced", "counter_set", "people_in"]
    assert ("people_in", {"door": "main", "people": 9, "counted": False, "raw": 0}) in b.shows
    kept = Bench(keeps=True, raw=[5], preset=2)
    kept.do("fault", name="power_loss", args={"off_s": 1})
    kept.run(2)
    assert kept.do("state")["raw"][0] == 5
    kept.do("zero")
    assert kept.do("state")["raw"][:2] == [2, 2]


def test_a_coil_of_the_adam_clears_one_counter() -> None:
    b = Bench()
    b.do("walk", "adam-1", way="in", door="b", people=4)
    b.do("walk", "adam-1", way="in", door="a", people=4)
    b.send(with_crc(bytes.fromhex("02 05 00 4D FF 00")).hex())  # 00078: clears channel 11
    assert b.do("state", "adam-1")["raw"][11] == 0
    assert b.do("state", "adam-1")["raw"][0] == 4


def test_a_torn_read_has_words_of_two_moments() -> None:
    b = Bench(raw=[0xFFFF])
    b.do("walk", way="in")
    b.do("fault", name="torn_read")
    assert b.send("01 04 00 00 00 02 71 CB")[:20] == "01 04 04 00 00 00 00"
    assert b.send("01 04 00 00 00 02 71 CB")[:20] == "01 04 04 00 00 00 01"


def test_a_plan_counts_walks_and_state_survives() -> None:
    plan = parse_plan([{"at": "2nd walk", "fault": "dead", "device": "people-1"}], KIND.faults, KIND.occasions)
    b = Bench(plan=plan)
    for _ in range(2):
        b.do("walk", way="in")
    assert b.send("01 04 00 00 00 02 71 CB") == ""
    b.do("input", "site-1", channel=3)
    again = Bench()
    again.line.restore(b.line.snapshot(), again.now)
    assert again.do("state")["raw"][0] == 2
    assert again.do("state", "site-1")["on"][3]


def test_an_input_bounces_and_goes_back() -> None:
    b = Bench()
    b.do("input", "site-1", channel=8, bounces=2, bounce_s=1, for_s=10)
    seen = []
    for _ in range(16):
        seen.append(b.send(with_crc(bytes.fromhex("03 02 00 00 00 0A")).hex())[9:14])
        b.run(0.9)
    assert seen == ["00 01", "00 00", "00 01", "00 00", *["00 01"] * 10, "00 00", "00 00"]
    assert [act for act, _ in b.shows] == ["input_on", "input_off"]


@pytest.mark.parametrize(
    ("device", "keys"),
    [
        ("people-1", {"do": "walk"}),
        ("people-1", {"do": "walk", "way": "up"}),
        ("people-1", {"do": "walk", "way": "in", "people": 0}),
        ("people-1", {"do": "walk", "way": "in", "door": "side"}),
        ("people-1", {"do": "set", "channel": 8, "value": 1}),
        ("people-1", {"do": "set", "channel": 0, "value": WIDTH}),
        ("people-1", {"do": "bounce", "channel": True, "pulses": 1}),
        ("people-1", {"do": "input", "channel": 0}),
        ("site-1", {"do": "input", "channel": 10}),
        ("site-1", {"do": "input", "channel": 0, "on": 1}),
        ("site-1", {"do": "input", "channel": 0, "bounces": 5000}),
    ],
)
def test_a_request_that_cannot_be_done_is_refused(device: str, keys: dict[str, Any]) -> None:
    with pytest.raises(ControlError):
        Bench().line.control({"device": device, **keys}, 100.0)


@pytest.mark.parametrize(
    "unit",
    [
        {"kind": "pulse_counter", "model": "x"},
        {"kind": "pulse_counter", "word_order": "x"},
        {"kind": "pulse_counter", "doors": {}},
        {"kind": "pulse_counter", "doors": {"main": [0, 8]}},
        {"kind": "pulse_counter", "raw": [WIDTH]},
        {"kind": "digital_inputs", "channels": 0},
        {"kind": "digital_inputs", "table": "holding"},
    ],
)
def test_options_that_cannot_be_meant(unit: dict[str, Any]) -> None:
    with pytest.raises(ControlError):
        build({"x": 1}, {"units": {"x": unit}}, None)

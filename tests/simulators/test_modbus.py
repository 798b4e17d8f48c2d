"""A line of several Modbus units: who answers when, what silence means, and everything that may go wrong on it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.machine import ControlError, Unplug
from simulators.modbus.frames import Rtu, with_crc
from simulators.modbus.kind import KIND, build
from simulators.modbus.kinds import UNITS, unit_class
from simulators.plan import parse_plan
from tests.simulators.line_bench import LineBench

MIXED = {"lock-1": {"kind": "relay"}, "memory-1": {"kind": "registers", "size": 16}}
FLASH = "01 05 02 00 00 07 8D B0"
READ_2 = "02 03 00 00 00 02 C4 38"


class Bench(LineBench):
    """A line with a relay board as unit 1 and memory as unit 2, its clock, and what left it."""

    def __init__(self, **options: Any) -> None:
        plan = options.pop("plan", None)
        super().__init__(build({"lock-1": 1, "memory-1": 2}, {"units": MIXED, **options}, plan).machine)

    @property
    def pulses(self) -> list[str]:
        return [effect.device for effect in self.effects if effect.act == "stamped"]


def test_each_unit_answers_its_own_address_and_nobody_another() -> None:
    b = Bench()
    assert b.send(FLASH) == FLASH
    assert b.send(READ_2) == "02 03 04 00 00 00 00 C9 33"
    assert b.send(with_crc(bytes.fromhex("03 03 00 00 00 02")).hex()) == ""
    assert b.pulses == ["lock-1"]


def test_an_answer_that_waits_is_gone_with_the_power() -> None:
    """A board that is back in time must not confirm what it was told before."""
    b = Bench()
    b.fault("late_answer", "lock-1", delay_s=2.0)
    assert b.send(FLASH) == ""
    b.fault("power_loss", "lock-1", off_s=0.5)
    b.run(5.0)
    assert b.sent == []
    assert b.send(FLASH) == FLASH


def test_every_function_of_a_unit_of_memory() -> None:
    b = Bench()

    def ask(text: str) -> str:
        answer = b.send(with_crc(bytes.fromhex("02" + text)).hex())
        assert with_crc(bytes.fromhex(answer)[:-2]).hex(" ").upper() == answer
        return answer[3:-6]

    b.line.control({"do": "set", "device": "memory-1", "table": "inputs", "at": 8, "values": [1, 0, 1]}, b.now)
    b.line.control({"do": "set", "device": "memory-1", "table": "input", "at": 1, "values": [513]}, b.now)
    assert ask("02 0000 0010") == "02 02 00 05"
    assert ask("04 0001 0001") == "04 02 02 01"
    assert ask("05 0003 FF00") == "05 00 03 FF 00"
    assert ask("0F 0004 0002 01 03") == "0F 00 04 00 02"
    assert ask("01 0000 0008") == "01 01 38"
    assert ask("06 0002 1234") == "06 00 02 12 34"
    assert ask("10 0003 0002 04 ABCD 0001") == "10 00 03 00 02"
    assert ask("03 0002 0003") == "03 06 12 34 AB CD 00 01"
    assert ask("03 000F 0002") == "83 02"
    assert ask("05 0003 1234") == "85 03"
    assert ask("03 0000 0000") == "83 03"
    assert ask("10 0003 0002 02 ABCD") == "90 03"
    assert ask("07") == "87 01"
    assert b.effects == []


def test_without_a_silence_between_them_two_frames_are_noise() -> None:
    b = Bench()
    assert b.send(FLASH + READ_2) == ""
    assert b.pulses == []
    assert b.line.control({"do": "state", "device": "lock-1"}, b.now)["noise_bytes"] == 16
    b.line.receive(bytes.fromhex(FLASH), b.now)
    b.now += 0.0039
    b.line.receive(bytes.fromhex(READ_2), b.now)
    b.run(0.1)
    assert b.pulses == []
    b.line.receive(bytes.fromhex(FLASH), b.now)
    b.now += 0.0041
    b.line.receive(bytes.fromhex(READ_2), b.now)
    b.run(0.1)
    assert b.pulses == ["lock-1"]


@pytest.mark.parametrize(("baud", "inside_s", "between_s"), [(1200, 0.0137, 0.0320), (115200, 0.00074, 0.00174)])
def test_the_pauses_of_the_standard(baud: int, inside_s: float, between_s: float) -> None:
    half, rest = bytes.fromhex(FLASH[:11]), bytes.fromhex(FLASH[11:])
    for pause_s, whole in ((inside_s, 1), (inside_s + 0.0001, 0)):
        framing = Rtu(baud, strict=True)
        framing.feed(half, 0.0)
        framing.feed(rest, pause_s)
        assert framing.close(pause_s + between_s) == []
        assert len(framing.close(pause_s + between_s + 0.0001)) == whole
    lenient = Rtu(baud)
    lenient.feed(half, 0.0)
    lenient.feed(rest, between_s)
    assert len(lenient.close(1.0)) == 1


def test_a_broadcast_is_done_by_all_who_can_and_answered_by_nobody() -> None:
    b = Bench()
    assert b.send(with_crc(bytes.fromhex("00 05 00 03 FF 00")).hex()) == ""
    assert b.pulses == ["lock-1"]
    assert b.send(with_crc(bytes.fromhex("02 01 00 00 00 08")).hex()) != ""
    assert b.line.snapshot()["memory-1"]["coils"][3] == 1


@pytest.mark.parametrize(
    ("name", "args", "pulses", "answer"),
    [
        ("dead", {}, 0, ""),
        ("silence", {}, 1, ""),
        ("silence", {"executes": False}, 0, ""),
        ("wrong_crc", {}, 1, "01 05 02 00 00 07 8D 4F"),
        ("wrong_echo", {}, 1, with_crc(bytes.fromhex("01 05 02 00 00 06")).hex(" ").upper()),
        ("wrong_unit", {}, 1, with_crc(bytes.fromhex("02 05 02 00 00 07")).hex(" ").upper()),
        ("exception", {}, 0, with_crc(bytes.fromhex("01 85 04")).hex(" ").upper()),
        ("exception", {"code": 6}, 0, with_crc(bytes.fromhex("01 85 06")).hex(" ").upper()),
        ("late_answer", {"delay_s": 0.5}, 1, ""),
        ("slow", {}, 1, ""),
        ("half_answer", {}, 1, "01 05 02 00"),
        ("collision", {}, 1, "01 05 00 00 00 05 05 10 00"),
        ("power_loss", {}, 0, ""),
    ],
)
def test_faults_of_one_unit_leave_the_other_alone(name: str, args: dict[str, Any], pulses: int, answer: str) -> None:
    b = Bench()
    b.fault(name, "lock-1", **args)
    assert b.send(FLASH) == answer
    assert len(b.pulses) == pulses
    assert b.send(READ_2) == "02 03 04 00 00 00 00 C9 33"
    b.line.control({"do": "clear", "device": "lock-1"}, b.now)
    b.run(3.0)
    assert b.send(FLASH) == FLASH


def test_faults_of_the_line_are_everybodys() -> None:
    b = Bench()
    b.fault("stuck_bus")
    assert (b.send(FLASH), b.send(READ_2)) == ("", "")
    assert b.pulses == []
    b.line.control({"do": "clear"}, b.now)
    b.fault("echo", for_s=1.0)
    assert b.send(FLASH) == f"{FLASH} {FLASH}"
    b.run(1.0)
    b.fault("garbage", hex="55 AA")
    assert b.send(READ_2) == "55 AA 02 03 04 00 00 00 00 C9 33"
    b.fault("babble", for_s=0.5)
    assert len(bytes.fromhex(b.send(READ_2, 0.2))) > 50
    b.run(1.0)
    assert b.send(FLASH) == FLASH
    b.fault("unplug", for_s=2.0)
    b.run(0.1)
    assert b.actions == [Unplug(2.0)]


def test_an_answer_that_is_late_comes_all_the_same_and_a_stuck_bus_swallows_it() -> None:
    b = Bench()
    b.fault("late_answer", "lock-1", delay_s=0.5)
    assert b.send(FLASH, 0.3) == ""
    assert b.send(READ_2, 0.1) != ""
    b.run(0.5)
    assert b.sent[-1][1] == bytes.fromhex(FLASH)


def test_a_plan_strikes_the_unit_that_it_names_and_the_line_once() -> None:
    raw = [
        {"at": "2nd frame", "fault": "silence", "device": "memory-1"},
        {"at": "1st pulse", "fault": "power_loss"},
        {"at": 5.0, "fault": "unplug"},
    ]
    b = Bench(plan=parse_plan(raw, KIND.faults, KIND.occasions))
    assert b.send(READ_2) != ""
    assert b.send(READ_2) == ""
    assert b.send(FLASH) == ""
    assert [effect.act for effect in b.effects] == ["stamped", "power_lost"]
    b.run(6.0)
    assert b.actions == [Unplug(1.0)]


def test_what_cannot_be_built_or_asked_says_what_to_send_instead() -> None:
    for devices, options, told in (
        ({"a": 1}, {}, "'kind': 'relay'"),
        ({"a": 1}, {"units": {"b": {"kind": "relay"}}}, "what it is"),
        ({"a": 1}, {"units": {"a": {"kind": "fridge"}}}, "registers, relay"),
        ({"a": 1}, {"units": {"a": {"kind": "relay", "size": 3}}}, "no option 'size'"),
        ({"a": 1}, {"units": {"a": {"kind": "registers", "size": "big"}}}, "something like 64"),
        ({"a": 0}, {"units": {"a": {"kind": "relay"}}}, "1 to 247"),
        ({"a": 1, "b": 1}, {"units": {"a": {"kind": "relay"}, "b": {"kind": "relay"}}}, "no other"),
        ({"a": 1}, {"units": {"a": {"kind": "relay"}}, "framing": "ascii"}, "rtu or tcp"),
        ({"a": 1}, {"units": {"a": {"kind": "relay"}}, "speed": 3}, "'speed' is not known"),
    ):
        with pytest.raises(ControlError, match=told):
            build(devices, options, None)
    b = Bench()
    for request, told in (
        ({"do": "state"}, "must be one of lock-1, memory-1"),
        ({"do": "stamp", "device": "lock-1"}, "'do' must be one of"),
        ({"do": "set", "device": "lock-1"}, "'do' must be one of"),
        ({"do": "state", "device": "lock-1", "x": 1}, "no key 'x'"),
        ({"do": "fault", "device": "lock-1", "name": "jam"}, "not known"),
        ({"do": "set", "device": "memory-1", "table": "input", "at": 15, "values": [1, 2]}, "has 16"),
        ({"do": "set", "device": "memory-1", "table": "input", "at": 0, "values": [-1]}, "0 to 65535"),
    ):
        with pytest.raises(ControlError, match=told):
            b.line.control(request, b.now)
    assert all(unit_class(name) for name in UNITS)


def test_power_and_memory_survive_as_those_of_a_real_unit() -> None:
    b = Bench()
    b.send(FLASH)
    b.line.control({"do": "power", "device": "lock-1", "on": False}, b.now)
    assert b.send(FLASH) == ""
    assert b.line.control({"do": "power", "device": "lock-1", "on": True}, b.now)["on"] == [False] * 8
    saved, later = b.line.snapshot(), Bench()
    later.line.restore(saved, later.now)
    assert later.line.control({"do": "state", "device": "lock-1"}, later.now)["pulses"] == 1


def test_modbus_tcp_answers_the_transaction_whatever_the_slices() -> None:
    b = Bench(framing="tcp")
    frame = "00 07 00 00 00 06 02 03 00 00 00 02"
    answer = "00 07 00 00 00 07 02 03 04 00 00 00 00"
    assert b.send(frame) == answer
    assert b.send(frame + frame) == f"{answer} {answer}"
    for byte in frame.split()[:-1]:
        assert b.send(byte, 0.01) == ""
    assert b.send(frame.rsplit(maxsplit=1)[-1]) == answer
    assert b.send("00 07 00 01 00 06 02 03 00 00 00 02") == ""
    assert b.send(frame) == answer


@given(st.lists(st.tuples(st.binary(max_size=300), st.floats(0, 0.02)), max_size=30), st.sampled_from(["rtu", "tcp"]))
def test_any_bytes_leave_a_line_that_answers(slices: list[tuple[bytes, float]], framing: str) -> None:
    b = Bench(framing=framing)
    for piece, pause_s in slices:
        b.line.receive(piece, b.now)
        b.run(pause_s)
    b.run(60 * 60 * 3)
    if framing == "tcp":
        b.line.receive(b"\xff" * 300, b.now)  # whatever had begun is no frame any more
        b.run(0.1)
        b.line._framing._buffer.clear()
    wanted = {"rtu": READ_2, "tcp": "00 07 00 00 00 06 02 03 00 00 00 02"}[framing]
    assert "02 03 04" in b.send(wanted)

"""The relay board as the real one is: every write is a pulse, group frames move everything, silence ends frames."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.faults import parse_fault
from simulators.machine import ControlError
from simulators.modbus.frames import Rtu, with_crc
from simulators.modbus.line import ModbusLine
from simulators.modbus.relay import Relay
from simulators.plan import parse_plan
from simulators.relay.kind import KIND, build
from tests.simulators.line_bench import LineBench

FLASH = "01 05 02 00 00 07 8D B0"


class Bench(LineBench):
    """A board, its clock, and what left it."""

    def __init__(self, **more: Any) -> None:
        line = ModbusLine(Rtu(), **more)
        board = line.add(Relay, "relay-1", 1, {})
        assert isinstance(board, Relay)
        self.board = board
        super().__init__(line)

    @property
    def acts(self) -> list[dict[str, Any]]:
        return [effect.detail for effect in self.effects if effect.act == "stamped"]


def test_the_vectors_of_the_board() -> None:
    b = Bench()
    assert b.send("01 01 00 00 00 08 3D CC") == "01 01 01 00 51 88"
    assert b.send("01 05 00 00 FF 00 8C 3A") == "01 05 00 00 FF 00 8C 3A"
    assert b.send("01 01 00 00 00 08 3D CC") == "01 01 01 01 90 48"
    assert b.send("01 05 00 00 00 00 CD CA") == "01 05 00 00 00 00 CD CA"
    assert b.board.on == [False] * 8


def test_a_pulse_ends_by_itself_and_a_repeated_write_is_a_second_pulse() -> None:
    b = Bench()
    assert b.send(FLASH) == FLASH
    assert b.board.on[0]
    assert b.send(FLASH, 0.3) == FLASH
    assert b.acts == [{"channel": 0, "ms": 700}, {"channel": 0, "ms": 700}]
    b.run(0.35)
    assert b.board.on[0]  # the first pulse's end does not end the second
    b.run(0.1)
    assert not b.board.on[0]


def test_group_frames_move_everything_and_a_broadcast_is_not_answered() -> None:
    b = Bench()
    assert b.send("01 05 00 FF FF 00 BC 0A") == "01 05 00 FF FF 00 BC 0A"
    assert len(b.acts) == 8
    assert b.send(with_crc(bytes.fromhex("00 05 02 03 00 05")).hex()) == ""
    assert b.acts[-1] == {"channel": 3, "ms": 500}


def test_what_it_does_not_know_and_what_is_for_others() -> None:
    b = Bench()
    assert b.send(with_crc(bytes.fromhex("01 05 02 08 00 05")).hex()) == with_crc(b"\x01\x85\x02").hex(" ").upper()
    assert b.send(with_crc(bytes.fromhex("01 03 40 00 00 01")).hex()) == with_crc(b"\x01\x83\x01").hex(" ").upper()
    assert b.send(with_crc(bytes.fromhex("02 05 02 00 00 07")).hex()) == ""
    assert b.send("01 05 02 00 00 07 8D B1") == ""
    assert b.acts == []


def test_a_pause_inside_a_frame_ends_it() -> None:
    b = Bench()
    assert b.send(FLASH[:11], 0.001) == ""
    assert b.send(FLASH[11:], 0.05) == FLASH
    assert b.send(FLASH[:11], 0.1) == ""
    assert b.send(FLASH[11:], 0.1) == ""
    assert len(b.acts) == 1


@pytest.mark.parametrize(
    ("name", "args", "pulses", "answered"),
    [
        ("silence", {}, 1, False),
        ("silence", {"executes": False}, 0, False),
        ("wrong_crc", {}, 1, True),
        ("wrong_echo", {}, 1, True),
        ("exception", {}, 0, True),
        ("late_answer", {}, 1, False),
        ("power_loss", {}, 0, False),
    ],
)
def test_faults(name: str, args: dict[str, Any], pulses: int, answered: bool) -> None:
    b = Bench()
    b.fault(name, **args)
    told = b.send(FLASH)
    assert len(b.acts) == pulses
    assert told != FLASH
    assert bool(told) == answered
    b.run(5)
    assert b.send(FLASH) == FLASH


def test_a_plan_counts_pulses_and_frames() -> None:
    plan = parse_plan([{"at": "2nd pulse", "fault": "silence"}], KIND.faults, KIND.occasions)
    b = Bench(plan=plan)
    b.send(FLASH, 1.0)
    b.send(FLASH, 1.0)
    assert b.send(FLASH) == ""
    assert len(b.acts) == 3


def test_a_request_that_cannot_be_done_says_what_to_send() -> None:
    b = Bench()
    for wrong in ({"do": "stamp"}, {"do": "state", "x": 1}, {"do": "state", "device": "other"}):
        with pytest.raises(ControlError):
            b.line.control(wrong, 100.0)
    with pytest.raises(ControlError, match="1 to 247"):
        build({"relay-1": 248}, {}, None)
    with pytest.raises(ControlError, match="line_delay_s"):
        build({"relay-1": 1}, {"speed": 1}, None)
    assert parse_fault("silence", None, KIND.faults).args["executes"] is True


@given(st.lists(st.binary(max_size=20), max_size=20))
def test_any_bytes_leave_a_board_that_answers(slices: list[bytes]) -> None:
    b = Bench()
    for piece in slices:
        b.line.receive(piece, b.now)
        b.run(0.001)
    b.run(60 * 60 * 3)
    assert b.send("01 01 00 00 00 08 3D CC").startswith("01 01 01")

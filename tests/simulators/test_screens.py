"""Simulated screens: whose frame it is, what is lit and kept, and how they fail."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.bx6.protocol import Packet, wrapped
from simulators.kinds import kind_of
from simulators.machine import ControlError, Effect, Machine, Paper, Plug, Send, Unplug
from simulators.plan import parse_plan
from simulators.screens.faults import FAULTS, OCCASIONS
from simulators.sheets import keep

CALL = bytes.fromhex("AA 01 BB 51 54 8A 01 00 00 02 63 C7 EB 41 30 30 31 BA C5 B5 BD 33 BA C5 B4 B0 BF DA FF")
WELCOME_3 = bytes.fromhex("AA 03 BB 51 54 22 01 00 99 00 63 BB B6 D3 AD B9 E2 C1 D9 FF")
EVERYBODY = CALL[:1] + b"\xff" + CALL[2:]
A5 = bytes([0xA5] * 8)
PING = A5 + bytes.fromhex("01 00 00 80 00 00 00 00 00 00 FE 02 05 00 A2 00 01 00 00 68 F8 5A")
CLEAR = A5 + bytes.fromhex("01 00 00 80 00 00 00 00 00 00 FE 02 05 00 A3 10 01 00 00 51 F8 5A")
HALL = A5 + bytes.fromhex(
    "01 00 01 80 00 00 00 00 00 00 61 02 38 00 A3 06 01 00 00 00 01 2F 00 00 00 00 00 00 40 00 20 00 04 00 03 00 00 00"
    "00 00 01 01 01 00 00 05 14 00 00 00 5C 43 31 C7 EB 41 30 30 31 BA C5 B5 BD 33 BA C5 B4 B0 BF DA A7 EB 5A"
)
PUBLISHED = A5 + bytes.fromhex(  # its CRC does not verify
    "01 00 00 80 00 00 00 00 00 00 FE 02 32 00 A3 06 01 2D 00 00 01 29 00 00 00 00 00 00 80 00 20 00 00 00 00 02 00 00"
    "00 00 02 02 03 00 04 05 0E 00 00 00 30 31 32 33 34 35 51 52 53 54 54 56 27 42 A8 7D 5A"
)


def machine(kind: str, devices: dict[str, int], **options: Any) -> Machine:
    return kind_of(kind).build(devices, options, None).machine


def shows(line: Machine, device: str | None = None) -> list[str]:
    request = {"do": "state"} | ({"device": device} if device else {})
    return [row for row in line.control(request, 0.0)["shows"] if row]


def sent(line: Machine, now: float) -> bytes:
    return b"".join(action.data for action in line.advance(now) if isinstance(action, Send))


def test_the_vectors_light_the_screens_that_they_are_for() -> None:
    line = machine("strip_screen", {"window-1": 1, "window-3": 3}, boot="READY")
    line.receive(CALL + WELCOME_3, 0.0)
    assert (shows(line, "window-1"), shows(line, "window-3")) == (["请A001号到3号窗口"], ["欢迎光临"])
    effects = [action for action in line.advance(0.0) if isinstance(action, Effect)]
    assert [(effect.device, effect.kind, effect.act, effect.detail["check"]) for effect in effects] == [
        ("window-1", "show", "shown", "sum_excludes_tail"),
        ("window-3", "show", "shown", "sum_includes_tail"),
    ]
    hall = machine("bx6", {"hall": 1})
    hall.receive(HALL, 0.0)
    assert shows(hall) == ["请A001号到3号窗口"]
    hall.receive(CLEAR, 0.0)
    assert shows(hall) == []


def test_a_frame_for_everybody_is_obeyed_as_by_real_screens() -> None:
    line = machine("strip_screen", {"window-1": 1, "window-3": 3})
    line.receive(EVERYBODY, 0.0)
    assert shows(line, "window-1") == shows(line, "window-3") == ["请A001号到3号窗口"]


def test_the_published_frame_with_a_wrong_crc_shows_nothing_and_is_not_answered() -> None:
    hall = machine("bx6", {"hall": 1})
    hall.receive(PUBLISHED, 0.0)
    assert shows(hall) == []
    assert sent(hall, 10.0) == b""


def test_a_controller_answers_after_its_time_and_nobody_answers_to_another_address() -> None:
    hall = machine("bx6", {"hall": 1}, answer_s=0.5)
    hall.receive(PING, 0.0)
    assert sent(hall, 0.4) == b""
    answer = sent(hall, 0.5)
    assert answer[:8] == A5
    assert answer[8:12] == bytes.fromhex("00 80 01 00")
    other = machine("bx6", {"hall": 2})
    other.receive(PING, 0.0)
    assert sent(other, 10.0) == b""


def test_a_text_that_it_shows_already_is_no_news() -> None:
    line = machine("strip_screen", {"window-1": 1})
    line.receive(CALL, 0.0)
    assert len(line.advance(0.0)) == 2  # the picture and the ledger's line
    line.receive(CALL, 1.0)
    assert line.advance(1.0) == []
    assert line.control({"do": "state"}, 1.0)["shown"] == 2


def test_a_loss_of_power_makes_it_dark_and_its_boot_text_comes_back(tmp_path: Path) -> None:
    line = machine("strip_screen", {"window-1": 1}, boot="READY", columns=20)
    line.receive(CALL, 0.0)
    line.advance(0.0)
    line.control({"do": "fault", "name": "power_loss", "args": {"off_s": 2}}, 1.0)
    line.receive(CALL, 1.5)
    dark = line.advance(1.5)
    assert [action.act for action in dark if isinstance(action, Effect)] == ["power_lost"]
    assert shows(line) == []
    assert line.next_time() == 3.0
    keep([action for action in line.advance(3.0) if isinstance(action, Paper)], tmp_path)
    assert shows(line) == ["READY"]
    assert (tmp_path / "screens" / "window-1.txt").read_text("utf-8") == "READY\n"
    assert (tmp_path / "screens" / "window-1.png").read_bytes()[:4] == b"\x89PNG"


def test_what_is_lit_outlives_the_simulator_and_a_dark_screen_stays_dark() -> None:
    before = machine("strip_screen", {"window-1": 1, "window-3": 3})
    before.receive(CALL, 0.0)
    before.control({"do": "power", "device": "window-3", "on": False}, 0.0)
    after = machine("strip_screen", {"window-1": 1, "window-3": 3}, boot="READY")
    after.restore(before.snapshot(), 5.0)
    assert (shows(after, "window-1"), shows(after, "window-3")) == (["请A001号到3号窗口"], [])
    after.control({"do": "power", "device": "window-3", "on": True}, 6.0)
    assert shows(after, "window-3") == ["READY"]


def test_silence_with_and_without_effect() -> None:
    hall = machine("bx6", {"hall": 1})
    hall.control({"do": "fault", "name": "silence", "args": {"executes": False}}, 0.0)
    hall.receive(HALL, 0.0)
    assert (shows(hall), sent(hall, 1.0)) == ([], b"")
    hall.control({"do": "fault", "name": "silence"}, 1.0)
    hall.receive(HALL, 1.0)
    assert (shows(hall), sent(hall, 2.0)) == (["请A001号到3号窗口"], b"")
    hall.receive(PING, 2.0)
    assert sent(hall, 3.0)


def test_a_refusal_shows_nothing_an_echo_brings_back_the_frame_and_the_line_can_be_pulled_out() -> None:
    hall = machine("bx6", {"hall": 1})
    hall.control({"do": "fault", "name": "nak"}, 0.0)
    hall.receive(HALL, 0.0)
    assert shows(hall) == []
    assert bytes.fromhex("A0 01") in sent(hall, 1.0)
    hall.control({"do": "fault", "name": "echo", "args": {"for_s": 5}}, 1.0)
    hall.receive(PING, 1.0)
    assert sent(hall, 1.0) == PING
    hall.control({"do": "fault", "name": "unplug", "args": {"for_s": 1}}, 2.0)
    assert [action for action in hall.advance(2.0) if isinstance(action, Unplug)]
    hall.control({"do": "plug"}, 2.0)
    assert [action for action in hall.advance(2.0) if isinstance(action, Plug)]


def test_a_fault_plan_strikes_at_a_frame() -> None:
    plan = parse_plan([{"at": "2nd frame", "fault": "power_loss", "args": {"off_s": None}}], FAULTS, OCCASIONS)
    line = kind_of("strip_screen").build({"window-1": 1}, {}, plan).machine
    line.receive(CALL, 0.0)
    assert shows(line) == ["请A001号到3号窗口"]
    line.receive(CALL, 1.0)
    assert shows(line) == []


@pytest.mark.parametrize(
    ("kind", "devices", "options"),
    [
        ("strip_screen", {"a": 255}, {}),
        ("strip_screen", {"a": 1, "b": 1}, {}),
        ("strip_screen", {"a": 1}, {"check": "crc"}),
        ("strip_screen", {"a": 1}, {"columns": 0}),
        ("strip_screen", {"a": 1}, {"units": {"b": {}}}),
        ("bx6", {"a": 0xFFFE}, {}),
        ("bx6", {"a": 1}, {"boot": 5}),
        ("bx6", {"a": 1}, {"paper": 5}),
    ],
)
def test_a_line_that_cannot_be_is_refused(kind: str, devices: dict[str, int], options: dict[str, Any]) -> None:
    with pytest.raises(ControlError):
        machine(kind, devices, **options)


@pytest.mark.parametrize(
    "request_", [{"do": "draw"}, {"do": "state", "device": "b"}, {"do": "power", "on": 1}, {"do": "state", "on": True}]
)
def test_a_request_that_means_nothing_is_refused(request_: dict[str, Any]) -> None:
    with pytest.raises(ControlError):
        machine("strip_screen", {"a": 1}).control(request_, 0.0)


@given(
    st.sampled_from(["strip_screen", "bx6"]),
    st.lists(st.one_of(st.binary(max_size=40), st.sampled_from([CALL, HALL, HALL[:60]])), max_size=8),
)
def test_any_bytes_are_survived(kind: str, pieces: list[bytes]) -> None:
    line = machine(kind, {"a": 1})
    for now, piece in enumerate(pieces):
        line.receive(piece, float(now))
        line.advance(float(now))
    line.receive(CALL if kind == "strip_screen" else HALL, 100.0)
    line.advance(200.0)


@given(st.binary(max_size=80))
def test_any_area_is_survived(data: bytes) -> None:
    hall = machine("bx6", {"a": 1})
    hall.receive(wrapped(Packet(1, 0x8000, b"\xa3\x06\x01" + data)), 0.0)
    hall.advance(1.0)

"""Every literal vector of the CRT-591 protocol reference, host frames and replies, against the simulated unit."""

from __future__ import annotations

import pytest

from tests.simulators.bench import ACK, CAPTURE, DRAW, PRESENT, RESET_KEEP, STATUS, Bench, frame, reply

VERSION = "43 52 54 2D 35 39 31 2D 4D 30 30 31"
READY = "F2 00 00 06 50 31 30 30 32 30 03 94"
CARD_INSIDE = "F2 00 00 06 50 31 30 32 32 30 03 96"
NOT_RESET = "F2 00 00 05 4E 31 30 42 30 03 C9"

EVERY_HOST_FRAME = [
    "F2 00 00 03 43 30 33 03 B2",
    "F2 00 00 03 43 30 30 03 B1",
    "F2 00 00 03 43 30 31 03 B0",
    "F2 00 00 03 43 30 34 03 B5",
    "F2 00 00 03 43 30 35 03 B4",
    "F2 00 00 03 43 30 37 03 B6",
    "F2 00 00 03 43 31 30 03 B0",
    "F2 00 00 03 43 31 31 03 B1",
    "F2 00 00 03 43 32 30 03 B3",
    "F2 00 00 03 43 32 31 03 B2",
    "F2 00 00 03 43 32 32 03 B1",
    "F2 00 00 03 43 32 33 03 B0",
    "F2 00 00 03 43 32 39 03 BA",
    "F2 00 00 03 43 33 30 03 B2",
    "F2 00 00 03 43 33 31 03 B3",
    "F2 00 00 03 43 A2 30 03 23",
    "F2 00 00 03 43 A3 30 03 22",
    "F2 00 00 03 43 A4 30 03 25",
    "F2 00 00 03 43 A5 30 03 24",
    "F2 00 00 06 43 A5 31 30 30 30 03 10",
]


@pytest.mark.parametrize("vector", EVERY_HOST_FRAME)
def test_vectors_1_to_10_are_acknowledged_and_answered_with_the_same_command(vector: str) -> None:
    said = Bench().ready().ask(vector)
    command = vector.split()[5:7]
    assert said.startswith(f"{ACK} F2 00 00")
    assert said.split()[5:8] == ["50", *command]


def test_vector_11_a_unit_without_a_radio_says_so() -> None:
    said = Bench().ready().ask("F2 00 00 08 43 60 33 00 B0 01 00 02 03 5A")
    assert said == f"{ACK} F2 00 00 05 4E 60 33 30 33 03 EA"


def test_vector_12_no_card_stacker_enough_bin_not_full() -> None:
    assert Bench().ready().ask(STATUS) == f"{ACK} {READY}"


def test_vector_13_card_at_the_reading_position() -> None:
    bench = Bench().ready()
    bench.ask(DRAW)
    assert bench.ask(STATUS) == f"{ACK} {CARD_INSIDE}"


def test_vector_14_reset_answers_with_the_version() -> None:
    said = Bench().ask("F2 00 00 03 43 30 33 03 B2")
    assert said == f"{ACK} F2 00 00 12 50 30 33 30 32 30 {VERSION} 03 86"


def test_vector_15_jam_on_eject() -> None:
    bench = Bench().ready()
    bench.ask(DRAW)
    bench.control(do="fault", name="jam")
    assert bench.ask(PRESENT) == f"{ACK} F2 00 00 05 4E 32 39 31 30 03 B0"


def test_vector_16_stacker_empty() -> None:
    assert Bench(cards=0).ready().ask(DRAW) == f"{ACK} F2 00 00 05 4E 32 31 41 30 03 C8"


def test_vector_17_everything_but_a_reset_is_refused_after_power_on() -> None:
    assert Bench().ask(STATUS) == f"{ACK} {NOT_RESET}"
    assert Bench().ask(frame("A5 30")).endswith(reply("4E A5 30 42 30"))


@pytest.mark.parametrize("vector", ["F2 00 00 03 43 30 33 03 B0", "F2 00 00 03 43 33 30 03 B3"])
def test_n1_and_n2_are_refused_with_nak_and_change_nothing(vector: str) -> None:
    bench = Bench()
    assert bench.ask(vector) == "15"
    assert bench.ask(STATUS) == f"{ACK} {NOT_RESET}"
    assert bench.effects == []


@pytest.mark.parametrize(
    ("cards", "expected"), [(0, "F2 00 00 06 50 31 30 30 30 30 03 96"), (5, "F2 00 00 06 50 31 30 30 31 30 03 97")]
)
def test_the_stacker_says_empty_and_few(cards: int, expected: str) -> None:
    assert Bench(cards=cards).ready().ask(STATUS) == f"{ACK} {expected}"


def test_the_bin_says_full_and_takes_no_more() -> None:
    bench = Bench(bin_capacity=1).ready()
    bench.ask(DRAW)
    bench.ask(CAPTURE)
    assert bench.ask(STATUS) == f"{ACK} F2 00 00 06 50 31 30 30 32 31 03 95"
    bench.ask(DRAW)
    assert bench.ask(CAPTURE) == f"{ACK} {reply('4E 32 33 41 31')}"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("77 30", "30 30"),  # undefined command
        ("32 35", "30 31"),  # parameter error
        ("60 30", "30 33"),  # not supported by hardware
        ("A6 30", "30 33"),
        ("50 31", "30 33"),
        ("31 30 30", "30 34"),  # data where none belongs
        ("A5 31 30 30 41", "30 34"),  # counter that is not three digits
        ("50 30", "30 32"),  # card type without a card at the reading position
    ],
)
def test_commands_that_cannot_be_done_say_why(body: str, code: str) -> None:
    bench = Bench().ready()
    cm_pm = " ".join(body.split()[:2])
    assert bench.ask(frame(body)) == f"{ACK} {reply(f'4E {cm_pm} {code}')}"
    assert bench.effects == []


def test_identity_comes_as_text_the_serial_number_behind_its_length() -> None:
    bench = Bench(serial_number="SN-42").ready()
    assert bench.ask(frame("A2 30")) == f"{ACK} {reply('50 A2 30 30 32 30 05 53 4E 2D 34 32')}"
    assert b"CRT-591-M001" in bytes.fromhex(bench.ask(frame("A4 30")))
    assert b"CRT-591-M001-SIM" in bytes.fromhex(bench.ask(frame("A3 30")))


@pytest.mark.parametrize("count", [7, 8, 10, 12])
def test_sensors_come_in_as_many_bytes_as_the_model_has(count: int) -> None:
    said = bytes.fromhex(Bench(sensors=count).ready().ask(frame("31 31")))
    assert len(said) == 1 + 4 + 6 + count + 2
    assert set(said[11:-2]) <= {0x30, 0x31}


def test_setting_the_counter_is_answered_without_data() -> None:
    bench = Bench().ready()
    assert bench.ask("F2 00 00 06 43 A5 31 30 30 30 03 10") == f"{ACK} {reply('50 A5 31 30 32 30')}"


def test_reset_after_reset_is_the_same_again() -> None:
    bench = Bench().ready()
    first, second = bench.ask(RESET_KEEP), bench.ask(RESET_KEEP)
    assert first == second == f"{ACK} F2 00 00 12 50 30 37 30 32 30 {VERSION} 03 82"

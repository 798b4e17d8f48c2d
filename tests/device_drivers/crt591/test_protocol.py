"""Every literal vector of the frame, both ways, and any bytes in any slices."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from device_drivers.crt591 import codes, commands
from device_drivers.crt591.protocol import BadFrame, Control, Event, FrameReader, Packet, bcc, encode
from device_drivers.crt591.replies import (
    Failure,
    MalformedReplyError,
    Status,
    Success,
    parse_bin_counter,
    parse_reply,
    parse_sensors,
    parse_text,
)

HOST_VECTORS = [
    (commands.RESET_LEAVING, "F2 00 00 03 43 30 33 03 B2"),
    (commands.RESET_TO_GATE, "F2 00 00 03 43 30 30 03 B1"),
    (commands.RESET_CAPTURING, "F2 00 00 03 43 30 31 03 B0"),
    (commands.RESET_TO_GATE_COUNTED, "F2 00 00 03 43 30 34 03 B5"),
    (commands.RESET_CAPTURING_COUNTED, "F2 00 00 03 43 30 35 03 B4"),
    (commands.INITIALISE, "F2 00 00 03 43 30 37 03 B6"),
    (commands.STATUS, "F2 00 00 03 43 31 30 03 B0"),
    (commands.SENSORS, "F2 00 00 03 43 31 31 03 B1"),
    (commands.MOVE_TO_HOLDING, "F2 00 00 03 43 32 30 03 B3"),
    (commands.DRAW, "F2 00 00 03 43 32 31 03 B2"),
    (commands.MOVE_TO_RF, "F2 00 00 03 43 32 32 03 B1"),
    (commands.CAPTURE, "F2 00 00 03 43 32 33 03 B0"),
    (commands.PRESENT, "F2 00 00 03 43 32 39 03 BA"),
    (commands.ENTRY_ON, "F2 00 00 03 43 33 30 03 B2"),
    (commands.ENTRY_OFF, "F2 00 00 03 43 33 31 03 B3"),
    (commands.SERIAL_NUMBER, "F2 00 00 03 43 A2 30 03 23"),
    (commands.CONFIGURATION, "F2 00 00 03 43 A3 30 03 22"),
    (commands.FIRMWARE, "F2 00 00 03 43 A4 30 03 25"),
    (commands.BIN_COUNTER, "F2 00 00 03 43 A5 30 03 24"),
    (commands.set_bin_counter(0), "F2 00 00 06 43 A5 31 30 30 30 03 10"),
    (commands.rf_card(0x33, bytes.fromhex("00 B0 01 00 02")), "F2 00 00 08 43 60 33 00 B0 01 00 02 03 5A"),
]

REPLY_VECTORS = [
    ("F2 00 00 06 50 31 30 30 32 30 03 94", Success(0, 0x31, 0x30, Status(0, 2, 0), b"")),
    ("F2 00 00 06 50 31 30 32 32 30 03 96", Success(0, 0x31, 0x30, Status(2, 2, 0), b"")),
    (
        "F2 00 00 12 50 30 33 30 32 30 43 52 54 2D 35 39 31 2D 4D 30 30 31 03 86",
        Success(0, 0x30, 0x33, Status(0, 2, 0), b"CRT-591-M001"),
    ),
    ("F2 00 00 05 4E 32 39 31 30 03 B0", Failure(0, 0x32, 0x39, "10", b"")),
    ("F2 00 00 05 4E 32 31 41 30 03 C8", Failure(0, 0x32, 0x31, "A0", b"")),
    ("F2 00 00 05 4E 31 30 42 30 03 C9", Failure(0, 0x31, 0x30, "B0", b"")),
]

NEGATIVE_VECTORS = ["F2 00 00 03 43 30 33 03 B0", "F2 00 00 03 43 33 30 03 B3"]

GOOD = bytes.fromhex(REPLY_VECTORS[0][0])


def packets(events: list[Event]) -> list[Packet]:
    return [event for event in events if isinstance(event, Packet)]


@pytest.mark.parametrize(("command", "wire"), HOST_VECTORS, ids=lambda one: getattr(one, "name", None))
def test_each_host_frame_is_the_literal_vector(command: commands.Command, wire: str) -> None:
    assert commands.command_frame(0, command).hex(" ").upper() == wire


@pytest.mark.parametrize(("wire", "reply"), REPLY_VECTORS)
def test_each_reply_vector_is_read(wire: str, reply: Success | Failure) -> None:
    [packet] = packets(FrameReader().feed(bytes.fromhex(wire)))
    assert parse_reply(packet) == reply


@pytest.mark.parametrize("wire", NEGATIVE_VECTORS)
def test_each_negative_vector_is_refused(wire: str) -> None:
    assert FrameReader().feed(bytes.fromhex(wire)) == [BadFrame("checksum", bytes.fromhex(wire)[:7])]


@pytest.mark.rule("PHY-3")
@pytest.mark.parametrize("unit", [-1, 16, 0x30, 0xFE, 0xFF, 256])
def test_no_frame_goes_to_more_or_less_than_one_unit(unit: int) -> None:
    with pytest.raises(ValueError, match="not one of"):
        commands.command_frame(unit, commands.STATUS)


@pytest.mark.rule("PHY-2")
def test_what_may_move_a_card_is_a_motion_and_nothing_else_is() -> None:
    every = [value for value in vars(commands).values() if hasattr(value, "pm")]
    moving = {(one.cm, one.pm) for one in every if isinstance(one, commands.Motion)}
    assert moving == {(0x30, pm) for pm in (0x30, 0x31, 0x34, 0x35)} | {
        (0x32, pm) for pm in (0x30, 0x31, 0x32, 0x33, 0x39)
    }
    assert not any(one.cm == 0x32 for one in every if not isinstance(one, commands.Motion))


def test_a_failure_with_45_is_read_as_one_with_4e() -> None:
    [packet] = packets(FrameReader().feed(encode(3, bytes.fromhex("45 32 39 31 30"))))
    assert parse_reply(packet) == Failure(3, 0x32, 0x39, "10", b"")


@pytest.mark.parametrize(
    "body",
    [
        "50 31 30",
        "50 31 30 30 32",
        "50 31 30 33 32 30",
        "50 31 30 30 33 30",
        "50 31 30 30 32 32",
        "4E 31 30",
        "4E 31 30 31",
    ],
)
def test_a_whole_frame_with_impossible_contents_is_malformed(body: str) -> None:
    [packet] = packets(FrameReader().feed(encode(0, bytes.fromhex(body))))
    with pytest.raises(MalformedReplyError):
        parse_reply(packet)


def test_an_own_command_is_not_a_reply() -> None:
    with pytest.raises(MalformedReplyError, match="not the type"):
        parse_reply(Packet(0, b"C10"))


@pytest.mark.parametrize("count", range(7, 13))
def test_seven_to_twelve_sensors_are_accepted(count: int) -> None:
    assert parse_sensors(b"0" * (count - 1) + b"1") == (False,) * (count - 1) + (True,)


@pytest.mark.parametrize("data", [b"", b"000000", b"0" * 13, b"0000002"])
def test_other_sensors_are_malformed(data: bytes) -> None:
    with pytest.raises(MalformedReplyError):
        parse_sensors(data)


@pytest.mark.parametrize("data", [b"", b"12", b"1234", b"1a2", b"-01"])
def test_a_bin_counter_is_three_digits(data: bytes) -> None:
    assert parse_bin_counter(b"042") == 42
    with pytest.raises(MalformedReplyError):
        parse_bin_counter(data)


def test_identity_text_is_printable_and_short() -> None:
    assert parse_text(b"\x00CRT\xff-591\n " + b"x" * 500) == "CRT-591 " + "x" * 53


def test_every_listed_code_has_a_reason_and_any_other_is_told_as_unlisted() -> None:
    listed = bytes.fromhex("00010203040510121314164041434550516061626566676869A0A1B0").hex(" ").upper().split(" ")
    assert set(listed) <= set(codes.CODES)
    assert all(code.reason.replace("_", "").isalpha() and code.meaning for code in codes.CODES.values())
    assert codes.explain("10").reason == "card_jam"
    assert codes.explain("42").reason == codes.explain("43").reason == "cannot_position"
    assert codes.explain("ZZ").reason == "unlisted_error"


@pytest.mark.parametrize("count", [-1, 1000])
def test_the_bin_counter_is_never_set_out_of_its_range(count: int) -> None:
    with pytest.raises(ValueError, match=r"0\.\.999"):
        commands.set_bin_counter(count)


def test_card_commands_take_only_the_manuals_parameters() -> None:
    assert commands.command_frame(1, commands.sam_card(0x40, b"\x01")).hex() == "f201000443524001" + "03" + "a4"
    wrongs: tuple[Callable[[], commands.CardTalk], ...] = (
        lambda: commands.cpu_card(0x40),
        lambda: commands.rf_card(0x36),
        lambda: commands.memory_card(0x55, 0x30),
    )
    for wrong in wrongs:
        with pytest.raises(ValueError, match=r"PM|CM"):
            wrong()
    with pytest.raises(ValueError, match="512"):
        commands.cpu_card(0x33, bytes(513))


def test_two_frames_and_controls_in_one_read() -> None:
    events = FrameReader().feed(b"\x06" + GOOD + b"\x15" + GOOD + b"\x04")
    assert events == [Control.ACK, Packet(0, GOOD[4:-2]), Control.NAK, Packet(0, GOOD[4:-2]), Control.EOT]


def test_one_byte_at_a_time() -> None:
    reader, events = FrameReader(), []
    for byte in b"\x06" + GOOD:
        events += reader.feed(bytes([byte]))
    assert events == [Control.ACK, Packet(0, GOOD[4:-2])]
    assert not reader.pending


@pytest.mark.parametrize(
    "garbage", [b"\x00\xff\x55", b"\xf2\xff", b"\xf2\x00\xff\xff", b"\xf2\x00\x00\x02", b"\xf2" * 9]
)
def test_garbage_before_and_after_is_skipped_and_counted(garbage: bytes) -> None:
    reader = FrameReader()
    events = reader.feed(garbage + GOOD + garbage) + reader.resync()
    assert packets(events) == [Packet(0, GOOD[4:-2])]
    assert reader.garbage_bytes == 2 * len(garbage)


def test_a_length_byte_of_a_broken_frame_is_no_ack() -> None:
    broken = GOOD[:-1] + bytes([GOOD[-1] ^ 1])
    assert GOOD[3] == Control.ACK.value
    assert FrameReader().feed(broken) == [BadFrame("checksum", GOOD[:7])]


def test_a_corrupt_type_byte_makes_no_ack_of_the_length() -> None:
    assert FrameReader().feed(GOOD[:4] + b"\xd0" + GOOD[5:]) == []


def test_a_frame_cut_short_by_the_next_one_does_not_swallow_it() -> None:
    events = FrameReader().feed(GOOD[:6] + GOOD + b"\x06")
    assert packets(events) == [Packet(0, GOOD[4:-2])]
    assert events[-1] is Control.ACK


def test_silence_lets_go_of_a_half_frame_and_gives_the_whole_one_behind_it() -> None:
    reader = FrameReader()
    long_head = bytes.fromhex("F2 00 01 00 50")
    assert reader.feed(long_head + GOOD) == []
    assert reader.resync() == [BadFrame("cut_short", long_head + GOOD[:2]), Packet(0, GOOD[4:-2])]
    assert not reader.pending


slices = st.lists(st.binary(max_size=40), max_size=30)
spiced = st.lists(
    st.one_of(
        st.binary(max_size=12),
        st.sampled_from([GOOD, GOOD[:7], GOOD[:-1] + b"\x00", b"\xf2", b"\xf2\x00\x00\x06", b"\x06", b"\x15", b"\x04"]),
    ),
    max_size=25,
)


@given(st.one_of(slices, spiced))
def test_any_bytes_give_the_same_events_in_any_slices(parts: list[bytes]) -> None:
    whole, sliced, single = FrameReader(), FrameReader(), FrameReader()
    data = b"".join(parts)
    expected = whole.feed(data)
    assert [event for part in parts for event in sliced.feed(part)] == expected
    assert [event for byte in data for event in single.feed(bytes([byte]))] == expected
    assert whole.garbage_bytes == sliced.garbage_bytes == single.garbage_bytes


@given(st.one_of(slices, spiced))
def test_every_byte_is_accounted_for_and_nothing_is_held_back(parts: list[bytes]) -> None:
    reader = FrameReader()
    data = b"".join(parts)
    events = reader.feed(data) + reader.resync()
    believed = sum(len(event.body) + 6 if isinstance(event, Packet) else isinstance(event, Control) for event in events)
    assert believed + reader.garbage_bytes == len(data)
    assert not reader.pending


@given(st.binary(max_size=60).filter(lambda garbage: 0xF2 not in garbage), st.integers(0, 15), st.binary(max_size=500))
@example(b"\x06", 0, b"")
def test_a_frame_after_garbage_is_always_found(garbage: bytes, unit: int, data: bytes) -> None:
    body = b"P10" + data
    assert packets(FrameReader().feed(garbage + encode(unit, body))) == [Packet(unit, body)]


@given(st.binary(max_size=600))
def test_any_packet_is_a_reply_or_malformed(data: bytes) -> None:
    for kind in (0x50, 0x4E, 0x45, 0x43):
        try:
            reply = parse_reply(Packet(0, bytes([kind]) + b"10" + data))
        except MalformedReplyError:
            continue
        assert isinstance(reply, Success | Failure)


@given(st.binary(min_size=1, max_size=30))
def test_a_single_flipped_bit_is_never_believed(data: bytes) -> None:
    frame = encode(2, b"P10" + data)
    good = Packet(2, b"P10" + data)
    for bit in range(8 * len(frame)):
        flipped = bytearray(frame)
        flipped[bit // 8] ^= 1 << bit % 8
        reader = FrameReader()
        assert good not in reader.feed(bytes(flipped)) + reader.resync()


def test_a_flood_of_frame_beginnings_keeps_memory_flat() -> None:
    reader = FrameReader()
    tracemalloc.start()
    try:
        for _ in range(2000):
            reader.feed(b"\xf2\x00\x03\xfa\x50" + b"\x00" * 200)
        current, _peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert current < 64 * 1024


def test_the_checksum_is_the_xor_of_every_byte() -> None:
    assert bcc(b"") == 0
    assert bcc(GOOD[:-1]) == GOOD[-1] == 0x94

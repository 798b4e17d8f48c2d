"""Requests, replies and frames against the vectors; any slicing, any garbage; and what must never be made."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.modbus import protocol as p
from device_drivers.modbus.framing import RtuReply, TcpReply, rtu_frame, tcp_frame

RELAYS = p.read(p.READ_COILS, 0, 8)
COUNTERS = p.read(p.READ_INPUT_WORDS, 0, 4)
COUNTERS_REPLY = bytes.fromhex("01 04 08 00 28 00 5A 00 53 00 55 E4 2C")


@pytest.mark.parametrize(
    ("request_", "frame"),
    [
        (p.write_coil(0, p.ON), "01 05 00 00 FF 00 8C 3A"),
        (p.write_coil(0, p.OFF), "01 05 00 00 00 00 CD CA"),
        (RELAYS, "01 01 00 00 00 08 3D CC"),
        (p.write_coil(0x0200, 7), "01 05 02 00 00 07 8D B0"),
        (p.write_word(0x0088, 1234), "01 06 00 88 04 D2 8B 7D"),
        (p.write_word(0x0000, 1234), "01 06 00 00 04 D2 0B 57"),
        (p.write_words(0x0070, [0x4130, 0x3031, 0x2020]), "01 10 00 70 00 03 06 41 30 30 31 20 20 ED 69"),
        (p.read(p.READ_INPUT_WORDS, 0, 16), "01 04 00 00 00 10 F1 C6"),
        (p.read(p.READ_INPUT_WORDS, 0, 2), "01 04 00 00 00 02 71 CB"),
        (COUNTERS, "01 04 00 00 00 04 F1 C9"),
    ],
)
def test_the_vectors_byte_for_byte(request_: p.Request, frame: str) -> None:
    assert rtu_frame(1, request_.pdu) == bytes.fromhex(frame)


@pytest.mark.parametrize(
    ("request_", "reply"),
    [
        (RELAYS, "01 01 01 01 90 48"),
        (p.write_words(0x0070, [0, 0, 0]), "01 10 00 70 00 03 81 D3"),
        (p.write_coil(0x0200, 7), "01 05 02 00 00 07 8D B0"),
        (COUNTERS, COUNTERS_REPLY.hex()),
    ],
)
def test_replies_of_the_vectors_are_replies(request_: p.Request, reply: str) -> None:
    pdu = RtuReply(1, request_).feed(bytes.fromhex(reply))
    assert pdu is not None
    assert p.check(request_, pdu) == pdu


def test_what_a_reply_says() -> None:
    reply = RtuReply(1, COUNTERS).feed(COUNTERS_REPLY)
    assert reply is not None
    assert p.words_of(reply) == (40, 90, 83, 85)
    assert p.bits_of(bytes.fromhex("01 01 05"), 4) == (True, False, True, False)
    assert p.bits_of(bytes.fromhex("02 02 00 80"), 16)[15]
    refusal = RtuReply(1, RELAYS).feed(bytes.fromhex("01 81 02 C1 91"))
    assert refusal is not None
    with pytest.raises(p.RefusedError) as refused:
        p.check(RELAYS, refusal)
    assert (refused.value.code, refused.value.not_done) == (2, True)
    assert not p.RefusedError(4).not_done


def test_one_byte_at_a_time() -> None:
    reply, came = RtuReply(1, COUNTERS), []
    for at, byte in enumerate(COUNTERS_REPLY):
        if (pdu := reply.feed(bytes([byte]))) is not None:
            came.append((at, pdu))
    assert came == [(len(COUNTERS_REPLY) - 1, COUNTERS_REPLY[1:-2])]


def test_two_frames_in_one_read_give_the_first_and_keep_the_rest() -> None:
    reply = RtuReply(1, COUNTERS)
    assert reply.feed(COUNTERS_REPLY * 2) == COUNTERS_REPLY[1:-2]
    assert reply.left_over == COUNTERS_REPLY


@pytest.mark.parametrize("noise", ["00", "FF FF 01", "01 04", "01 04 08", "01 01 01 01 90 48", "02 04 08"])
def test_garbage_before_is_skipped_and_counted(noise: str) -> None:
    reply, garbage = RtuReply(1, COUNTERS), bytes.fromhex(noise)
    pdu = reply.feed(garbage + COUNTERS_REPLY)
    pdu = reply.silence() if pdu is None else pdu
    assert pdu == COUNTERS_REPLY[1:-2]
    assert reply.garbage_bytes == len(garbage)


def test_garbage_inside_and_a_wrong_checksum_are_no_reply() -> None:
    for wrong in (COUNTERS_REPLY[:5] + b"\x00" + COUNTERS_REPLY[5:], COUNTERS_REPLY[:-1] + b"\x2d"):
        reply = RtuReply(1, COUNTERS)
        assert reply.feed(wrong) is None
        assert reply.silence() is None
        assert reply.garbage_bytes == len(wrong)
        assert reply.bad_frames == 1


def test_a_short_refusal_behind_noise_that_began_like_a_long_answer_is_found_by_the_silence() -> None:
    reply = RtuReply(1, p.read(p.READ_COILS, 0, 2000))
    assert reply.feed(bytes.fromhex("01 01 FA 01 81 02 C1 91")) is None
    assert reply.silence() == bytes.fromhex("81 02")


@pytest.mark.parametrize("split", range(9))
def test_our_own_frame_is_taken_for_no_answer(split: int) -> None:
    own, echo = bytes.fromhex("01 05 02 00 00 07 8D B0"), RtuReply(1, p.write_coil(0x0200, 7))
    echo.own = own
    both = own + own
    assert echo.feed(both[:split]) is None
    assert not echo.began
    assert echo.feed(both[split:]) == own[1:-2]
    assert echo.heard_itself


def test_another_address_value_unit_or_size_is_no_answer() -> None:
    write = p.write_coil(0x0203, 5)
    for other in (p.write_coil(0x0204, 5), p.write_coil(0x0203, 6)):
        with pytest.raises(p.BadReplyError):
            p.check(write, other.pdu)
    with pytest.raises(p.BadReplyError):
        p.check(RELAYS, bytes.fromhex("01 02 00 00"))
    with pytest.raises(p.BadReplyError):
        p.check(RELAYS, bytes.fromhex("01 02 00"))
    assert RtuReply(2, RELAYS).feed(bytes.fromhex("01 01 01 01 90 48")) is None


@pytest.mark.rule("PHY-3")
@pytest.mark.parametrize("address", [0x00FF, 0x01FF])
def test_coils_that_are_all_outputs_are_never_written(address: int) -> None:
    for value in (p.ON, p.OFF, 5):
        with pytest.raises(ValueError, match="all outputs"):
            p.write_coil(address, value)


@pytest.mark.rule("PHY-3")
@given(st.integers(-5, 70_000), st.integers(-5, 70_000), st.lists(st.integers(-2, 70_000), max_size=130))
def test_no_request_is_for_several_outputs(address: int, value: int, words: list[int]) -> None:
    made: list[p.Request] = []
    makes: list[Callable[[], p.Request]] = [
        lambda: p.write_coil(address, value),
        lambda: p.write_word(address, value),
        lambda: p.write_words(address, words),
    ]
    for make in makes:
        try:
            made.append(make())
        except ValueError:
            continue
    for request in made:
        assert request.function != p.WRITE_COILS
        if request.function == p.WRITE_COIL:
            assert int.from_bytes(request.pdu[1:3], "big") not in {0x00FF, 0x01FF}


@pytest.mark.rule("PHY-3")
@pytest.mark.parametrize("unit", [0, 248, 255, 256, -1])
def test_a_unit_is_one_unit(unit: int) -> None:
    with pytest.raises(ValueError, match="1 to 247"):
        p.check_unit(unit)


def test_what_cannot_be_read_is_not_asked() -> None:
    for function, address, count in ((1, 0, 0), (1, 0, 2001), (3, 0, 126), (4, 65535, 2), (2, -1, 1)):
        with pytest.raises(ValueError, match="can be read"):
            p.read(function, address, count)


# --- Modbus TCP ----------------------------------------------------------------------------------------------------


def test_a_frame_of_modbus_tcp() -> None:
    assert tcp_frame(0x0102, 7, RELAYS.pdu) == bytes.fromhex("01 02 00 00 00 06 07 01 00 00 00 08")


def test_the_reply_of_another_transaction_is_late_and_skipped() -> None:
    unread = bytearray()
    late, mine = bytes.fromhex("00 01 00 00 00 04 07 01 01 FF"), bytes.fromhex("00 02 00 00 00 04 07 01 01 05")
    reply = TcpReply(2, 7, unread)
    for byte in late + mine[:-1]:
        assert reply.feed(bytes([byte])) is None
    assert reply.feed(mine[-1:] + late[:3]) == bytes.fromhex("01 01 05")
    assert (reply.late, reply.garbage_bytes, bytes(unread)) == (1, 0, late[:3])
    assert TcpReply(1, 7, unread).feed(late[3:]) == bytes.fromhex("01 01 FF")


def test_what_is_no_header_is_skipped_and_counted() -> None:
    reply = TcpReply(2, 7, bytearray())
    assert reply.feed(bytes.fromhex("FF FF FF 00 02 00 00 00 04 07 01 01 05")) == bytes.fromhex("01 01 05")
    assert reply.garbage_bytes == 3
    assert TcpReply(2, 7, bytearray()).feed(bytes.fromhex("00 02 00 00 00 02 07 01 00")) is None


@given(st.lists(st.binary(max_size=40), max_size=30), st.booleans())
def test_any_bytes_leave_a_parser_that_finds_the_answer(slices: list[bytes], over_tcp: bool) -> None:
    if over_tcp:
        parser: TcpReply | RtuReply = TcpReply(5, 1, bytearray())
        answer = bytes.fromhex("00 05 00 00 00 0B 01") + COUNTERS_REPLY[1:-2]
    else:
        parser, answer = RtuReply(1, COUNTERS), COUNTERS_REPLY
    for piece in slices:
        found = parser.feed(piece)
        assert found is None or found[0] & 0x7F == COUNTERS.function or over_tcp
    if isinstance(parser, RtuReply):
        parser.silence()
        assert parser.left_over == b"" or parser.feed(b"") is None
        assert RtuReply(1, COUNTERS).feed(answer) == COUNTERS_REPLY[1:-2]
    else:
        assert len(parser.unread) <= 259 + 40

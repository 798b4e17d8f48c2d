"""Frames of a BX-6 controller against the vectors of devices.md 3.2, the one with a wrong CRC among them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.bx6.commands import CLEAR, PING, RED, Area, show
from device_drivers.bx6.protocol import HOST, Decoder, Packet, frame, wrapped

A5 = bytes([0xA5] * 8)
PINGED = A5 + bytes.fromhex("01 00 00 80 00 00 00 00 00 00 FE 02 05 00 A2 00 01 00 00 68 F8 5A")
CLEARED = A5 + bytes.fromhex("01 00 00 80 00 00 00 00 00 00 FE 02 05 00 A3 10 01 00 00 51 F8 5A")
MAC = A5 + bytes.fromhex("FE FF 00 80 00 00 00 00 00 00 FE 02 0B 00 A4 06 01 00 00 00 FF FE 83 A8 56 1C 2C 5A")
CALL = A5 + bytes.fromhex(
    "01 00 01 80 00 00 00 00 00 00 61 02 38 00 A3 06 01 00 00 00 01 2F 00 00 00 00 00 00 40 00 20 00 04 00 03 00 00 00"
    "00 00 01 01 01 00 00 05 14 00 00 00 5C 43 31 C7 EB 41 30 30 31 BA C5 B5 BD 33 BA C5 B4 B0 BF DA A7 EB 5A"
)
LETTER = A5 + bytes.fromhex(
    "01 00 01 80 00 00 00 00 00 00 61 02 28 00 A3 06 01 00 00 00 01 1F 00 00 00 00 00 00 40 00 20 00 00 00 03 00 00 00"
    "00 00 01 01 01 00 00 05 04 00 00 00 5C 43 31 41 94 AD 5A"
)
WRONG = A5 + bytes.fromhex(
    "01 00 00 80 00 00 00 00 00 00 FE 02 32 00 A3 06 01 2D 00 00 01 29 00 00 00 00 00 00 80 00 20 00 00 00 00 02 00 00"
    "00 00 02 02 03 00 04 05 0E 00 00 00 30 31 32 33 34 35 51 52 53 54 54 56 27 42 A8 7D 5A"
)
MENDED = WRONG[:-3] + bytes.fromhex("BD 6F 5A")
L3 = Area(width=0x40, height=0x20, number=4, run_mode=3)


def test_the_vectors_byte_for_byte() -> None:
    assert frame(Packet(1, HOST, PING)) == PINGED
    assert frame(Packet(1, HOST, CLEAR)) == CLEARED
    text = RED + "请A001号到3号窗口".encode("gb2312")
    assert frame(Packet(1, 0x8001, show(L3, text), 0x61)) == CALL
    plain = Area(width=0x40, height=0x20, run_mode=3)
    assert frame(Packet(1, 0x8001, show(plain, RED + b"A"), 0x61)) == LETTER
    assert wrapped(Packet(0xFFFE, HOST, bytes.fromhex("A4 06 01 00 00 00 FF FE 83 A8 56"))) == MAC


@pytest.mark.parametrize("vector", [PINGED, CLEARED, MAC, CALL, LETTER])
def test_each_vector_is_read_and_made_again(vector: bytes) -> None:
    (packet,) = Decoder().feed(vector)
    assert wrapped(packet) == vector


def test_the_published_frame_with_a_wrong_crc_is_refused_and_right_with_the_right_one() -> None:
    decoder = Decoder()
    assert not decoder.feed(WRONG)
    assert decoder.bad_frames == 1
    (packet,) = decoder.feed(MENDED)
    assert packet.data[-14:] == b"012345QRSTTV'B"


@pytest.mark.rule("PHY-3")
@pytest.mark.parametrize("address", [0, 0xFFFE, 0xFFFF, -1, 0x10000])
def test_no_frame_can_be_made_for_everybody(address: int) -> None:
    with pytest.raises(ValueError, match="an address of 1 to"):
        frame(Packet(address, HOST, PING))


def test_what_would_end_or_begin_a_frame_is_escaped() -> None:
    data = bytes.fromhex("A2 00 A5 A6 5A 5B")
    sent = frame(Packet(0x5AA5, HOST, data))
    assert sent[8:12] == bytes.fromhex("A6 02 5B 02")
    assert bytes.fromhex("A2 00 A6 02 A6 01 5B 02 5B 01") in sent
    assert sent.count(0xA5) == 8
    assert sent.index(0x5A) == len(sent) - 1
    assert Decoder().feed(sent) == [Packet(0x5AA5, HOST, data)]


def test_one_byte_at_a_time_two_in_one_read_and_garbage_around() -> None:
    decoder = Decoder()
    assert [packet for byte in CALL for packet in decoder.feed(bytes([byte]))] == Decoder().feed(CALL)
    assert len(Decoder().feed(PINGED + CALL)) == 2
    decoder = Decoder()
    assert len(decoder.feed(b"\x00\x5a" + PINGED + b"\x01" + CALL)) == 2
    assert decoder.garbage_bytes == 3
    assert [packet.data for packet in decoder.feed(CALL[:30] + PINGED)] == [PING]  # cut off by the next


@pytest.mark.parametrize(
    "broken",
    [
        PINGED[:-3] + b"\x69" + PINGED[-2:],  # CRC
        PINGED[:20] + b"\x06" + PINGED[21:],  # length
        PINGED[:9] + b"\xa6\x03" + PINGED[10:],  # an escape that is none
        PINGED[:9] + b"\x5b" + b"\x5a",  # half an escape
        A5 + b"\x01\x5a",
    ],
)
def test_a_frame_that_is_not_right_is_none(broken: bytes) -> None:
    decoder = Decoder()
    assert not decoder.feed(broken)
    assert decoder.bad_frames == 1
    assert len(decoder.feed(PINGED)) == 1


def test_a_frame_without_an_end_does_not_fill_the_memory() -> None:
    decoder = Decoder()
    assert not decoder.feed(PINGED[:-1] + bytes(50_000))
    assert decoder.garbage_bytes > 40_000
    assert len(decoder.feed(PINGED)) == 1


@given(st.lists(st.one_of(st.binary(max_size=40), st.sampled_from([PINGED, CALL, WRONG, CALL[:20]])), max_size=12))
def test_any_bytes_are_survived_and_the_next_frame_is_found(pieces: list[bytes]) -> None:
    whole, sliced = Decoder(), Decoder()
    data = b"".join(pieces)
    assert whole.feed(data) == [packet for byte in data for packet in sliced.feed(bytes([byte]))]
    assert whole.feed(PINGED)[-1].data == PING


@given(st.integers(1, 0xFFFD), st.binary(max_size=300))
def test_whatever_is_sent_is_read(address: int, data: bytes) -> None:
    assert Decoder().feed(frame(Packet(address, HOST, data))) == [Packet(address, HOST, data)]


@pytest.mark.parametrize("area", [Area(0x10000, 1), Area(1, -1), Area(1, 1, number=256)])
def test_a_field_that_would_overflow_is_refused(area: Area) -> None:
    with pytest.raises(ValueError, match=r"0 to FFFF|range"):
        show(area, b"")

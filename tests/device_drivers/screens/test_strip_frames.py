"""The strip screen's frame against the vectors of devices.md 3.1, and everything that must never be written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.strip.protocol import MAX_FRAME_BYTES, Check, Decoder, Show, Style, show_frame

AB = bytes.fromhex("AA 01 BB 51 54 72 01 00 00 02 63 41 42 BB B6 D3 AD B9 E2 C1 D9 31 32 FF")
FREE = bytes.fromhex("AA 01 BB 51 54 D5 0B 07 63 01 63 BF D5 B3 B5 FF")
CALL = bytes.fromhex("AA 01 BB 51 54 8A 01 00 00 02 63 C7 EB 41 30 30 31 BA C5 B5 BD 33 BA C5 B4 B0 BF DA FF")
WITHOUT_TAIL = bytes.fromhex("AA 03 BB 51 54 23 01 00 99 00 63 BB B6 D3 AD B9 E2 C1 D9 FF")
WITH_TAIL = bytes.fromhex("AA 03 BB 51 54 22 01 00 99 00 63 BB B6 D3 AD B9 E2 C1 D9 FF")
BANK = Style(0x01, 0x00, 0x99, 0x00, 0x63)


@pytest.mark.parametrize(
    ("frame", "address", "style", "text", "check"),
    [
        (AB, 1, Style(), "AB欢迎光临12", "sum_excludes_tail"),
        (FREE, 1, Style(0x0B, 0x07, 0x63, 0x01, 0x63), "空车", "sum_excludes_tail"),
        (CALL, 1, Style(), "请A001号到3号窗口", "sum_excludes_tail"),
        (WITHOUT_TAIL, 3, BANK, "欢迎光临", "sum_excludes_tail"),
        (WITH_TAIL, 3, BANK, "欢迎光临", "sum_includes_tail"),
    ],
)
def test_the_vectors_byte_for_byte(frame: bytes, address: int, style: Style, text: str, check: Check) -> None:
    assert show_frame(address, style, text.encode("gbk"), check) == frame
    assert Decoder().feed(frame) == [Show(address, style, text.encode("gbk"), check)]


@pytest.mark.rule("PHY-3")
@given(st.integers(-5, 400), st.binary(max_size=230))
def test_no_frame_can_be_made_for_every_screen_nor_one_that_ends_early(address: int, text: bytes) -> None:
    try:
        frame = show_frame(address, Style(), text)
    except ValueError:
        assert not 1 <= address <= 254 or b"\xff" in text or len(text) > 200
        return
    assert 1 <= frame[1] <= 254
    assert frame.index(0xFF, 6) == len(frame) - 1
    assert len(frame) <= MAX_FRAME_BYTES
    assert [(show.address, show.text) for show in Decoder().feed(frame)] == [(address, text)]


@pytest.mark.parametrize("value", [-1, 0xFF, 0x100])
def test_a_style_that_would_end_the_frame_is_none(value: int) -> None:
    with pytest.raises(ValueError, match="00 to FE"):
        Style(colour=value)


def test_one_byte_at_a_time_two_in_one_read_and_garbage_around() -> None:
    decoder = Decoder()
    assert [show for byte in AB for show in decoder.feed(bytes([byte]))] == Decoder().feed(AB)
    assert len(Decoder().feed(AB + CALL)) == 2
    decoder = Decoder()
    assert len(decoder.feed(b"\x00\xaa\xaa\x01\xbb" + AB + b"\xff\x13" + CALL)) == 2
    assert decoder.garbage_bytes == 7


def test_a_frame_cut_off_by_another_is_skipped_and_the_other_is_read() -> None:
    decoder = Decoder()
    assert [show.address for show in decoder.feed(AB[:-3] + WITHOUT_TAIL)] == [3]
    assert decoder.bad_checks == 1
    assert decoder.garbage_bytes == len(AB) - 3


def test_a_wrong_check_byte_and_the_store_command_are_no_text() -> None:
    decoder = Decoder()
    assert not decoder.feed(AB[:5] + bytes([AB[5] ^ 0x40]) + AB[6:])
    assert decoder.bad_checks == 1
    assert not decoder.feed(AB[:4] + b"\x44" + AB[5:])


def test_a_frame_without_an_end_does_not_fill_the_memory() -> None:
    decoder = Decoder()
    assert not decoder.feed(AB[:-1] + b"1" * 5000)
    assert decoder.garbage_bytes >= 5000 + len(AB) - 1 - MAX_FRAME_BYTES
    assert len(decoder.feed(CALL)) == 1


@given(st.lists(st.one_of(st.binary(max_size=40), st.sampled_from([AB, CALL, WITH_TAIL, AB[:7]])), max_size=12))
def test_any_bytes_are_survived_and_what_is_whole_behind_a_pause_is_found(pieces: list[bytes]) -> None:
    whole, sliced = Decoder(), Decoder()
    data = b"".join(pieces)
    assert whole.feed(data) == [show for byte in data for show in sliced.feed(bytes([byte]))]
    whole.feed(b"1" * MAX_FRAME_BYTES)  # longer than anything that was begun
    assert len(whole.feed(CALL)) == 1

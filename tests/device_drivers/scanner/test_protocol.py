"""Lines of a scanner in any slices: what is surely one code, and everything that is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.scanner.protocol import BY_SILENCE, Decoder


def fed(decoder: Decoder, *pieces: bytes) -> list[bytes]:
    return [code for piece in pieces for code in decoder.feed(piece)]


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n"])
def test_any_end_of_line_ends_a_code_also_byte_by_byte(end: bytes) -> None:
    wire = b"PICKUP-4417" + end + b"6217000012345678" + end
    codes = [b"PICKUP-4417", b"6217000012345678"]
    assert fed(Decoder(), wire) == codes
    assert fed(Decoder(), *(wire[n : n + 1] for n in range(len(wire)))) == codes


def test_two_codes_in_one_read_and_one_in_two() -> None:
    assert fed(Decoder(), b"A1\rB2\rC", b"3\r") == [b"A1", b"B2", b"C3"]


def test_an_end_of_its_own_may_come_in_two_pieces_and_cr_is_noise_then() -> None:
    decoder = Decoder(end=b"\x03\x04")
    assert fed(decoder, b"A1\x03", b"\x04B", b"2\x03\x04") == [b"A1", b"B2"]
    assert fed(decoder, b"C\r3\x03\x04") == []
    assert decoder.bad_lines == 1


def test_the_prefix_is_wanted_and_taken_away() -> None:
    decoder = Decoder(prefix=b"]Q1")
    assert fed(decoder, b"]Q1hello\r\n", b"hello\r", b"]Q1\r") == [b"hello"]
    assert (decoder.bad_lines, decoder.garbage_bytes) == (2, 8)


def test_noise_makes_a_line_no_code_and_a_gs1_separator_does_not() -> None:
    decoder = Decoder()
    assert fed(decoder, b"\x00A1\r", b"B\x7f2\r", b"\x02C3\x03\r", b"0104\x1d10AB\r") == [b"0104\x1d10AB"]
    assert decoder.bad_lines == 3


def test_a_line_that_is_too_long_is_skipped_to_its_end_and_the_next_is_read() -> None:
    decoder = Decoder(max_bytes=8)
    assert fed(decoder, b"x" * 5000, b"yy\rGOOD\r", b"123456789\r12345678\r") == [b"GOOD", b"12345678"]
    assert decoder.bad_lines == 2
    assert decoder.garbage_bytes == 5002 + 9


def test_silence_breaks_what_has_no_end() -> None:
    decoder = Decoder()
    assert fed(decoder, b"HALF") == []
    assert decoder.waits
    assert decoder.silence() == []
    assert (decoder.waits, decoder.bad_lines) == (False, 1)
    assert fed(decoder, b"WHOLE\r") == [b"WHOLE"]
    assert decoder.silence() == []
    assert decoder.bad_lines == 1


def test_where_no_end_is_sent_silence_ends_a_code() -> None:
    decoder = Decoder(end=BY_SILENCE, max_bytes=8)
    assert fed(decoder, b"A1", b"B2") == []
    assert decoder.silence() == [b"A1B2"]
    assert fed(decoder, b"123456789") == []
    assert decoder.silence() == []
    assert decoder.bad_lines == 1


def test_what_was_begun_before_the_line_was_lost_is_no_beginning_of_what_follows() -> None:
    decoder = Decoder()
    assert fed(decoder, b"62170000") == []
    decoder.abandon()
    assert fed(decoder, b"4417\r") == [b"4417"]
    assert decoder.bad_lines == 1


@given(st.lists(st.binary(max_size=40), max_size=20), st.sampled_from([b"", b"\r", b"\x03\x04", None]))
def test_any_bytes_in_any_slices_come_to_the_same_and_no_buffer_grows(pieces: list[bytes], end: bytes | None) -> None:
    whole, sliced = Decoder(end=end, max_bytes=16), Decoder(end=end, max_bytes=16)
    wire = b"".join(pieces)
    codes = whole.feed(wire) + whole.silence()
    found = fed(sliced, *(wire[n : n + 1] for n in range(len(wire)))) + sliced.silence()
    assert found == codes
    assert all(0 < len(code) <= 16 and min(code) >= 0x1D for code in codes)
    assert len(whole._buffer) <= 32
    assert whole.garbage_bytes == sliced.garbage_bytes

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.banknotes.note import Fitness, Note, masked
from device_drivers.banknotes.protocol import FRAME_BYTES, Bad, NoteReader, frame
from tests.device_drivers.banknotes.bytes_of import live_frame, live_record


def test_a_frame_is_as_long_as_its_source_says() -> None:
    assert len(live_frame()) == FRAME_BYTES == 1656
    assert frame(live_record()) == live_frame()
    assert frame(live_record(), big_endian_length=True) == live_frame(order="big")
    with pytest.raises(ValueError, match="1644"):
        frame(live_record()[:-1])


@pytest.mark.parametrize("order", ["little", "big"])
def test_one_note_in_either_order_of_the_length(order: str) -> None:
    (note,) = NoteReader().feed(live_frame(7, order=order))
    assert note == Note(100, "CNY", Fitness.FIT, "AB12345678", "JX1", edition=2, taken="2024-05-17T13:45:30", number=7)


@pytest.mark.parametrize(
    ("flag", "value", "fitness"),
    [
        (0, 100, "suspect"),
        (1, 50, "fit"),
        (2, 20, "unfit"),
        (3, 10, "unfit"),
        (0, 0, "unrecognized"),
        (1, 0, "unrecognized"),
    ],
)
def test_what_the_counter_holds_of_a_note(flag: int, value: int, fitness: str) -> None:
    (note,) = NoteReader().feed(live_frame(flag=flag, value=value))
    assert isinstance(note, Note)
    assert (note.fitness, note.value) == (fitness, value)


def test_a_value_of_32_bits() -> None:
    (note,) = NoteReader().feed(live_frame(value=100_000))
    assert isinstance(note, Note)
    assert note.value == 100_000


def test_one_byte_at_a_time_and_two_in_one_read() -> None:
    reader = NoteReader()
    told = [one for byte in live_frame(1) for one in reader.feed(bytes([byte]))]
    told += reader.feed(live_frame(2) + live_frame(3))
    assert [one.number for one in told if isinstance(one, Note)] == [1, 2, 3]
    assert (reader.garbage_bytes, reader.bad_frames, reader.half) == (0, 0, False)


def test_garbage_before_between_and_behind() -> None:
    reader = NoteReader()
    told = reader.feed(b"\x00\xbe\xae" + live_frame(1) + b"\xae\xae\x01" + live_frame(2) + b"\x07" * 9000 + b"\xae\xae")
    assert [one.number for one in told if isinstance(one, Note)] == [1, 2]
    assert len(told) == 2
    assert reader.garbage_bytes == 3 + 3 + 9000
    assert reader.half  # two bytes that may become a head
    assert reader.quiet() == []
    assert reader.garbage_bytes == 3 + 3 + 9000 + 2


def test_a_head_inside_of_a_picture_is_a_picture() -> None:
    record = bytearray(live_record(4))
    record[200:208] = bytes.fromhex("AE AE AE AE 72 06 01 00")
    reader = NoteReader()
    (note,) = reader.feed(frame(bytes(record)))
    assert isinstance(note, Note)
    assert reader.garbage_bytes == 0


def test_a_frame_cut_short_is_named_and_the_next_one_is_found_inside() -> None:
    reader = NoteReader()
    told = reader.feed(b"\x00" * 10 + live_frame(1)[:700] + live_frame(2) + live_frame(3))
    assert [one.number for one in told if isinstance(one, Note)] == [2, 3]
    (bad,) = [one for one in told if isinstance(one, Bad)]
    assert bad.offset == 10
    assert "BE BE BE BE" in bad.why
    assert (reader.garbage_bytes, reader.bad_frames) == (710, 1)


def test_a_frame_cut_by_silence_is_named_and_what_it_swallowed_is_told() -> None:
    reader = NoteReader()
    assert reader.feed(live_frame(1)[:900]) == []
    assert (reader.quiet(), reader.half) == ([Bad(0, "cut after 900 bytes")], False)
    (note,) = reader.feed(live_frame(2))
    assert isinstance(note, Note)
    assert (reader.garbage_bytes, reader.bad_frames) == (900, 1)


@pytest.mark.parametrize(
    ("at", "value", "offset", "why"),
    [
        (4, "73 06", 0, "a length of 73 06, not 1650"),
        (6, "02 00", 0, "an unknown mode 02 00"),
        (1652, "BE BE BE BF", 0, "it does not end with BE BE BE BE but be be be bf"),
        (12, "04 00", 12, "4 is neither fake, genuine, damaged nor old"),
        (32, "0D 00", 32, "a serial number of 13 letters"),
        (34, "41 4E", 34, "4E41 is no letter"),
        (20, "07 00", 20, "0007 is no letter"),
    ],
)
def test_each_wrong_frame_is_named_with_its_place_and_costs_no_other(
    at: int, value: str, offset: int, why: str
) -> None:
    wrong = bytearray(live_frame(2))
    wrong[at : at + len(bytes.fromhex(value))] = bytes.fromhex(value)
    reader = NoteReader()
    told = reader.feed(live_frame(1) + bytes(wrong) + live_frame(3))
    assert [one.number for one in told if isinstance(one, Note)] == [1, 3]
    assert [one for one in told if isinstance(one, Bad)] == [Bad(FRAME_BYTES + offset, why)]
    assert (reader.garbage_bytes, reader.bad_frames) == (FRAME_BYTES, 1)


def test_a_clock_that_was_never_set_costs_no_note() -> None:
    record = bytes(4) + live_record()[4:]
    (note,) = NoteReader().feed(frame(record))
    assert isinstance(note, Note)
    assert note.taken == ""


def test_silence_in_peace_says_nothing() -> None:
    reader = NoteReader()
    assert reader.quiet() == []
    assert reader.feed(b"") == []


def test_serial_numbers_never_stand_in_a_log() -> None:
    (note,) = NoteReader().feed(live_frame())
    assert isinstance(note, Note)
    assert "AB12345678" not in repr(note)
    assert note.masked == "AB12****78"
    assert masked("AB12") == "****"
    assert masked("") == ""
    assert not Note(1, "CNY", Fitness.FIT, "AB1?345678").readable


@given(
    st.lists(st.one_of(st.binary(max_size=60), st.just(live_frame(1)), st.just(b"\xae\xae\xae\xae\x72\x06\x01\x00")))
)
def test_any_bytes_in_any_slices(slices: list[bytes]) -> None:
    """However it is sliced the same is told, little is kept, and a whole frame behind it is always found."""
    whole, sliced = NoteReader(), NoteReader()
    told = whole.feed(b"".join(slices)) + whole.quiet()
    again = [one for piece in slices for one in sliced.feed(piece)] + sliced.quiet()
    assert told == again
    assert whole.garbage_bytes == sliced.garbage_bytes
    notes = sum(isinstance(one, Note) for one in told)
    assert whole.garbage_bytes + notes * FRAME_BYTES == sum(map(len, slices))
    (note,) = whole.feed(live_frame(9))
    assert isinstance(note, Note)


@given(st.lists(st.binary(min_size=1, max_size=5000), max_size=8))
def test_never_more_than_a_frame_is_kept(pieces: list[bytes]) -> None:
    reader = NoteReader()
    for piece in pieces:
        reader.feed(piece)
        assert len(reader._buffer) < FRAME_BYTES

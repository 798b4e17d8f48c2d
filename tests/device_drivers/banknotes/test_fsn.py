from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.banknotes.fsn import RECORDS_MAX, FsnError, read_fsn, write_fsn
from device_drivers.banknotes.note import Fitness, Note
from device_drivers.banknotes.record import RECORD_BYTES, RecordError, file_note, moment, words
from tests.device_drivers.banknotes.bytes_of import FILE_HEAD_OF_ONE, FILE_RECORD

HEAD = bytes.fromhex(FILE_HEAD_OF_ONE)
NOTE = Note(100, "CNY", Fitness.FIT, "AB12345678", "JX1", edition=2, taken="2024-05-17T13:45:30", errors=(0, 0, 0))


def test_the_vectors_of_the_date_and_of_the_head() -> None:
    """devices.md section 5.1: 22705, 28079, and the head for one record."""
    assert moment(22705, 28079) == "2024-05-17T13:45:30"
    assert words("2024-05-17T13:45:30") == (22705, 28079)
    assert write_fsn([NOTE])[:32] == HEAD
    assert len(write_fsn([NOTE] * 3)) == 4964


def test_a_file_of_one_record() -> None:
    assert read_fsn(HEAD + FILE_RECORD) == read_fsn(write_fsn([NOTE]))
    assert read_fsn(HEAD + FILE_RECORD).notes == (NOTE,)
    assert write_fsn([NOTE])[: 32 + 100] == HEAD + FILE_RECORD[:100]


def test_the_other_version_word_is_taken_too() -> None:
    assert read_fsn(HEAD[:12] + b"\x2f\x00" + HEAD[14:] + FILE_RECORD).notes == (NOTE,)


def test_an_empty_file_has_no_notes() -> None:
    assert read_fsn(HEAD[:20] + bytes(4) + HEAD[24:]).notes == ()


@pytest.mark.parametrize(
    ("data", "offset", "why"),
    [
        (b"", 0, "0 bytes are no head of 32"),
        (HEAD[:31], 31, "31 bytes are no head of 32"),
        (b"\x15" + HEAD[1:] + FILE_RECORD, 0, "it begins with"),
        (HEAD[:12] + b"\x30" + HEAD[13:] + FILE_RECORD, 8, "an unknown version"),
        (HEAD[:14] + b"s" + HEAD[15:] + FILE_RECORD, 8, "an unknown version"),
        (HEAD[:30] + b"\x04\x00" + FILE_RECORD, 24, "the head ends with"),
        (HEAD[:20] + b"\x02" + HEAD[21:] + FILE_RECORD, 1676, "2 records make 3320 bytes, the file has 1676"),
        (HEAD + FILE_RECORD[:-1], 1675, "1 records make 1676 bytes, the file has 1675"),
        (HEAD + FILE_RECORD + b"\x00", 1676, "1 records make 1676 bytes, the file has 1677"),
        (HEAD[:20] + b"\xff\xff\xff\xff" + HEAD[24:], 20, "4294967295 records are more than 20000"),
    ],
)
def test_what_is_no_file_is_refused_with_its_place(data: bytes, offset: int, why: str) -> None:
    with pytest.raises(FsnError) as refused:
        read_fsn(data)
    assert refused.value.offset == offset
    assert refused.value.why.startswith(why)


@pytest.mark.parametrize(
    ("at", "value", "why"),
    [(4, 4, "4 is neither fake"), (24, 13, "a serial number of 13 letters"), (26, 0x4E2D, "4E2D is no letter")],
)
def test_a_bad_record_is_named_and_the_others_are_read(at: int, value: int, why: str) -> None:
    bad = bytearray(FILE_RECORD)
    bad[at : at + 2] = value.to_bytes(2, "little")
    found = read_fsn(HEAD[:20] + b"\x03" + HEAD[21:] + FILE_RECORD + bytes(bad) + FILE_RECORD)
    assert found.notes == (NOTE, NOTE)
    (one,) = found.bad
    assert (one.number, one.offset) == (2, 32 + RECORD_BYTES + at)
    assert one.why.startswith(why)


def test_a_record_of_another_length_is_none() -> None:
    for wrong in (b"", FILE_RECORD[:99], FILE_RECORD[:-1], FILE_RECORD + b"\0"):
        with pytest.raises(RecordError):
            file_note(wrong)


def test_the_flags_of_a_file() -> None:
    found = [file_note(FILE_RECORD[:4] + bytes([flag]) + FILE_RECORD[5:]).fitness for flag in range(4)]
    assert found == ["suspect", "fit", "unfit", "unfit"]


def test_what_no_record_can_hold_is_not_written() -> None:
    for wrong in (
        Note(70_000, "CNY", Fitness.FIT, "A"),
        Note(1, "CNYYY", Fitness.FIT, "A"),
        Note(1, "CNY", Fitness.FIT, "A" * 13),
        Note(1, "CNY", Fitness.FIT, "冠"),
    ):
        with pytest.raises(ValueError, match="record"):
            write_fsn([wrong])
    assert RECORDS_MAX * RECORD_BYTES < 1 << 26


_notes = st.builds(
    Note,
    st.integers(1, 0xFFFF),
    st.sampled_from(["CNY", "USD", "HKD"]),
    st.sampled_from([Fitness.FIT, Fitness.UNFIT, Fitness.SUSPECT]),
    st.text("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789*?", max_size=12),
    st.text("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789", max_size=24),
    st.integers(0, 9999),
    st.datetimes(datetime(1980, 1, 1), datetime(2107, 12, 31)).map(  # noqa: DTZ001 - a counter's clock has no zone
        lambda when: when.replace(microsecond=0, second=when.second // 2 * 2).isoformat()
    ),
    st.none(),
    st.tuples(*[st.integers(0, 0xFFFF)] * 3),
)


@given(st.lists(_notes, max_size=4))
def test_what_is_written_is_read(notes: list[Note]) -> None:
    assert read_fsn(write_fsn(notes)) == read_fsn(write_fsn(list(read_fsn(write_fsn(notes)).notes)))
    assert read_fsn(write_fsn(notes)).notes == tuple(notes)


@given(st.binary(max_size=4000), st.integers(0, 3))
def test_any_bytes_are_a_file_or_refused(data: bytes, count: int) -> None:
    for made in (data, HEAD[:20] + count.to_bytes(4, "little") + HEAD[24:] + data):
        try:
            found = read_fsn(made)
        except FsnError:
            continue
        assert len(found.notes) + len(found.bad) == (len(made) - 32) // RECORD_BYTES
        assert all(32 <= one.offset < len(made) for one in found.bad)

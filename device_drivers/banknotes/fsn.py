"""FSN files: the serial numbers of banknotes 冠字号 that a counter exports, read and written. Pure bytes.

Knows the head and the size of a file, and names each record that is none with its place; must not know where files
lie. Source: devices.md section 5.1; whether word 2E or 2F stands for "with image" is unverified, both are taken.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass

from device_drivers.banknotes.mistakes import Mistake, MistakeError
from device_drivers.banknotes.note import Fitness, Note
from device_drivers.banknotes.record import (
    DAMAGED,
    FAKE,
    GENUINE,
    HEAD_BYTES,
    IMAGE_BYTES,
    MACHINE_LETTERS,
    RECORD_BYTES,
    SERIAL_LETTERS,
    RecordError,
    file_note,
    words,
)

FILE_HEAD_BYTES = 32
RECORDS_MAX = 20_000  # 33 MB; a counter's file holds a day of some thousands
_BEGIN = struct.pack("<4H", 20, 10, 7, 26)
_SNO = struct.pack("<3H", *b"SNo")
_END = struct.pack("<4H", 0, 1, 2, 3)
_VERSIONS = (struct.pack("<3H", 0, 1, 0x2E), struct.pack("<3H", 0, 1, 0x2F))
_FLAGS = {Fitness.FIT: GENUINE, Fitness.UNFIT: DAMAGED, Fitness.SUSPECT: FAKE, Fitness.UNRECOGNIZED: FAKE}


class FsnError(MistakeError):
    """A file that is no FSN file; `offset` is the byte that says so."""


@dataclass(frozen=True, slots=True)
class BadRecord:
    """A record of the file that cannot be read: its number from 1, and the byte of the file that says so."""

    number: int
    offset: int
    mistake: Mistake

    @property
    def why(self) -> str:
        return str(self.mistake)


@dataclass(frozen=True, slots=True)
class FsnFile:
    """What a file holds, in its order."""

    notes: tuple[Note, ...]
    bad: tuple[BadRecord, ...]


def read_fsn(data: bytes) -> FsnFile:
    """The notes of a file, and what in it is none. Raises FsnError when it is no FSN file, or was cut."""
    count = _count(data)
    notes: list[Note] = []
    bad: list[BadRecord] = []
    for number in range(1, count + 1):
        at = FILE_HEAD_BYTES + (number - 1) * RECORD_BYTES
        try:
            notes.append(file_note(data[at : at + RECORD_BYTES]))
        except RecordError as error:
            bad.append(BadRecord(number, at + error.offset, error.mistake))
    return FsnFile(tuple(notes), tuple(bad))


def _count(data: bytes) -> int:
    """How many records it has, by its head and its size, which must agree."""
    if len(data) < FILE_HEAD_BYTES:
        raise FsnError(len(data), "head_short", size=len(data), bound=FILE_HEAD_BYTES)
    if data[:8] != _BEGIN:
        raise FsnError(0, "begins", found=data[:8].hex(" "), wanted=_BEGIN.hex(" "))
    if data[8:14] not in _VERSIONS or data[14:20] != _SNO:
        raise FsnError(8, "version", found=data[8:20].hex(" "))
    if data[24:32] != _END:
        raise FsnError(24, "head_end", found=data[24:32].hex(" "), wanted=_END.hex(" "))
    count = int.from_bytes(data[20:24], "little")
    if count > RECORDS_MAX:
        raise FsnError(20, "many", count=count, bound=RECORDS_MAX)
    size = FILE_HEAD_BYTES + count * RECORD_BYTES
    if len(data) != size:
        raise FsnError(min(len(data), size), "size", count=count, wanted=size, found=len(data))
    return count


def write_fsn(notes: Iterable[Note]) -> bytes:
    """A file of these notes, without pictures. Raises ValueError for what no record can hold."""
    records = [_record(note) for note in notes]
    if len(records) > RECORDS_MAX:
        raise ValueError(f"{len(records)} records are more than {RECORDS_MAX}")
    count = struct.pack("<I", len(records))
    return _BEGIN + _VERSIONS[0] + _SNO + count + _END + b"".join(records)


def _record(note: Note) -> bytes:
    if not 0 <= note.value <= 0xFFFF:
        raise ValueError(f"a record holds values up to 65535, not {note.value}")
    errors = (*note.errors, 0, 0, 0)[:3]
    head = struct.pack("<6H", *words(note.taken), _FLAGS[note.fitness], *errors)
    head += _letters(note.currency, 4) + struct.pack("<3H", note.edition, note.value, len(note.serial))
    head += _letters(note.serial, SERIAL_LETTERS) + _letters(note.machine, MACHINE_LETTERS) + bytes(2)
    assert len(head) == HEAD_BYTES
    return head + bytes(IMAGE_BYTES)


def _letters(text: str, places: int) -> bytes:
    if len(text) > places or not text.isascii():
        raise ValueError(f"a record has {places} plain letters there, not {text!r}")
    return b"".join(struct.pack("<H", ord(letter)) for letter in text).ljust(2 * places, b"\0")

"""The 1644 bytes that tell of one note, in both layouts: of FSN files and of the live frame. Pure bytes.

Knows fields and their places; must not know frames or files around them. Source: devices.md sections 5.1 and 5.2
(several independent decoders agree on the file's, one tells of the live one's). Little-endian throughout.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import datetime

from device_drivers.banknotes.mistakes import MistakeError
from device_drivers.banknotes.note import Fitness, Note

HEAD_BYTES = 100
IMAGE_BYTES = 1544  # a small picture of the serial number; its layouts differ, and nothing here looks at it
RECORD_BYTES = HEAD_BYTES + IMAGE_BYTES
SERIAL_LETTERS, MACHINE_LETTERS, CURRENCY_LETTERS = 12, 24, 4
FAKE, GENUINE, DAMAGED, OLD_EDITION = 0, 1, 2, 3
_FITNESS = {
    FAKE: Fitness.SUSPECT,
    GENUINE: Fitness.FIT,
    DAMAGED: Fitness.UNFIT,
    OLD_EDITION: Fitness.UNFIT,
}
# Places of the fields that both layouts have in common begin at the currency.
_DATE, _TIME, _FLAG, _OWN, _CURRENCY, _EDITION, _VALUE, _LETTERS, _SERIAL, _MACHINE = 0, 2, 4, 6, 12, 20, 22, 24, 26, 50


class RecordError(MistakeError):
    """A record that is none; `offset` counts from its first byte."""


@dataclass(frozen=True, slots=True)
class _Raw:
    flag: int
    value: int
    edition: int
    number: int | None
    errors: tuple[int, ...]


def file_note(record: bytes) -> Note:
    """A record of an FSN file. Raises RecordError."""
    value, edition = _word(record, _VALUE), _word(record, _EDITION)
    errors = struct.unpack_from("<3H", record, _OWN)
    return _note(record, _Raw(_word(record, _FLAG), value, edition, None, errors))


def live_note(record: bytes) -> Note:
    """A record of the live frame: a wide value and the note's number stand where the file has error codes."""
    value, number = struct.unpack_from("<IH", record, _OWN)
    return _note(record, _Raw(_word(record, _FLAG), value, _word(record, _EDITION), number, ()))


def _note(record: bytes, raw: _Raw) -> Note:
    if len(record) != RECORD_BYTES:
        raise RecordError(len(record), "record_size", bound=RECORD_BYTES)
    if raw.flag not in _FITNESS:
        raise RecordError(_FLAG, "flag", found=raw.flag)
    letters = _word(record, _LETTERS)
    if letters > SERIAL_LETTERS:
        raise RecordError(_LETTERS, "serial", count=letters)
    return Note(
        raw.value,
        _text(record, _CURRENCY, CURRENCY_LETTERS),
        _fitness(raw),
        _text(record, _SERIAL, letters),
        _text(record, _MACHINE, MACHINE_LETTERS),
        raw.edition,
        moment(_word(record, _DATE), _word(record, _TIME)),
        raw.number,
        raw.errors,
    )


def _fitness(raw: _Raw) -> Fitness:
    """A note without a value is no note of the sum, whatever the flag says."""
    return _FITNESS[raw.flag] if raw.value else Fitness.UNRECOGNIZED


def _text(record: bytes, at: int, letters: int) -> str:
    """16-bit letters up to the first zero; anything but plain ASCII is no record."""
    text = ""
    for place in range(at, at + 2 * letters, 2):
        code = _word(record, place)
        if code == 0:
            break
        if not 0x20 <= code < 0x7F:
            raise RecordError(place, "letter", found=f"{code:04X}")
        text += chr(code)
    return text.strip()


def _word(record: bytes, at: int) -> int:
    if len(record) < HEAD_BYTES:
        raise RecordError(len(record), "record_size", bound=RECORD_BYTES)
    return int.from_bytes(record[at : at + 2], "little")


def moment(date: int, time: int) -> str:
    """The two words as a time; empty where there is no such one: a clock that was never set costs no note."""
    try:
        day, clock = (1980 + (date >> 9), date >> 5 & 0x0F, date & 0x1F), (time >> 11, time >> 5 & 0x3F)
        return datetime(*day, *clock, (time & 0x1F) * 2).isoformat()  # noqa: DTZ001 - of no known zone
    except ValueError:
        return ""


def words(moment: str) -> tuple[int, int]:
    """A time as the two words; seconds are even."""
    if not moment:
        return 0, 0
    when = datetime.fromisoformat(moment)
    date = (when.year - 1980) << 9 | when.month << 5 | when.day
    return date, when.hour << 11 | when.minute << 5 | when.second // 2

"""The live frame of banknote counters: one for each note that passes. Pure bytes, any slices.

Knows where a frame begins and ends, and names with its place whatever is none; must not know what a batch is.
Source: devices.md section 5.2 (one source; the byte order of the length is unverified, so both are taken).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from device_drivers.banknotes.mistakes import Mistake
from device_drivers.banknotes.note import Note
from device_drivers.banknotes.record import RECORD_BYTES, RecordError, live_note

HEAD, TAIL = b"\xae\xae\xae\xae", b"\xbe\xbe\xbe\xbe"
LENGTH = 2 + RECORD_BYTES + len(TAIL)  # of what follows the length word
LENGTHS = (LENGTH.to_bytes(2, "little"), LENGTH.to_bytes(2, "big"))
MODES = (b"\x01\x00", b"\x00\x01")  # the only mode known, in the order of whichever length
_LENGTH_AT, _MODE_AT, _RECORD_AT = 4, 6, 8
_TAIL_AT = _RECORD_AT + RECORD_BYTES
FRAME_BYTES = _TAIL_AT + len(TAIL)


@dataclass(frozen=True, slots=True)
class Bad:
    """Something that began as a frame and is none. `offset` counts from the first byte that this reader was fed."""

    offset: int
    why: str
    mistake: Mistake | None = field(default=None, compare=False)  # the same, for readers of any language


def frame(record: bytes, *, big_endian_length: bool = False) -> bytes:
    """The frame around a record of 1644 bytes."""
    if len(record) != RECORD_BYTES:
        raise ValueError(f"a record has {RECORD_BYTES} bytes, not {len(record)}")
    return HEAD + LENGTHS[big_endian_length] + MODES[0] + record + TAIL


class NoteReader:
    """Bytes in, notes and bad frames out, in order. Holds less than a frame beyond what one `feed` brings."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._at = 0  # of the buffer's first byte
        self.garbage_bytes = 0  # bytes outside of good frames, those of bad frames included
        self.bad_frames = 0

    def feed(self, data: bytes) -> list[Note | Bad]:
        """Whatever is whole now."""
        self._buffer += data
        told: list[Note | Bad] = []
        while (one := self._next()) is not None:
            if isinstance(one, Bad):
                self.bad_frames += 1
            told.append(one)
        return told

    def quiet(self) -> list[Note | Bad]:
        """The line fell silent: a frame that is not whole now never will be. Tells it, and what it had swallowed."""
        told: list[Note | Bad] = []
        while self._buffer:
            if self._buffer.startswith(HEAD):
                self.bad_frames += 1
                cut = Mistake("cut", {"count": len(self._buffer)})
                told.append(Bad(self._at, str(cut), cut))
            self._skip(1)
            told += self.feed(b"")
        return told

    @property
    def half(self) -> bool:
        """Whether a frame, or what may become one, has begun."""
        return bool(self._buffer)

    def _next(self) -> Note | Bad | None:
        self._seek()
        if len(self._buffer) < _RECORD_AT:
            return None
        if why := _wrong_head(self._buffer):
            return self._refuse(why)
        if len(self._buffer) < FRAME_BYTES:
            return None
        if self._buffer[_TAIL_AT:FRAME_BYTES] != TAIL:
            return self._refuse(Mistake("frame_end", {"found": self._buffer[_TAIL_AT:FRAME_BYTES].hex(" ")}))
        return self._take()

    def _take(self) -> Note | Bad:
        record, at = bytes(self._buffer[_RECORD_AT:_TAIL_AT]), self._at
        self._drop(FRAME_BYTES)
        try:
            return live_note(record)
        except RecordError as error:
            self.garbage_bytes += FRAME_BYTES
            return Bad(at + _RECORD_AT + error.offset, error.why, error.mistake)

    def _refuse(self, mistake: Mistake) -> Bad:
        bad = Bad(self._at, str(mistake), mistake)
        self._skip(1)
        return bad

    def _seek(self) -> None:
        """Lets go of everything before a head, or before what may become one."""
        at = self._buffer.find(HEAD)
        if at < 0:
            at = len(self._buffer) - next(n for n in (3, 2, 1, 0) if self._buffer.endswith(HEAD[:n]))
        elif at + _LENGTH_AT < len(self._buffer):
            while self._buffer[at + _LENGTH_AT : at + _LENGTH_AT + 1] == HEAD[:1]:  # no length begins so: noise before
                at += 1
        self._skip(at)

    def _skip(self, count: int) -> None:
        self.garbage_bytes += count
        self._drop(count)

    def _drop(self, count: int) -> None:
        del self._buffer[:count]
        self._at += count


def _wrong_head(buffer: bytearray) -> Mistake | None:
    if bytes(buffer[_LENGTH_AT:_MODE_AT]) not in LENGTHS:
        return Mistake("length", {"found": buffer[_LENGTH_AT:_MODE_AT].hex(" "), "wanted": LENGTH})
    if bytes(buffer[_MODE_AT:_RECORD_AT]) not in MODES:
        return Mistake("mode", {"found": buffer[_MODE_AT:_RECORD_AT].hex(" ")})
    return None

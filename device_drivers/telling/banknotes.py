"""A banknote counter's live frames in words; serial numbers are masked here as everywhere."""

from __future__ import annotations

from device_drivers.banknotes.note import Note
from device_drivers.banknotes.protocol import NoteReader
from device_drivers.telling.tellers import Direction, Said


class Telling:
    """See `tellers.Teller`. Nothing is ever written to it."""

    def __init__(self) -> None:
        self._notes = NoteReader()

    def feed(self, direction: Direction, data: bytes) -> list[Said]:
        if direction == "write":
            return []
        return [
            Said("note", {"value": one.value, "serial": one.masked})
            if isinstance(one, Note)
            else Said("note_bad", {"why": one.mistake or one.why})
            for one in self._notes.feed(data)
        ]

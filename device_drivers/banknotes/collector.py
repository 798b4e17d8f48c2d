"""Batches out of what a counter says: one ends with a silence, or where the counter begins to number anew.

Pure: time is handed in. Knows when a batch may be believed to have been heard from its beginning to its end; must not
know lines nor who waits for it.
"""

from __future__ import annotations

from dataclasses import dataclass

from device_drivers.banknotes.batch import BAD_FRAME, CUT, NOISE, Batch, Counted
from device_drivers.banknotes.note import Note
from device_drivers.banknotes.protocol import Bad, NoteReader


@dataclass(frozen=True, slots=True)
class Began:
    """The first note of a batch, or what may have been one, has passed."""


Item = Began | Counted


class Collector:
    """`begin` when the line was opened; `hear` what came; `silent` when nothing came for `gap_s`."""

    def __init__(self, *, gap_s: float, numbered: bool, most: int) -> None:
        self.gap_s = gap_s
        self.reader = NoteReader()
        self.machine = ""  # the counter's own number, as its notes bear it
        self._numbered, self._most = numbered, most
        self._batch: Batch | None = None
        self._sure = False  # a silence was heard on this line: what comes now begins here
        self._heard_s = 0.0
        self._garbage_from = 0

    @property
    def waits(self) -> bool:
        """Whether a silence would tell anything."""
        noise = self.reader.garbage_bytes != self._garbage_from
        return self._batch is not None or self.reader.half or noise or not self._sure

    def left_s(self, now: float) -> float:
        """How much silence is still missing."""
        return max(0.0, self._heard_s + self.gap_s - now)

    def begin(self, now: float) -> None:
        """The line is open (again): a batch may be under way of which the beginning was not heard."""
        self.reader.quiet()
        self._sure, self._heard_s, self._garbage_from = False, now, self.reader.garbage_bytes

    def hear(self, data: bytes, now: float) -> list[Item]:
        """What these bytes come to."""
        self._heard_s = now
        return self._sort(self.reader.feed(data))

    def silent(self) -> list[Item]:
        """Nothing came for `gap_s`: what is under way has ended."""
        told = self._sort(self.reader.quiet())
        if self._batch is not None:
            told.append(self._end(self._batch))
        self._sure, self._garbage_from = True, self.reader.garbage_bytes
        return told

    def abandon(self, why: str) -> list[Item]:
        """The line is lost: what is under way will never be known whole."""
        if self._batch is None:
            return []
        self._batch.spoil(why)
        return [self._end(self._batch)]

    def _sort(self, events: list[Note | Bad]) -> list[Item]:
        told: list[Item] = []
        for event in events:
            if isinstance(event, Note) and self._batch is not None and self._batch.begins_anew(event):
                told.append(self._end(self._batch))
            if self._batch is None:
                told.append(Began())
            batch = self._open()
            if isinstance(event, Note):
                self.machine = event.machine or self.machine
                batch.add(event)
            else:
                batch.spoil(BAD_FRAME, offset=event.offset, why=event.why)
        return told

    def _open(self) -> Batch:
        if self._batch is None:
            self._batch = Batch(self._most, self._numbered)
            if not self._sure:
                self._batch.spoil(CUT)
        return self._batch

    def _end(self, batch: Batch) -> Counted:
        noise = self.reader.garbage_bytes - self._garbage_from
        if noise and not batch.spoilt:
            batch.spoil(NOISE, bytes=noise)
        self._batch, self._garbage_from = None, self.reader.garbage_bytes
        return batch.end()

"""Looking at what a banknote counter exported: the notes of an FSN file, and what in it is none.

Knows files of serial numbers; it prints nothing and asks no device.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from device_drivers.banknotes.batch import Counted
from device_drivers.banknotes.fsn import FILE_HEAD_BYTES, RECORDS_MAX, BadRecord, read_fsn
from device_drivers.banknotes.note import Note
from device_drivers.banknotes.record import RECORD_BYTES
from edge_agent.plain_file import open_plain

FILE_BYTES_MAX = FILE_HEAD_BYTES + RECORDS_MAX * RECORD_BYTES


@dataclass(frozen=True, slots=True)
class Export:
    """A file that could be read."""

    counted: Counted
    bad: tuple[BadRecord, ...]

    def as_json(self, file: Path, *, serials: bool) -> dict[str, Any]:
        """`serials`: unmasked, for whoever asked for them."""
        bad = [{"record": one.number, "byte": one.offset, "why": one.why} for one in self.bad]
        notes = [_told(note, serials=serials) for note in self.counted.notes]
        return {"file": str(file), **self.counted.facts(), "bad": bad, "notes": notes}


def read_export(file: Path) -> Export:
    """Raises OSError; FsnError when it is no FSN file."""
    with open_plain(file) as opened:
        found = read_fsn(opened.read(FILE_BYTES_MAX + 1))
    return Export(Counted(found.notes), found.bad)


def _told(note: Note, *, serials: bool) -> dict[str, Any]:
    serial = note.serial if serials else note.masked
    return {
        "serial": serial,
        "value": note.value,
        "cash": note.fitness.value,
        "time": note.taken,
        "machine": note.machine,
    }

"""The bytes of one note: the live frame, and the record and head of FSN files. Made here anew, not by the driver.

Knows devices.md sections 5.1 and 5.2; a test holds them against the driver's reader and against literal bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

FLAGS = {"suspect": 0, "fit": 1, "unfit": 2, "old": 3, "unrecognized": 0}
DATE, TIME = (2024 - 1980) << 9 | 5 << 5 | 17, 13 << 11 | 45 << 5 | 30 // 2  # a counter's clock that nobody sets
IMAGE = bytes(1544)
HEAD, TAIL = bytes.fromhex("AE AE AE AE"), bytes.fromhex("BE BE BE BE")
MODE_LIVE = 1


@dataclass(frozen=True)
class Note:
    """A real note: what it is worth, what the counter will hold of it, and its serial number."""

    value: int
    cash: str
    serial: str
    currency: str = "CNY"

    def plain(self) -> dict[str, Any]:
        """As JSON."""
        return {"value": self.value, "cash": self.cash, "serial": self.serial, "currency": self.currency}

    @property
    def shown(self) -> int:
        """The value that the counter tells."""
        return 0 if self.cash == "unrecognized" else self.value


def live_frame(note: Note, number: int, machine: str, byte_order: str) -> bytes:
    """What is sent for it."""
    record = struct.pack("<3HIH", DATE, TIME, FLAGS[note.cash], note.shown, number)
    record += _wide(note.currency, 4) + struct.pack("<3H", 2, 0, len(note.serial))
    record += _wide(note.serial, 12) + _wide(machine, 24) + bytes(2) + IMAGE
    length = (2 + len(record) + len(TAIL)).to_bytes(2, "little" if byte_order == "little" else "big")
    return HEAD + length + struct.pack("<H", MODE_LIVE) + record + TAIL


def fsn_file(notes: Sequence[Note], machine: str) -> bytes:
    """The file that the counter exports of a batch."""
    head = struct.pack("<10H", 20, 10, 7, 26, 0, 1, 0x2E, ord("S"), ord("N"), ord("o"))
    head += struct.pack("<I4H", len(notes), 0, 1, 2, 3)
    return head + b"".join(_file_record(note, machine) for note in notes)


def _file_record(note: Note, machine: str) -> bytes:
    record = struct.pack("<6H", DATE, TIME, FLAGS[note.cash], 0, 0, 0) + _wide(note.currency, 4)
    record += struct.pack("<3H", 2, note.shown, len(note.serial))
    return record + _wide(note.serial, 12) + _wide(machine, 24) + bytes(2) + IMAGE


def _wide(text: str, letters: int) -> bytes:
    return text.encode("utf-16-le").ljust(2 * letters, b"\0")

"""A journal opened to be read from outside, and the form of what does not agree in it.

Knows the file and how a finding is told; must not know what is looked for.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from edge_agent.journal import opening

MAX_FINDINGS = 100


class NoJournal(Exception):
    """There is none in that folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"{folder}: no {opening.NAME}")
        self.folder = folder


@dataclass(frozen=True, slots=True)
class Found:
    """One thing that does not agree. `code` is stable, for scripts; `where` names the row."""

    code: str
    where: str
    detail: str = ""


def open_to_read(folder: Path) -> sqlite3.Connection:
    """A reading connection whose text never fails. Raises NoJournal, sqlite3.Error, UnicodeDecodeError."""
    path = folder / opening.NAME
    if not path.is_file():
        raise NoJournal(folder)
    db = opening.look_into(path)
    db.text_factory = lambda raw: raw.decode(errors="replace")
    return db


def meta_of(db: sqlite3.Connection, key: str) -> str:
    """One entry of the journal about itself."""
    row = db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return str(row[0]) if row else ""

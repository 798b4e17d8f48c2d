"""How much a journal holds: bytes in use, and rows of the tables that grow with what happens, without counting them.

Knows SQLite's page counts and the numbers given and taken back; must not know what is done about it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from edge_agent.journal.tx import Tx
from edge_agent.upkeep.marks import TABLES

_GONE = "rows_gone"  # in the journal: how many rows of each of these tables were removed since it was made


@dataclass(frozen=True, slots=True)
class Size:
    """`free`: pages' bytes in the file that hold nothing now."""

    bytes: int
    rows: int
    free: int


def size_of(tx: Tx) -> Size:
    """Costs the same however long the journal is."""
    page = _pragma(tx, "page_size")
    free = _pragma(tx, "freelist_count") * page
    given = {row["name"]: row["seq"] for row in tx.all("SELECT name, seq FROM sqlite_sequence")}
    gone = json.loads(tx.meta(_GONE) or "{}")
    rows = sum(given.get(table, 0) - gone.get(table, 0) for table in TABLES)
    return Size(_pragma(tx, "page_count") * page - free, rows, free)


def note_gone(tx: Tx, table: str, rows: int) -> None:
    """So many rows were removed from it, in this transaction."""
    if table in TABLES and is_counting(tx):
        gone = json.loads(tx.meta(_GONE))
        tx.set_meta(_GONE, json.dumps({**gone, table: gone.get(table, 0) + rows}))


def is_counting(tx: Tx) -> bool:
    """Whether it is known of each table how many rows were removed."""
    return bool(tx.meta(_GONE))


def begin_counting(tx: Tx) -> None:
    """Once in a journal's life, for one that an older agent began: what it has is counted."""
    if is_counting(tx):
        return
    given = {row["name"]: row["seq"] for row in tx.all("SELECT name, seq FROM sqlite_sequence")}
    there = {table: tx.one(f"SELECT count(*) FROM {table}") for table in TABLES}  # noqa: S608  # our own tables
    gone = {table: given.get(table, 0) - (row[0] if row else 0) for table, row in there.items()}
    tx.set_meta(_GONE, json.dumps(gone))


def _pragma(tx: Tx, name: str) -> int:
    row = tx.one(f"PRAGMA {name}")
    return int(row[0]) if row else 0

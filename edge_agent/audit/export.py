"""Everything that a journal holds as JSON lines, for whoever must look into it elsewhere; also what is left of one.

Knows tables and rows, not what they mean; writes nothing to the journal, and no secret that an address may carry.
"""

# ruff: noqa: S608  # only our own tables and conditions are joined into SQL; values are always bound

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from edge_agent.audit.opened import open_to_read
from edge_agent.journal import opening
from edge_agent.journal.ring import Ring

_JSON = frozenset({"body", "parameters", "facts", "arming", "data", "reply", "memory", "who"})


@dataclass(slots=True)
class Exported:
    """How much was read; `damaged`: table -> why not all of it."""

    rows: dict[str, int] = field(default_factory=dict)
    damaged: dict[str, str] = field(default_factory=dict)


def export(folder: Path, exported: Exported) -> Iterator[str]:
    """One JSON object a line: `table` and `row`; a table that cannot be read whole ends with `unreadable`.

    Raises NoJournal.
    """
    try:
        with closing(open_to_read(folder)) as db:
            db.execute("BEGIN")
            for table in _tables(db):
                yield from _table(db, table, exported)
    except (sqlite3.Error, UnicodeDecodeError) as error:
        exported.damaged[opening.NAME] = str(error)
        yield _line({"table": opening.NAME, "unreadable": str(error)})
    yield from _ring(folder, exported)


def _tables(db: sqlite3.Connection) -> list[str]:
    return [str(row[0]) for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]


def _table(db: sqlite3.Connection, table: str, exported: Exported) -> Iterator[str]:
    """From its beginning, and where that is broken off, from its end down to there."""
    exported.rows[table] = 0
    keys = _keys(db, table)
    last: tuple[Any, ...] | None = None
    for way in ("", " DESC") if keys else ("",):
        try:
            for row in db.execute(_select(table, keys, way)):
                at = tuple(row[key] for key in keys)
                if way and last is not None and at <= last:
                    break
                last = last if way else at
                exported.rows[table] += 1
                yield _line({"table": table, "row": _plain(table, row)})
            if not way:
                return
        except sqlite3.Error as error:
            exported.damaged[table] = str(error)
    yield _line({"table": table, "unreadable": exported.damaged[table]})


def _keys(db: sqlite3.Connection, table: str) -> list[str]:
    columns = [(row["pk"], row["name"]) for row in db.execute(f"PRAGMA table_info('{table}')") if row["pk"]]
    return [name for _, name in sorted(columns)]


def _select(table: str, keys: list[str], way: str) -> str:
    order = ", ".join(f'"{key}"{way}' for key in keys)
    return f'SELECT * FROM "{table}"' + (f" ORDER BY {order}" if order else "")


def _plain(table: str, row: sqlite3.Row) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for name in row.keys():  # noqa: SIM118  # iterating a Row gives its values
        value = row[name]
        if isinstance(value, bytes):
            value = value.decode(errors="replace")
        members[name] = _parsed(value) if name in _JSON and isinstance(value, str) else value
    if table == "documents" and isinstance(members.get("address"), str):
        members["address"] = _without_secrets(members["address"])
    return members


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _without_secrets(address: str) -> str:
    """Whoever has a signed address may fetch the document: its name is kept, the key to it is not."""
    try:
        parts = urlsplit(address)
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
    except ValueError:
        return ""


def _ring(folder: Path, exported: Exported) -> Iterator[str]:
    try:
        ring = Ring(folder / "armed.ring", read_only=True)
    except OSError as error:
        exported.damaged["ring"] = error.strerror or str(error)
        return
    try:
        exported.rows["ring"] = len(ring.entries)
        for entry in ring.entries.values():
            yield _line({"table": "ring", "row": entry})
    finally:
        ring.close()


def _line(members: dict[str, Any]) -> str:
    return json.dumps(members, ensure_ascii=False, separators=(",", ":"))

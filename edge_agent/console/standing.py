"""What the journal of this machine's branch says of itself before people speak of it: its id, its start, what is lost.

Knows the branch.toml and a few rows of the journal; must not know who decides, nor how it is shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass

from edge_agent.audit.verify import open_to_read
from edge_agent.console.people import House


@dataclass(frozen=True, slots=True)
class Standing:
    """`epoch`: which start of the agent this is; `lost`: what was in a machine when a journal was lost, by device."""

    journal: str
    epoch: int
    lost: Mapping[str, str]


def look(house: House) -> Standing:
    """Raises NoJournal, sqlite3.Error, UnicodeDecodeError."""
    with closing(open_to_read(house.journal)) as db:
        words = {row[0]: row[1] for row in db.execute("SELECT key, value FROM meta WHERE key IN ('journal', 'epoch')")}
        lost = db.execute("SELECT device, attempt FROM lanes WHERE shut = 1 AND reason = 'journal_lost'").fetchall()
    shut = {row["device"]: row["attempt"] for row in lost}
    return Standing(words.get("journal", ""), int(words.get("epoch", "0")), shut)

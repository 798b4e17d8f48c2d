"""Looking into a branch's journal on its own machine: where it lies, what is wrong with it, all of it as lines.

Knows folders and files; must not know how anything is shown. The agent may run meanwhile: nothing is written.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from edge_agent import settings
from edge_agent.audit.export import Exported, export
from edge_agent.audit.proof import Proof, Wanted, head_of, prove, rows
from edge_agent.audit.verify import NoJournal, Verdict, open_to_read, verify
from edge_agent.clock.kernel import utc_now
from edge_agent.journal.tx import Tx
from edge_agent.upkeep.ceiling import is_full
from edge_agent.upkeep.size import size_of
from edge_agent.upkeep.wearing import told

__all__ = [
    "Export",
    "NoJournal",
    "Proof",
    "Verdict",
    "Wanted",
    "folder_of",
    "head_of",
    "prove",
    "rows",
    "verify",
    "worn",
]


def worn(folder: Path) -> dict[str, int]:
    """What it has cost the flash, and what it holds: counts and bytes by name. Raises NoJournal, sqlite3.Error.

    Beside a running agent up to a minute old.
    """
    with closing(open_to_read(folder)) as db:
        db.execute("BEGIN")
        tx = Tx(db, utc_now)
        size = size_of(tx)
        return {**told(tx), "held": size.bytes, "free": size.free, "rows": size.rows, "full": int(is_full(tx))}


def folder_of(folder: Path | None, config: Path | None) -> Path | None:
    """The folder that was named, or that a branch.toml names; None when not exactly one was. Raises BadConfig."""
    if (folder is None) == (config is None):
        return None
    return folder or settings.load(config or Path()).journal.folder


@dataclass(slots=True)
class Export:
    """One export; what it came to is known when it is done."""

    folder: Path
    done: Exported = field(default_factory=Exported)

    def lines(self) -> Iterator[str]:
        """Raises NoJournal."""
        return export(self.folder, self.done)

    def to(self, out: TextIO) -> None:
        """Raises NoJournal, OSError."""
        out.writelines(line + "\n" for line in self.lines())

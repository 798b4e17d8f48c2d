"""A printer's jobs and the paper that they make: states by time, pages counted from the documents.

Knows RFC 8011's job states and one sheet path; must not know requests or bytes of a wire.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import asdict, dataclass, field
from typing import Any

PENDING, HELD, PROCESSING, STOPPED, CANCELED, ABORTED, COMPLETED = range(3, 10)
ENDS = (CANCELED, ABORTED, COMPLETED)

_PAGE = re.compile(rb"/Type\s*/Page(?![A-Za-z])")
_REPRINT = re.compile(rb"/Title\(REPRINT (\d+) ")


@dataclass
class Paper:
    """What one document comes to: its pages, and the number that a reprint's cover bears."""

    sha256: str
    media_type: str
    pages: int
    reprint: int = 0


def paper_of(media_type: str, data: bytes) -> Paper:
    """Counts the pages of a PDF; anything else, and a PDF whose pages cannot be found, is one."""
    pages = len(_PAGE.findall(data)) if media_type == "application/pdf" else 1
    marked = _REPRINT.search(data)
    return Paper(hashlib.sha256(data).hexdigest(), media_type, max(1, pages), int(marked[1]) if marked else 0)


@dataclass
class Job:
    """One job; times are seconds of the machine's clock."""

    id: int
    name: str
    user: str
    created_s: float
    state: int = HELD
    reasons: list[str] = field(default_factory=lambda: ["job-incoming"])
    papers: list[Paper] = field(default_factory=list)
    closed: bool = False  # its last document is there
    pages_done: int = 0
    processing_s: float | None = None
    ended_s: float | None = None
    partial: bool = False  # its document was cut off on the way

    @property
    def ended(self) -> bool:
        return self.state in ENDS

    @property
    def pages(self) -> int:
        return sum(paper.pages for paper in self.papers)

    def detail(self, sheet: int) -> dict[str, Any]:
        """As a line of the ledger tells what lies in the tray."""
        return {
            "sheet": sheet,
            "attempts": [self.name],
            "reprint": max((paper.reprint for paper in self.papers), default=0),
            "void": False,
            "pages": self.pages,
            "pages_done": self.pages_done,
            "sha256": self.papers[-1].sha256 if self.papers else None,
            "job": self.id,
        }

    def saved(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def loaded(cls, saved: dict[str, Any]) -> Job:
        return cls(**{**saved, "papers": [Paper(**paper) for paper in saved["papers"]]})

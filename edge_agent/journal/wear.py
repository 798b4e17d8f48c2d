"""What the agent has cost its disk: bytes that really went there, commits and the transactions that shared them.

Knows the kernel's account of this process (proc(5), /proc/pid/io); must not know what was written.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

_ACCOUNT = Path("/proc/self/io")


def bytes_written() -> int | None:
    """Sent to storage by this process since it began, whole pages, less what was taken back; None: nobody counts."""
    try:
        lines = dict(line.split(": ") for line in _ACCOUNT.read_text("ascii").splitlines())
        return int(lines["write_bytes"]) - int(lines["cancelled_write_bytes"])
    except (OSError, ValueError, KeyError):
        return None


@dataclass(slots=True)
class Wear:
    """Counts since the journal was opened. `bytes`: of the whole process, so documents and ring count too."""

    commits: int = 0
    transactions: int = 0
    begun: int | None = None

    def __post_init__(self) -> None:
        self.begun = bytes_written()

    def count(self, transactions: int) -> None:
        self.commits += 1
        self.transactions += transactions

    @property
    def bytes(self) -> int | None:
        now = bytes_written()
        return None if now is None or self.begun is None else now - self.begun

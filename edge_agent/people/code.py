"""The one-time code: it lets one person become supervisor where nobody can make one, and lies in a file for root.

Knows the file; what the code is good for is said by `staff`.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from edge_agent.journal.opening import sync_folder
from edge_agent.people import hashes

NAME = "people.code"
MAX_BYTES = 200


class OneTimeCode:
    """At most one at a time; survives restarts until it is used."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME

    def kept(self) -> str:
        """Empty when there is none. Raises OSError."""
        try:
            with self.path.open("rb") as file:
                return file.read(MAX_BYTES).decode("ascii", "replace").strip()
        except FileNotFoundError:
            return ""

    def make(self) -> None:
        """A new one, readable by the agent's user and root alone. Raises OSError."""
        begun = self.path.with_name(f"{NAME}.begun")
        begun.unlink(missing_ok=True)
        fd = os.open(begun, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            os.write(fd, f"{hashes.new_code()}\n".encode())
            os.fsync(fd)
        finally:
            os.close(fd)
        begun.replace(self.path)
        sync_folder(self.path.parent)

    def matches(self, given: str) -> bool:
        """Raises OSError."""
        return hashes.same_code(given, self.kept())

    def forget(self) -> None:
        """It was used. Raises OSError."""
        with contextlib.suppress(FileNotFoundError):
            self.path.unlink()
            sync_folder(self.path.parent)

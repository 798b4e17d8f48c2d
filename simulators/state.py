"""The state file: what a machine's metal and memory hold while the simulator's own process is away.

Knows one JSON document and how to replace it so that a power cut leaves the old one or the new one, never half of each.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


class StateError(RuntimeError):
    """The state file cannot be read; the text says what to do."""


class StateFile:
    def __init__(self, path: Path) -> None:
        self.path = path
        self._new = path.with_name(path.name + ".new")
        path.parent.mkdir(parents=True, exist_ok=True)

    def load(self) -> dict[str, Any] | None:
        """The saved document, or None when there is none yet."""
        try:
            saved = json.loads(self.path.read_bytes())
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise StateError(
                f"state file {self.path} is not JSON ({error}): delete it to begin with a new machine"
            ) from error
        if not isinstance(saved, dict):
            raise StateError(f"state file {self.path} is not a JSON object: delete it to begin with a new machine")
        return saved

    def save(self, document: dict[str, Any]) -> None:
        """Return when the document is on disk under its name."""
        fd = os.open(self._new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
        with os.fdopen(fd, "wb") as file:
            file.write(json.dumps(document, ensure_ascii=False).encode())
            file.flush()
            os.fsync(fd)
        self._new.replace(self.path)
        self._sync_directory()

    def _sync_directory(self) -> None:
        fd = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

"""The ledger of effects: one JSON line each, gap-free `n`, on disk before anybody hears of it (contract SIM-1).

Knows files only, not what the effects mean; the lines stand in the state file first, so that neither outruns the other.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from simulators.machine import Effect

Line = dict[str, Any]


class LedgerError(RuntimeError):
    """The ledger file cannot be used; the text says why."""


class Ledger:
    """Append-only. One process at a time; a line torn by a power cut was never confirmed and is cut off."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._fd)
            raise LedgerError(f"ledger {path} is in use by another simulator: stop it or name another file") from error
        self.last_n = self._recover()

    def number(self, effects: Sequence[Effect]) -> list[Line]:
        """Give each effect its line and its `n`. They count once they are appended."""
        return [_line(self.last_n + offset, effect) for offset, effect in enumerate(effects, start=1)]

    def append(self, lines: Sequence[Line]) -> None:
        """Write what is not there yet and return when it is on disk."""
        new = [line for line in lines if line["n"] > self.last_n]
        if not new:
            return
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in new)
        _write_all(self._fd, text.encode())
        os.fsync(self._fd)
        self.last_n = new[-1]["n"]

    def go_on_from(self, n: int) -> None:
        """Never give a number up to `n` again, though this file does not hold it."""
        self.last_n = max(self.last_n, n)

    def close(self) -> None:
        os.close(self._fd)

    def _recover(self) -> int:
        content = self.path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if len(whole) < len(content):
            os.ftruncate(self._fd, len(whole))
        if not whole:
            return 0
        try:
            return int(json.loads(whole.splitlines()[-1])["n"])
        except (ValueError, KeyError, TypeError) as error:
            raise LedgerError(f"ledger {self.path} ends in a line that is not a ledger line: move it away") from error


def read_ledger(path: Path) -> list[Line]:
    """All whole lines of a ledger, oldest first."""
    content = path.read_bytes() if path.exists() else b""
    return [json.loads(line) for line in content[: content.rfind(b"\n") + 1].splitlines()]


def _line(n: int, effect: Effect) -> Line:
    return {
        "n": n,
        "t": round(effect.at_s, 6),
        "device": effect.device,
        "kind": effect.kind,
        "act": effect.act,
        "detail": effect.detail,
    }


def _write_all(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]

"""A link that shows or records every byte that passes through it, and the reader of such recordings.

Knows bytes, directions and monotonic times; must not know frames, nor ever change what passes.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from device_drivers.links.link import Link, LinkError

MAX_BYTES = 16 * 1024 * 1024
DIRECTIONS = ("open", "close", "write", "read", "lost")


@dataclass(frozen=True, slots=True)
class Passing:
    """One thing that happened on a link. `t_s` is monotonic; `why` only with `lost`."""

    t_s: float
    direction: str  # open, close, write (to the device), read (from it), lost
    data: bytes = b""
    why: str = ""

    def to_json(self) -> str:
        """One line of a recording."""
        row: dict[str, Any] = {"t": round(self.t_s, 6), "dir": self.direction}
        if self.data:
            row["hex"] = self.data.hex(" ").upper()
        if self.why:
            row["why"] = self.why
        return json.dumps(row, ensure_ascii=False)


Show = Callable[[Passing], None]


class TapLink:
    """Wraps a link; `show` is called for each passing, writes before they are tried. Silence is not shown."""

    def __init__(self, link: Link, show: Show, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._link = link
        self._show = show
        self._clock = clock

    @property
    def wrapped(self) -> Link:
        """The tapped link."""
        return self._link

    def describe(self) -> str:
        """The address of the tapped link."""
        return self._link.describe()

    async def open(self) -> None:
        """Opens the tapped link."""
        self._tell("open")
        try:
            await self._link.open()
        except LinkError as error:
            self._tell("lost", why=error.why)
            raise

    async def close(self) -> None:
        """Closes the tapped link."""
        self._tell("close")
        await self._link.close()

    async def read(self, max_bytes: int, timeout_s: float) -> bytes:
        """Reads, then shows."""
        try:
            data = await self._link.read(max_bytes, timeout_s)
        except LinkError as error:
            self._tell("lost", why=error.why)
            raise
        if data:
            self._tell("read", data)
        return data

    async def write(self, data: bytes) -> None:
        """Shows, then writes."""
        self._tell("write", data)
        try:
            await self._link.write(data)
        except LinkError as error:
            self._tell("lost", why=error.why)
            raise

    def _tell(self, direction: str, data: bytes = b"", why: str = "") -> None:
        self._show(Passing(self._clock(), direction, data, why))


class Recorder:
    """Appends passings to a recording file, one JSON object per line, up to `max_bytes`; `dropped` counts the rest.

    `about`, of a new file its first line, says what is recorded. Only its owner may read it: it may hold what customers
    were printed.
    """

    def __init__(self, path: Path, *, max_bytes: int = MAX_BYTES, about: Mapping[str, str] | None = None) -> None:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._file = os.fdopen(fd, "a", encoding="utf-8", buffering=1)
        self._room = max_bytes - self._file.tell()
        self.dropped = 0
        if about is not None and not self._file.tell():
            self._file.write(json.dumps({"about": dict(about)}, ensure_ascii=False) + "\n")

    def __call__(self, passing: Passing) -> None:
        line = passing.to_json() + "\n"
        if len(line) > self._room:
            self.dropped += 1
            return
        self._room -= len(line)
        self._file.write(line)

    def close(self) -> None:
        """Closes the file."""
        self._file.close()


class BadRecordingError(ValueError):
    """A line of a file that is none of a recording."""

    def __init__(self, path: Path, line: int, why: Exception) -> None:
        super().__init__(f"{path}, line {line}: not a line of a recording ({why})")
        self.line = line


def read_recording(path: Path) -> Iterator[Passing]:
    """The passings of a recording. A torn last line is left out; any other bad line raises ValueError naming it."""
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            if not line.endswith("\n"):
                return  # the recorder was killed while it wrote
            try:
                row = json.loads(line)
                if number == 1 and isinstance(row, dict) and "about" in row:
                    continue
                yield _passing(row)
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise BadRecordingError(path, number, error) from error


def about_recording(path: Path) -> dict[str, str]:
    """What a recording says of itself: device, kind and address; empty where it says nothing. Raises OSError."""
    with path.open(encoding="utf-8", errors="replace") as file:
        try:
            about = json.loads(file.readline())["about"]
            return {str(name): str(value) for name, value in about.items()}
        except (ValueError, KeyError, TypeError, AttributeError):
            return {}


def _passing(row: dict[str, Any]) -> Passing:
    if row["dir"] not in DIRECTIONS:
        raise ValueError(f"dir is one of {', '.join(DIRECTIONS)}")
    return Passing(float(row["t"]), row["dir"], bytes.fromhex(row.get("hex", "")), str(row.get("why", "")))

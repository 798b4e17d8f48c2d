"""Recordings of what passes on a device's line while the agent works, begun and ended through the door.

Knows lines, files and bounds; must not know frames. A recording changes nothing of what passes, and its end is sure:
by time, by size, by a full disk, or with the agent.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from device_drivers.links.line import Lines, SharedLine
from device_drivers.links.tap import Passing, Recorder
from edge_agent.journal.reserve import free_bytes
from edge_agent.settings import DevicePart

log = logging.getLogger(__name__)
FOLDER = "recordings"
SECONDS_MAX = 3600.0
BYTES_MAX = 16 * 1024 * 1024
AT_ONCE = 4
KEPT = 8  # older ones go: a box is no archive, and its disk is the journal's
ROOM_BYTES = 64 * 1024 * 1024  # left for the journal, whatever is recorded


class NotRecorded(Exception):
    """Why it is not: `busy`, `too_many`, `no_room`, `unknown`, or what the system said."""


@dataclass(slots=True)
class _Recording:
    path: Path
    line: SharedLine
    unwatch: Callable[[], None]
    recorder: Recorder
    end: asyncio.TimerHandle


class Recordings:
    """Of one agent. Everything happens at once, on the loop; `close` ends all."""

    def __init__(self, folder: Path, devices: Mapping[str, DevicePart], lines: Lines) -> None:
        self._folder = folder / FOLDER
        self._devices = devices
        self._lines = lines
        self._running: dict[str, _Recording] = {}

    def begin(self, device: str, name: str, seconds: float, max_bytes: int) -> Path:
        """Where it is written. Raises NotRecorded."""
        part = self._devices.get(device)
        if part is None:
            raise NotRecorded("unknown")
        line = self._lines.line(part.address)
        if device in self._running or any(one.line is line for one in self._running.values()):
            raise NotRecorded("busy")
        if len(self._running) >= AT_ONCE:
            raise NotRecorded("too_many")
        path = self._folder / f"{self._next_number():06}-{device}-{name}.tap"
        try:
            recorder = self._recorder(path, part, min(max_bytes, BYTES_MAX))
        except OSError as error:
            raise NotRecorded(error.strerror or str(error)) from error
        unwatch = line.watch(self._show(device, recorder))
        end = asyncio.get_running_loop().call_later(min(seconds, SECONDS_MAX), self.end, device)
        self._running[device] = _Recording(path, line, unwatch, recorder, end)
        log.info("%s: recording its line into %s for %g s", device, path, min(seconds, SECONDS_MAX))
        return path

    def _next_number(self) -> int:
        """Recordings are in the order of their numbers, whatever the clock says."""
        numbers = (path.name.partition("-")[0] for path in self._folder.glob("*.tap"))
        return 1 + max((int(number) for number in numbers if number.isdecimal()), default=0)

    def _recorder(self, path: Path, part: DevicePart, max_bytes: int) -> Recorder:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        if free_bytes(self._folder) < ROOM_BYTES + max_bytes:
            raise NotRecorded("no_room")
        busy = {one.path for one in self._running.values()}
        old = sorted(set(self._folder.glob("*.tap")) - busy)
        for one in old[: max(0, len(old) - KEPT + 1)]:
            one.unlink()
        return Recorder(path, max_bytes=max_bytes, about=about(part))

    def _show(self, device: str, recorder: Recorder) -> Callable[[Passing], None]:
        loop = asyncio.get_running_loop()

        def show(passing: Passing) -> None:
            try:
                recorder(passing)
            except (OSError, ValueError) as error:  # a full disk, or closed already: what passes is not disturbed
                log.warning("%s: recording ended: %s", device, error)
                loop.call_soon(self.end, device)
                return
            if recorder.dropped:
                loop.call_soon(self.end, device)

        return show

    def end(self, device: str) -> bool:
        """Whether one was running."""
        one = self._running.pop(device, None)
        if one is None:
            return False
        one.end.cancel()
        one.unwatch()
        one.recorder.close()
        log.info("%s: recording ended, %s", device, one.path)
        return True

    @property
    def running(self) -> dict[str, str]:
        """The file of each device that is being recorded."""
        return {device: str(one.path) for device, one in self._running.items()}

    def close(self) -> None:
        """Ends all."""
        for device in list(self._running):
            self.end(device)


def about(part: DevicePart) -> dict[str, str]:
    """What a recording says of itself."""
    return {"device": part.id, "kind": part.kind, "address": part.address}


def bounds(data: Mapping[str, Any]) -> tuple[str, float, int]:
    """Device, seconds and bytes that were asked for. Raises ValueError."""
    device, seconds, size = data.get("device"), data.get("seconds", 60.0), data.get("bytes", BYTES_MAX)
    if not isinstance(device, str):
        raise ValueError("device: name one")  # noqa: TRY004 - what came in a message, not a mistake of ours
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds <= SECONDS_MAX:
        raise ValueError(f"seconds: more than 0, at most {SECONDS_MAX:g}")
    if isinstance(size, bool) or not isinstance(size, int) or not 0 < size <= BYTES_MAX:
        raise ValueError(f"bytes: 1 to {BYTES_MAX}")
    return device, float(seconds), size

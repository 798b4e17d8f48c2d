"""Recordings from a command line: by the running agent through its door, else of a device asked here; and their words.

Knows files, the door and tellers; must not know how anything is shown.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from device_drivers.links.tap import Passing, Recorder, about_recording, read_recording
from device_drivers.telling import Said, Word, teller
from edge_agent.console.at_device import Place, ask
from edge_agent.frames import in_words
from edge_agent.plain_file import open_own, open_plain
from edge_agent.texts import Texts
from edge_agent.upkeep.recording import about


class NotRecorded(Exception):
    """The agent does not record it: a code of the family `not_recorded`, else of `door_problem`."""

    def __init__(self, code: str, *, known: bool = True) -> None:
        super().__init__(code)
        self.word = Word("not_recorded" if known else "door_problem", code)


@dataclass(frozen=True, slots=True)
class Counted:
    """What a recording holds."""

    file: Path
    pieces: int
    bytes: int
    dropped: int = 0


def begin(place: Place, seconds: float, max_bytes: int) -> Path:
    """Where the agent records. Raises NoDoor, NotRecorded."""
    reply = place.at_door("box.record", seconds=seconds, bytes=max_bytes)
    if "problem" in reply:
        known = reply["problem"] == "not_recorded"
        raise NotRecorded(reply["message"] if known else reply["problem"], known=known)
    return Path(reply["file"])


def goes_on(place: Place) -> bool:
    """Whether the agent records it still. Raises NoDoor."""
    return place.device.id in place.at_door("box.look").get("recordings", {})


def end(place: Place) -> None:
    """Raises NoDoor."""
    place.at_door("box.record_end")


def fetch(file: Path, out: Path) -> Counted:
    """A copy that only its owner may read. Raises OSError, ValueError."""
    if out.exists() and out.samefile(file):
        return counted(out)
    with open_plain(file) as recorded, os.fdopen(open_own(out), "wb") as copy:
        shutil.copyfileobj(recorded, copy)
    return counted(out)


def own(file: Path) -> None:
    """One that was there keeps what it holds, and no old rights. Raises OSError."""
    if file.is_file():
        file.chmod(0o600)


async def record_here(
    place: Place, out: Path, seconds: float, max_bytes: int, settling: Callable[[float], None]
) -> Counted:
    """Raises AgentWorks, OpenAct, DeviceError (what was heard until then is kept), OSError."""
    recorder = Recorder(out, max_bytes=max_bytes, about=about(place.device))
    own(out)
    try:
        await ask(place, show=recorder, for_s=seconds, settling=settling)
    finally:
        recorder.close()
    found = counted(out)
    return Counted(out, found.pieces, found.bytes, recorder.dropped)


def counted(file: Path) -> Counted:
    """Raises OSError, ValueError."""
    passings = list(read_recording(file))
    return Counted(file, len(passings), sum(len(one.data) for one in passings))


@dataclass(frozen=True, slots=True)
class Line:
    """One piece that passed: seconds since the first, which way, its bytes, and what became whole by them."""

    t_s: float
    direction: str
    data: bytes
    why: str
    said: tuple[Said, ...]

    def words(self, texts: Texts) -> list[str]:
        return [in_words(one, texts) for one in self.said]

    def as_json(self, texts: Texts) -> dict[str, Any]:
        members: dict[str, Any] = {"t": round(self.t_s, 6), "dir": self.direction}
        members |= {"hex": self.data.hex(" ").upper()} if self.data else {}
        members |= {"why": self.why} if self.why else {}
        return members | {"said": [{"code": one.code, "words": in_words(one, texts)} for one in self.said]}


def told_by(file: Path) -> dict[str, str]:
    """Device, kind and address, as far as the recording says. Raises OSError."""
    open_plain(file).close()
    return about_recording(file)


def lines(file: Path, kind: str) -> Iterator[Line]:
    """Raises OSError, ValueError."""
    words, first = teller(kind), None
    for one in read_recording(file):
        first = one.t_s if first is None else first
        yield Line(one.t_s - first, one.direction, one.data, one.why, tuple(_said(words, one)))


def _said(words: Any, one: Passing) -> list[Said]:
    way: Literal["write", "read"] | None = {"write": "write", "read": "read"}.get(one.direction)  # type: ignore[assignment]
    return list(words.feed(way, one.data)) if way else []

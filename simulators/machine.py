"""What every simulated machine is to its surroundings: bytes in with the time, timed actions out, no clock inside.

Knows nothing of any protocol, file, socket or event loop; whoever drives it hands in the time and obeys the actions.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

Kind = Literal["act", "show"]
Detail = dict[str, Any]


@dataclass(frozen=True)
class Send:
    """Bytes that leave the machine now."""

    data: bytes


@dataclass(frozen=True)
class Effect:
    """Something that happened to metal (`act`, counted) or was only to be seen (`show`), at the clock's `at_s`."""

    at_s: float
    device: str
    kind: Kind
    act: str
    detail: Detail = field(default_factory=dict)


@dataclass(frozen=True)
class Unplug:
    """The line is pulled out; it is plugged in again after `for_s`, or never by itself when that is None."""

    for_s: float | None


@dataclass(frozen=True)
class Plug:
    """The line is put back."""


@dataclass(frozen=True)
class Paper:
    """A sheet that came off, or a screen as it is lit: `<folder>/<name>.png` and `.txt` beside the ledger.

    Written before the ledger's line; one of the same name is replaced.
    """

    name: str
    png: bytes
    text: str
    folder: str = "sheets"


@dataclass(frozen=True)
class Kept:
    """A file that the machine writes by itself: `<folder>/<name>` beside the ledger, before the ledger's line."""

    name: str
    data: bytes
    folder: str


@dataclass(frozen=True)
class Ready:
    """The machine's ready line: while it is off the port takes no bytes from the host."""

    on: bool


Action = Send | Effect | Unplug | Plug | Paper | Kept | Ready


class ControlError(ValueError):
    """A request of the control interface that cannot be done; the text says what to send instead."""


def verb_of(request: Mapping[str, Any], verbs: Mapping[str, Collection[str]], device: str | None = None) -> str:
    """What the request asks for: one of `verbs`, with that verb's own keys and no other, of `device` if one is given.

    Raises ControlError.
    """
    verb = request.get("do")
    if not isinstance(verb, str) or verb not in verbs:
        raise ControlError(f"'do' must be one of {', '.join(verbs)}, not {verb!r}")
    if device is not None and request.get("device") not in {None, device}:
        raise ControlError(f"'device' must be {device}, not {request['device']!r}")
    for key in request:
        if key not in {"do", "device", *verbs[verb]}:
            raise ControlError(f"{verb!r} has no key {key!r}; it has {', '.join(sorted(verbs[verb])) or 'none'}")
    return verb


class Machine(Protocol):
    """A simulated machine, sans-io. All times are seconds of one monotonic clock that the caller owns.

    The caller calls `receive` with each piece of bytes, `advance` after every `receive` and at `next_time`, writes
    every `Effect` of one `advance` to disk, and only then lets its `Send` bytes go.
    """

    def receive(self, data: bytes, now: float) -> None: ...

    def next_time(self) -> float | None: ...

    def advance(self, now: float) -> list[Action]: ...

    def snapshot(self) -> dict[str, Any]: ...

    def restore(self, saved: Mapping[str, Any], now: float) -> None: ...

    def control(self, request: Mapping[str, Any], now: float) -> dict[str, Any]: ...


@runtime_checkable
class SeesHost(Protocol):
    """A machine that knows whether somebody holds the other end of its line."""

    def host(self, *, present: bool, now: float) -> None: ...


class Agenda:
    """Things to do, by time, then by entry. Nothing is cancelled: each entry checks that it still applies."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Callable[[float], None]]] = []
        self._entries = 0

    def at(self, when_s: float, do: Callable[[float], None]) -> None:
        """Call `do(when_s)` once `when_s` has come."""
        self._entries += 1
        heapq.heappush(self._heap, (when_s, self._entries, do))

    def next_time(self) -> float | None:
        return self._heap[0][0] if self._heap else None

    def run(self, now: float) -> None:
        """Do everything that is due at `now`, each with its own time, entries made meanwhile included."""
        while self._heap and self._heap[0][0] <= now:
            when_s, _, do = heapq.heappop(self._heap)
            do(when_s)

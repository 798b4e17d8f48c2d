"""Reads what strace saw: for each attempt, whether the journal was on disk before the motion frame's first byte left.

Knows system calls and literal frames; must not ask the agent, which may be the one that lies.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

CALLS = "write,pwrite64,pwritev,writev,sendto,sendmsg,fsync,fdatasync,sync_file_range,openat"
MOTIONS = {"draw": "C21", "present": "C29", "draw.undo": "C23"}  # type byte 43, CM, PM as strace prints them
_BEGUN = re.compile(r"^(?P<pid>\d+) +(?P<call>\w+)\((?P<rest>.*)$")
_RESUMED = re.compile(r"^(?P<pid>\d+) +<\.\.\. (?P<call>\w+) resumed>(?P<rest>.*)$")
_FRAME = re.compile(r'"\\362\\0\\0\\3(?P<command>C..)\\3')


@dataclass(frozen=True)
class Call:
    """One finished system call; `begun` and `ended` are line numbers of the trace."""

    name: str
    text: str
    begun: int
    ended: int

    @property
    def worked(self) -> bool:
        return not re.search(r"= -1 E\w+", self.text)


def read_calls(lines: Iterable[str]) -> Iterator[Call]:
    """Joins halves that strace printed apart because another thread spoke in between."""
    open_calls: dict[str, tuple[str, str, int]] = {}
    for number, line in enumerate(lines):
        if found := _RESUMED.match(line):
            name, text, begun = open_calls.pop(found["pid"])
            yield Call(name, text + found["rest"], begun, number)
        elif found := _BEGUN.match(line):
            if found["rest"].endswith("<unfinished ...>"):
                open_calls[found["pid"]] = found["call"], found["rest"], number
            else:
                yield Call(found["call"], found["rest"], number, number)


@dataclass(frozen=True)
class Motion:
    """A motion frame on its way to the machine, and when the arming of its attempt was safe."""

    step: str
    attempt: str
    written: int
    logged: int | None  # the first write of the attempt's id into the journal's WAL
    synced: int | None  # the end of the first fdatasync of the WAL after that

    @property
    def safe(self) -> bool:
        return self.synced is not None and self.synced < self.written


def read_motions(lines: Iterable[str], order: str, line_name: str) -> list[Motion]:
    """Each motion frame written to `line_name` (part of the descriptor's path), with its attempt's evidence."""
    calls = list(read_calls(lines))
    motions: list[Motion] = []
    for call in calls:
        frame = (
            _FRAME.search(call.text) if call.name in {"write", "sendto", "sendmsg"} and line_name in call.text else None
        )
        step = next((s for s, code in MOTIONS.items() if frame and frame["command"] == code), None)
        if step is not None:
            number = 1 + sum(motion.step == step for motion in motions)
            motions.append(_motion(calls, call, step, f"{order}/{step}/{number}"))
    return motions


def _motion(calls: list[Call], written: Call, step: str, attempt: str) -> Motion:
    def first(calls_: Iterable[Call]) -> Call | None:
        return next(iter(calls_), None)

    logged = first(
        c for c in calls if c.name == "pwrite64" and "sqlite3-wal>" in c.text and attempt in c.text and c.worked
    )
    synced = None
    if logged is not None:
        synced = first(
            c
            for c in calls
            if c.name in {"fdatasync", "fsync"} and "sqlite3-wal>" in c.text and c.begun > logged.ended and c.worked
        )
    return Motion(step, attempt, written.begun, logged.ended if logged else None, synced.ended if synced else None)

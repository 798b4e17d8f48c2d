"""The wall clock and how far it can be trusted (INS-5).

Knows the grade of the time; must not be used to order anything: order comes from the journal.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Literal

STA_UNSYNC = 0x0040  # linux/timex.h
TIME_ERROR = 5


class Grade(StrEnum):
    """How the time is known."""

    SYNCED = "synced"  # the kernel says that something disciplines the clock
    HOST = "host"  # configured: the host's clock is taken as it is (the demo)
    UNKNOWN = "unknown"  # nobody vouches for it


class _Timex(ctypes.Structure):
    # struct timex of 64-bit Linux; `status` is the fifth member. The tail is room for what the kernel writes.
    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("tail", ctypes.c_byte * 256),
    )


def kernel_synchronised() -> bool:
    """Whether the kernel says that its clock is disciplined (adjtimex)."""
    libc = ctypes.CDLL(None, use_errno=True)
    answer = _Timex()
    state = libc.adjtimex(ctypes.byref(answer))
    return state not in (-1, TIME_ERROR) and not answer.status & STA_UNSYNC


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Clock:
    """Wall time with its grade; handed to whoever needs it."""

    source: Literal["kernel", "host"] = "kernel"
    now: Callable[[], datetime] = _utc_now
    synchronised: Callable[[], bool] = kernel_synchronised

    def grade(self) -> Grade:
        if self.source == "host":
            return Grade.HOST
        return Grade.SYNCED if self.synchronised() else Grade.UNKNOWN

    def passed(self, deadline: str | datetime | None) -> bool:
        """Whether a deadline has passed; never while the time is unknown."""
        if deadline is None or self.grade() is Grade.UNKNOWN:
            return False
        moment = datetime.fromisoformat(deadline) if isinstance(deadline, str) else deadline
        return self.now() >= moment

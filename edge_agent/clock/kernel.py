"""What the kernel says of its clock: disciplined or not, how far it may be off, which boot this is.

Knows adjtimex and /proc; never sets anything, and does not care which service disciplines the clock.
"""

from __future__ import annotations

import ctypes
import errno
import os
import time
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

STA_UNSYNC = 0x0040  # linux/timex.h
TIME_ERROR = 5
MAX_ERROR_US = 5_000_000  # the kernel adds 500 ppm to maxerror: a service that died 2.7 h ago vouches for nothing
REPORT = "BRANCHGATE_CLOCK_REPORT"  # names the file that `clock.report` writes for who may not ask
REPORT_MAX_AGE_S = 30.0
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class _Timex(ctypes.Structure):
    # struct timex of 64-bit Linux up to `status`. The tail is room for what the kernel writes.
    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),  # microseconds, as esterror
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("tail", ctypes.c_byte * 256),
    )


def kernel_synchronised() -> bool:
    """Whether the kernel says that its clock is disciplined, and within bounds (adjtimex).

    chrony, ntpd and timesyncd all tell the kernel; a step by anybody makes it say no until one of them vouches again.
    Where the unit forbids the call, what a second process wrote down is believed, while it is new.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    answer = _Timex()
    state = libc.adjtimex(ctypes.byref(answer))
    if state == -1 and ctypes.get_errno() in {errno.EPERM, errno.ENOSYS}:
        return _reported()
    disciplined = state not in (-1, TIME_ERROR) and not answer.status & STA_UNSYNC
    return bool(disciplined and max(answer.maxerror, answer.esterror) <= MAX_ERROR_US)


def _reported() -> bool:
    try:
        written_s, word = Path(os.environ[REPORT]).read_text("ascii").split()
        return word == "1" and 0 <= steady_s() - float(written_s) <= REPORT_MAX_AGE_S
    except (KeyError, OSError, ValueError):
        return False


def utc_now() -> datetime:
    """What the host's clock says."""
    return datetime.now(UTC)


def steady_s() -> float:
    """Seconds that only go forward, those of a suspended machine too; wall time minus this changes by steps alone."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


@lru_cache(maxsize=1)
def boot_id() -> str:
    """This boot's own name; empty where the kernel tells none (then nothing outlives a restart of the agent)."""
    try:
        return BOOT_ID.read_text("ascii").strip()
    except OSError:
        return ""

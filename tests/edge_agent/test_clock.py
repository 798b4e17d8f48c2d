"""How far the time can be trusted, and that a deadline never passes while nobody knows the time (INS-5)."""

from __future__ import annotations

import ctypes
import shutil
import struct
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from edge_agent import clock
from edge_agent.clock import STA_UNSYNC, TIME_ERROR, Clock, Grade, kernel_synchronised

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
LONG = ctypes.sizeof(ctypes.c_long)
TIMEX_BYTES = 208  # linux/timex.h on every 64-bit machine
WHOLE = "@I4li3l2ll2li5li44x"  # the same, member by member, as struct reads it


def at(*, synchronised: bool = True, source: str = "kernel") -> Clock:
    return Clock("host" if source == "host" else "kernel", lambda: NOW, lambda: synchronised)


@pytest.mark.rule("INS-5")
def test_grades() -> None:
    assert at(synchronised=True).grade() is Grade.SYNCED
    assert at(synchronised=False).grade() is Grade.UNKNOWN
    assert at(source="host", synchronised=False).grade() is Grade.HOST


def test_the_host_is_not_asked_of_the_kernel() -> None:
    def never() -> bool:
        raise AssertionError

    assert Clock("host", lambda: NOW, never).grade() is Grade.HOST


@pytest.mark.rule("INS-5")
@pytest.mark.parametrize("as_text", [True, False])
def test_deadlines(as_text: bool) -> None:
    def ago(**how: float) -> str | datetime:
        moment = NOW - timedelta(**how)
        return moment.isoformat() if as_text else moment

    for good in (at(), at(source="host", synchronised=False)):
        assert good.passed(ago(seconds=1))
        assert good.passed(ago(seconds=0))
        assert not good.passed(ago(seconds=-1))
        assert not good.passed(None)
    unknown = at(synchronised=False)
    assert not unknown.passed(ago(days=4000))
    assert not unknown.passed(None)


def test_deadlines_in_other_zones() -> None:
    assert at().passed("2026-05-01T20:00:00+08:00")
    assert not at().passed("2026-05-01T20:00:01+08:00")
    assert at().passed("2026-05-01T12:00:00Z")


def test_now_is_utc() -> None:
    assert Clock().now().tzinfo is UTC
    assert abs(Clock().now().timestamp() - time.time()) < 60


# -- the kernel --------------------------------------------------------------------------------------------------------


class Libc:
    """Stands where the C library stands: fills the struct as a kernel would, seen from its bytes."""

    def __init__(self, state: int, status: int) -> None:
        self.state, self.status = state, status
        self.modes: list[int] = []

    def adjtimex(self, pointer: object) -> int:
        timex = pointer._obj  # type: ignore[attr-defined]
        raw = (ctypes.c_byte * TIMEX_BYTES).from_address(ctypes.addressof(timex))
        self.modes.append(struct.unpack_from("@I", raw)[0])
        struct.pack_into("@i", raw, 5 * LONG, self.status)  # status is the member behind four longs and `modes`
        return self.state


@pytest.mark.parametrize(
    ("state", "status", "good"),
    [
        (0, 0x2001, True),
        (0, 0, True),
        (1, 0x2001, True),  # a leap second is announced
        (0, STA_UNSYNC, False),
        (0, 0x2001 | STA_UNSYNC, False),
        (TIME_ERROR, 0x2001, False),
        (-1, 0x2001, False),  # the call itself failed
    ],
)
def test_what_the_kernel_says(monkeypatch: pytest.MonkeyPatch, state: int, status: int, good: bool) -> None:
    libc = Libc(state, status)
    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: libc)
    assert kernel_synchronised() is good
    assert libc.modes == [0], "a mode would set the clock"


def test_the_struct_has_room_for_all_that_the_kernel_writes() -> None:
    assert ctypes.sizeof(clock._Timex) >= TIMEX_BYTES == struct.calcsize(WHOLE)
    assert clock._Timex.modes.offset == 0
    assert clock._Timex.offset.offset == LONG
    assert clock._Timex.status.offset == 5 * LONG


def test_the_running_kernel_writes_where_we_think() -> None:
    """The real call, read a second way: member by member, with a mark behind to see how far it writes."""
    raw = (ctypes.c_ubyte * 512)(*[0] * TIMEX_BYTES, *[0xA5] * (512 - TIMEX_BYTES))
    state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(raw))
    if state == -1:
        assert not kernel_synchronised()
        pytest.skip("this machine forbids asking the kernel for its clock")
    assert bytes(raw[TIMEX_BYTES:]) == b"\xa5" * (512 - TIMEX_BYTES), "the kernel writes more than we leave room for"
    members = struct.unpack(WHOLE, bytes(raw[:TIMEX_BYTES]))
    status, seconds, tick = members[5], members[9], members[11]
    assert abs(seconds - time.time()) < 60
    assert 9_000 <= tick <= 11_000
    assert kernel_synchronised() is (state != TIME_ERROR and not status & STA_UNSYNC)


OFFSETS = """
#include <linux/timex.h>
#include <stddef.h>
_Static_assert(sizeof(struct timex) == 208, "size");
_Static_assert(offsetof(struct timex, modes) == 0, "modes");
_Static_assert(offsetof(struct timex, offset) == sizeof(long), "offset");
_Static_assert(offsetof(struct timex, status) == 5 * sizeof(long), "status");
_Static_assert(STA_UNSYNC == 0x0040 && TIME_ERROR == 5, "numbers");
"""


@pytest.mark.process
def test_the_kernel_header_agrees(tmp_path: Path) -> None:
    compiler = shutil.which("cc")
    if compiler is None or not Path("/usr/include/linux/timex.h").exists():
        pytest.skip("no C compiler with the kernel's headers here; the running kernel is asked in another test")
    source = tmp_path / "offsets.c"
    source.write_text(OFFSETS)
    done = subprocess.run([compiler, "-fsyntax-only", str(source)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

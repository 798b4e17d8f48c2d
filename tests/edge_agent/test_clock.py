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

from edge_agent.clock import Attested, Clock, Grade, kernel
from edge_agent.clock.kernel import MAX_ERROR_US, STA_UNSYNC, TIME_ERROR, boot_id, kernel_synchronised, steady_s
from edge_agent.clock.steadiness import AHEAD_S, BACK_S, SETTLE_S
from tests.edge_agent.parts import NOON, Wall

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


# -- jumps -------------------------------------------------------------------------------------------------------------


@pytest.mark.rule("INS-5")
@pytest.mark.parametrize(
    ("jump_s", "drops"),
    [
        (-BACK_S, False),
        (-BACK_S - 0.1, True),
        (AHEAD_S, False),
        (AHEAD_S + 0.1, True),
        (-2 * 365 * 86400.0, True),
        (-NOON.timestamp(), True),  # 1970
        (10 * 365 * 86400.0, True),
    ],
)
def test_a_jump_drops_the_grade_at_the_next_look(jump_s: float, drops: bool) -> None:
    wall = Wall()
    clock = wall.clock()
    assert clock.grade() is Grade.SYNCED
    wall.lie_s = jump_s
    assert not clock.passed("2000-01-01T00:00:00Z") or not drops
    assert clock.grade() is (Grade.UNKNOWN if drops else Grade.SYNCED)


@pytest.mark.rule("INS-5")
def test_after_a_jump_a_source_must_vouch_anew_for_a_minute() -> None:
    wall = Wall()
    clock = wall.clock()
    clock.grade()
    wall.lie_s = 3600
    assert clock.grade() is Grade.UNKNOWN
    assert clock.doubt == "clock_jumped_ahead"
    wall.seconds += SETTLE_S / 2
    wall.known = False  # it stops vouching: the minute begins again
    clock.grade()
    wall.known = True
    clock.grade()
    wall.seconds += SETTLE_S - 1
    assert clock.grade() is Grade.UNKNOWN
    wall.lie_s = 0  # and again at another jump
    assert clock.grade() is Grade.UNKNOWN
    assert clock.doubt == "clock_stepped_back"
    wall.seconds += SETTLE_S - 1
    assert clock.grade() is Grade.UNKNOWN
    wall.seconds += 2
    assert clock.grade() is Grade.SYNCED
    assert clock.doubt == ""


@pytest.mark.rule("INS-5")
def test_a_clock_that_crawls_is_found_out_though_no_step_is_large() -> None:
    wall = Wall()
    clock = wall.clock()
    for _ in range(10):
        wall.seconds += 0.5
        wall.lie_s -= 0.25
        clock.grade()
    assert clock.grade() is Grade.UNKNOWN


@pytest.mark.rule("INS-5")
def test_time_that_passes_is_no_jump() -> None:
    wall = Wall()
    clock = wall.clock()
    clock.grade()
    wall.seconds += 400 * 86400.0  # a machine that slept, or nobody looked
    assert clock.grade() is Grade.SYNCED


@pytest.mark.rule("INS-5")
def test_a_start_before_the_time_that_was_known_must_settle_first() -> None:
    for behind_s, grade in ((BACK_S + 1, Grade.UNKNOWN), (BACK_S - 1, Grade.SYNCED)):
        clock = Wall().clock()
        clock.begin_after(NOON + timedelta(seconds=behind_s))
        assert clock.grade() is grade
    first = Wall().clock()
    first.begin_after(None)
    assert first.grade() is Grade.SYNCED


# -- people ------------------------------------------------------------------------------------------------------------

BOTH = ("/people/zhang", "/people/li")


@pytest.mark.rule("INS-5")
def test_what_people_confirmed_holds_for_this_boot_and_this_time() -> None:
    wall = Wall(known=False)
    clock = wall.clock()
    said = clock.attestation(BOTH, "i-1")
    assert clock.grade() is Grade.UNKNOWN, "only what the journal has counts"
    clock.believe(said)
    assert clock.grade() is Grade.ATTESTED
    assert clock.passed(NOON)
    wall.seconds += 5 * 86400.0
    assert clock.grade() is Grade.ATTESTED
    wall.known = True
    assert clock.grade() is Grade.SYNCED
    wall.known = False
    wall.restart()  # the agent's process is another one, the boot the same
    wall.clock().believe(said)
    assert wall.clock().grade() is Grade.ATTESTED
    wall.boot = "boot-2"
    wall.restart()
    wall.clock().believe(said)
    assert wall.clock().grade() is Grade.UNKNOWN


@pytest.mark.rule("INS-5")
@pytest.mark.parametrize("jump_s", [-3.0, 301.0, -86400.0 * 730])
def test_what_people_confirmed_lapses_at_a_jump_for_good(jump_s: float) -> None:
    wall = Wall(known=False)
    clock = wall.clock()
    said = clock.attestation(BOTH, "i-1")
    clock.believe(said)
    wall.lie_s = jump_s
    assert clock.grade() is Grade.UNKNOWN
    clock.believe(said)
    assert clock.grade() is Grade.UNKNOWN
    wall.lie_s = 0  # set back by hand: still a time that nobody confirmed
    clock.grade()
    clock.believe(said)
    assert clock.grade() is Grade.UNKNOWN
    clock.believe(clock.attestation(BOTH, "i-2"))
    assert clock.grade() is Grade.ATTESTED


@pytest.mark.rule("INS-5")
def test_a_jump_while_the_agent_was_down_undoes_what_people_confirmed() -> None:
    wall = Wall(known=False)
    said = wall.clock().attestation(BOTH, "i-1")
    wall.restart()
    wall.lie_s = -3600
    wall.clock().believe(said)
    assert wall.clock().grade() is Grade.UNKNOWN


def test_without_a_boots_name_nobody_can_confirm_anything() -> None:
    wall = Wall(known=False, boot="")
    wall.clock().believe(Attested(BOTH, "i-1", "", wall.clock().attestation(BOTH, "i-1").offset_s))
    assert wall.clock().grade() is Grade.UNKNOWN


def test_this_machine_tells_its_boot_and_a_steady_time() -> None:
    assert len(boot_id()) == 36
    before = steady_s()
    assert before <= steady_s() < before + 60


# -- the kernel --------------------------------------------------------------------------------------------------------


class Libc:
    """Stands where the C library stands: fills the struct as a kernel would, seen from its bytes."""

    def __init__(self, state: int, status: int, maxerror: int = 0, esterror: int = 0) -> None:
        self.state, self.status, self.errors = state, status, (maxerror, esterror)
        self.modes: list[int] = []

    def adjtimex(self, pointer: object) -> int:
        timex = pointer._obj  # type: ignore[attr-defined]
        raw = (ctypes.c_byte * TIMEX_BYTES).from_address(ctypes.addressof(timex))
        self.modes.append(struct.unpack_from("@I", raw)[0])
        struct.pack_into("@2l", raw, 3 * LONG, *self.errors)
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


@pytest.mark.rule("INS-5")
@pytest.mark.parametrize(
    ("maxerror", "esterror", "good"),
    [(MAX_ERROR_US, 0, True), (MAX_ERROR_US + 1, 0, False), (0, MAX_ERROR_US, True), (0, MAX_ERROR_US + 1, False)],
)
def test_a_kernel_that_may_be_far_off_vouches_for_nothing(
    monkeypatch: pytest.MonkeyPatch, maxerror: int, esterror: int, good: bool
) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: Libc(0, 0x2001, maxerror, esterror))
    assert kernel_synchronised() is good


def test_the_struct_has_room_for_all_that_the_kernel_writes() -> None:
    assert ctypes.sizeof(kernel._Timex) >= TIMEX_BYTES == struct.calcsize(WHOLE)
    assert kernel._Timex.modes.offset == 0
    assert kernel._Timex.offset.offset == LONG
    assert kernel._Timex.status.offset == 5 * LONG


def test_the_running_kernel_writes_where_we_think() -> None:
    """The real call, read a second way: member by member, with a mark behind to see how far it writes."""
    raw = (ctypes.c_ubyte * 512)(*[0] * TIMEX_BYTES, *[0xA5] * (512 - TIMEX_BYTES))
    state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(raw))
    if state == -1:
        assert not kernel_synchronised()
        pytest.skip("this machine forbids asking the kernel for its clock")
    assert bytes(raw[TIMEX_BYTES:]) == b"\xa5" * (512 - TIMEX_BYTES), "the kernel writes more than we leave room for"
    members = struct.unpack(WHOLE, bytes(raw[:TIMEX_BYTES]))
    errors, status, seconds, tick = members[3:5], members[5], members[9], members[11]
    assert abs(seconds - time.time()) < 60
    assert 9_000 <= tick <= 11_000
    good = state != TIME_ERROR and not status & STA_UNSYNC and max(errors) <= MAX_ERROR_US
    assert kernel_synchronised() is good


OFFSETS = """
#include <linux/timex.h>
#include <stddef.h>
_Static_assert(sizeof(struct timex) == 208, "size");
_Static_assert(offsetof(struct timex, modes) == 0, "modes");
_Static_assert(offsetof(struct timex, offset) == sizeof(long), "offset");
_Static_assert(offsetof(struct timex, maxerror) == 3 * sizeof(long), "maxerror");
_Static_assert(offsetof(struct timex, esterror) == 4 * sizeof(long), "esterror");
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

"""Whether this box's clock can be believed: the kernel, who disciplines it, the report for the agent, the time server.

Knows clocks; sets none.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from edge_agent.clock import lan
from edge_agent.clock.kernel import REPORT_MAX_AGE_S, steady_s, utc_now
from edge_agent.settings import ClockPart
from edge_agent.upkeep.doctor.found import Found, Level
from edge_agent.upkeep.doctor.world import World

AREA = "clock"


async def clock(part: ClockPart, grade: str, world: World) -> AsyncIterator[Found]:
    """`grade`: what the running agent says of it; empty where none runs."""
    if part.source == "host":
        yield Found(Level.NOTE, AREA, "clock_host")
        return
    good = True
    if part.source == "lan":
        found = await _server(part)
        good = found.level is Level.GOOD
        yield found
    if not world.synchronised():
        service = world.time_service()
        level = Level.WARNING if part.source == "lan" and good else Level.ERROR
        yield Found(level, AREA, "clock_unsynchronised" if service else "clock_no_service", service)
    else:
        yield Found(Level.GOOD, AREA, "clock_good")
    if part.source == "kernel" and world.report.parent.exists() and not _is_fresh(world):
        yield Found(Level.ERROR, AREA, "clock_report", str(world.report))
    if grade == "unknown":
        yield Found(Level.ERROR, AREA, "clock_grade")


def _is_fresh(world: World) -> bool:
    try:
        written_s, _ = world.report.read_text("ascii").split()
        return 0 <= steady_s() - float(written_s) <= REPORT_MAX_AGE_S
    except (OSError, ValueError):
        return False


async def _server(part: ClockPart) -> Found:
    server = part.server()
    try:
        off_s = await lan.ask(server, utc_now)
    except (lan.NoTime, OSError, TimeoutError, ValueError) as why:
        return Found(Level.ERROR, AREA, "clock_lan_silent", server.host, {"why": why})
    if abs(off_s) > lan.WITHIN_S:
        return Found(Level.ERROR, AREA, "clock_lan_off", server.host, {"seconds": f"{off_s:+.1f}"})
    return Found(Level.GOOD, AREA, "clock_lan_good", server.host, {"seconds": f"{off_s:+.3f}"})

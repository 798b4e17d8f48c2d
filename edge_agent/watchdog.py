"""What systemd is told: ready, alive (after a real look at loop, journal, lanes and link), stopping.

Knows the notify protocol (sd_notify(3)) and asks others whether they live; restarts nothing itself.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Callable, Iterable

from edge_agent.fleet.lane import Lane
from edge_agent.journal.journal import Journal

log = logging.getLogger(__name__)
JOURNAL_LIMIT_S = 20.0  # a commit slower than this is a dead disk
SEND_LIMIT_S = 0.2  # a manager that does not read must not hold up the branch: sending would wait for it


def notify(message: str) -> None:
    """Sends one message to the service manager, if there is one."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    target = "\0" + address[1:] if address.startswith("@") else address
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.settimeout(SEND_LIMIT_S)
        try:
            sock.sendto(message.encode(errors="replace"), target)
        except OSError as error:
            log.warning("service manager not told %s: %s", message.split("=", 1)[0], error)


def interval_s() -> float | None:
    """How often to say that we live: half of what the unit asks for; None when it does not ask."""
    limit = os.environ.get("WATCHDOG_USEC", "")
    return int(limit) / 2_000_000 if limit.isdigit() and int(limit) else None


async def ailing(journal: Journal, lanes: Iterable[Lane], link_alive: Callable[[], bool]) -> str:
    """What is not alive, or an empty string. That this runs at all shows that the loop is."""
    # Something must be written: an empty commit succeeds on a full disk. Posted, for a write waits for its commit.
    wrote = journal.post(lambda tx: tx.set_meta("alive", tx.now()))
    done, _ = await asyncio.wait([wrote], timeout=JOURNAL_LIMIT_S)
    if not done:
        return f"no commit within {JOURNAL_LIMIT_S:.0f} s"
    if error := wrote.exception():  # a full disk is told and survived; a restart would mend nothing (OUT-4)
        notify("STATUS=" + " ".join(str(error).split()))
    now = asyncio.get_running_loop().time()
    late = [lane.device for lane in lanes if lane.due_s and now > lane.due_s]
    if late:
        return f"lanes do not come round: {', '.join(late)}"
    return "" if link_alive() else "the task of the link has ended"


async def watch(journal: Journal, lanes: list[Lane], link_alive: Callable[[], bool]) -> None:
    """Feeds the watchdog while all is alive; when something is not, says so and lets systemd restart the agent."""
    every_s = interval_s()
    while every_s is not None:
        trouble = await ailing(journal, lanes, link_alive)
        if trouble:
            log.error("watchdog not fed: %s", trouble)
            notify("STATUS=" + " ".join(trouble.split()))  # one line: a second would be another message
        else:
            notify("WATCHDOG=1")
        await asyncio.sleep(every_s)

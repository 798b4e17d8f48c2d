"""Everything that a branch, or every branch, tells, as it comes.

Knows the kinds of messages; it instructs nobody, save that the client asks for events that went missing.
"""

from __future__ import annotations

from datetime import datetime

from rich.text import Text

from central_scheduler.console import lines
from central_scheduler.console.desk import Desk, line
from cloud_bridge.client import Scheduler
from cloud_bridge.hearing import KINDS, Heard
from cloud_bridge.messages.reports import Death, DeviceObserved, DeviceReported, EventData, Reply, Session

ALL_BRANCHES = "*"


async def watch(desk: Desk) -> int:
    """Until Ctrl-C: one line each for people, one JSON object each with --json. Without a branch, all of them."""
    async with line(desk, desk.branch, KINDS) as scheduler:
        desk.screen.warn(desk.words("console.watching", branch=desk.branch or ALL_BRANCHES, broker=desk.broker))
        await _forever(desk, scheduler)
    raise AssertionError("messages never end by themselves")


async def _forever(desk: Desk, scheduler: Scheduler) -> None:
    async for heard in scheduler.messages():
        if desk.screen.as_json:
            desk.screen.json_line(heard.envelope.model_dump(mode="json", exclude_none=True))
            continue
        text = Text(_local(heard.envelope.time) + " ", style="dim")
        if desk.branch is None:
            text.append(f"{heard.branch} ")
        desk.screen.say(text.append_text(told(heard, desk)))


def _local(moment: datetime) -> str:
    return moment.astimezone().strftime("%H:%M:%S")


def told(heard: Heard, desk: Desk) -> Text:
    """Any message in one line; one of a type that we do not know by its type."""
    data = heard.data
    if isinstance(data, EventData):
        return lines.event(data, desk.words)
    if isinstance(data, Reply):
        return lines.reply(data, desk.words)
    if isinstance(data, Session | Death):
        return lines.session(heard.envelope, data, desk.words)
    if isinstance(data, DeviceReported):
        return lines.twin(data, desk.words)
    if isinstance(data, DeviceObserved):
        return lines.readings(data, desk.words)
    return Text(heard.type)

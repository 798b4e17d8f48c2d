"""One order whole: its head, its steps, its attempts with their evidence, its timeline.

Knows the shape of `orders.request` for one order; it only shows.
"""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError
from rich.text import Text

from central_scheduler.console import lines, values
from central_scheduler.console.desk import Desk, answered, branch_line
from central_scheduler.console.orders import state_of
from central_scheduler.console.problem import Exit
from central_scheduler.console.screen import painted
from central_scheduler.words import Words
from cloud_bridge.client import Scheduler
from cloud_bridge.messages.catalogue import EVENTS
from cloud_bridge.messages.reports import EventData

Story = dict[str, Any]


async def story_of(desk: Desk, scheduler: Scheduler, order: str) -> Story:
    """The branch's whole account of one order. Raises Problem when it knows none."""
    reply = await answered(desk, scheduler, scheduler.orders(order=order, **desk.how()))
    story: Story = (reply.result or {}).get("orders", [{}])[0]
    return story


async def show(desk: Desk, order: str) -> int:
    values.order_id(order, desk.words("label.order"))
    async with branch_line(desk) as scheduler:
        story = await story_of(desk, scheduler, order)
    if desk.screen.as_json:
        desk.screen.json(story)
        return Exit.OK
    _head(desk, story)
    _steps(desk, story)
    _attempts(desk, story)
    _timeline(desk, story)
    return Exit.OK


def _head(desk: Desk, story: Story) -> None:
    words = desk.words
    pairs: dict[str, str | Text] = {
        words("label.order"): str(story["order"]),
        words("label.scene"): _scene(story, words),
        words("label.state"): state_of(desk, story),
        words("label.reason"): words.word("reason", str(story.get("reason") or "")),
        words("label.parameters"): lines.facts(story.get("parameters") or {}),
    }
    for name in ("priority", "not_before", "deadline"):
        if story.get(name):
            pairs[words(f"label.{name}")] = str(story[name])
    desk.screen.pairs(pairs)


def _scene(story: Story, words: Words) -> str:
    """Its title, and the name by which one is ordered."""
    title, name = lines.scene(story, words), str(story.get("scene", ""))
    return title if title == name else f"{title} ({name})"


def _steps(desk: Desk, story: Story) -> None:
    words = desk.words
    heads = [words(f"label.{name}") for name in ("step", "act", "device", "state", "item", "reason", "facts")]
    rows: list[list[str | Text]] = [
        [
            str(step["step"]),
            words.word("act", str(step["act"])),
            str(step.get("device") or ""),
            painted(words.word("step_state", str(step["state"])), str(step["state"])),
            words.word("item", str(step.get("item") or "unknown")),
            words.word("reason", str(step.get("reason") or "")),
            lines.facts(step.get("facts") or {}),
        ]
        for step in story.get("steps", [])
    ]
    desk.screen.section(words("label.steps"))
    desk.screen.table(heads, rows)


def _attempts(desk: Desk, story: Story) -> None:
    words = desk.words
    rows: list[list[str | Text]] = [
        [
            str(attempt["attempt"]),
            words.word("act", str(attempt["act"])),
            str(attempt.get("device") or ""),
            _settled(desk, attempt),
            lines.facts(attempt.get("arming") or {}),
        ]
        for attempt in story.get("attempts", [])
    ]
    if rows:
        desk.screen.section(words("label.attempts"))
        desk.screen.table([words(f"label.{name}") for name in ("attempt", "act", "device", "state", "arming")], rows)


def _settled(desk: Desk, attempt: Story) -> Text:
    state = painted(desk.words.word("step_state", str(attempt["state"])), str(attempt["state"]))
    return state.append(f" ({desk.words('label.by_people')})") if attempt.get("decided") else state


def _timeline(desk: Desk, story: Story) -> None:
    rows: list[list[str | Text]] = [
        [str(entry["seq"]), str(entry["time"]), _told(desk, entry)] for entry in story.get("history", [])
    ]
    desk.screen.section(desk.words("label.timeline"))
    desk.screen.table([desk.words(f"label.{name}") for name in ("seq", "when", "what")], rows)


def _told(desk: Desk, entry: Story) -> Text:
    row = EVENTS.get(str(entry["type"]))
    try:
        event = row.model.model_validate({"journal": "", **entry}) if row else None
    except ValidationError:
        event = None
    return lines.event(event, desk.words) if isinstance(event, EventData) else Text(str(entry["type"]))

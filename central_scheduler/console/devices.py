"""The devices of a branch as their retained twins tell (DEV-1).

Knows the twin's words; it asks the broker only, so it answers also while the branch is away.
"""

from __future__ import annotations

from typing import Any

from rich.text import Text

from central_scheduler.console import lines, values
from central_scheduler.console.desk import Desk, kept_twins
from central_scheduler.console.problem import Exit, Problem
from central_scheduler.console.screen import painted
from cloud_bridge.messages.reports import DeviceReported


async def show_list(desk: Desk) -> int:
    kept = await kept_twins(desk)
    if desk.screen.as_json:
        desk.screen.json({"branch": kept.branch, "away": kept.away, "devices": [_json(twin) for twin in kept.twins]})
    elif not kept.twins:
        desk.screen.say(desk.words("console.no_devices"))
    else:
        heads = ("device", "role", "kind", "state", "reason", "media", "lane", "storage")
        desk.screen.table([desk.words(f"label.{head}") for head in heads], (_row(desk, twin) for twin in kept.twins))
    kept.warn(desk)
    return Exit.OK


async def show(desk: Desk, device: str) -> int:
    values.name(device, desk.words("label.device"))
    kept = await kept_twins(desk)
    twin = next((twin for twin in kept.twins if twin.device == device), None)
    if twin is None:
        raise Problem(Exit.NOT_FOUND, "no_device", branch=kept.branch, device=device)
    if desk.screen.as_json:
        desk.screen.json(_json(twin))
        return Exit.OK
    words = desk.words
    pairs: dict[str, str | Text] = {
        words("label.device"): twin.device,
        words("label.role"): _role(words.word("device_role", twin.role), twin.role),
        words("label.kind"): twin.kind,
        words("label.state"): _state(desk, twin),
        words("label.reason"): words.word("reason", twin.reason),
        words("label.media"): lines.media(twin.media, words),
        words("label.lane"): painted(words.word("lane", twin.lane), twin.lane),
        words("label.order"): twin.order or "",
        words("label.storage"): lines.storage(twin.storage, words),
        words("label.identity"): lines.facts(twin.identity),
        words("label.counters"): lines.facts(twin.counters),
        words("label.when"): f"{kept.times[device].astimezone():%Y-%m-%d %H:%M:%S}",
    }
    desk.screen.pairs(pairs)
    kept.warn(desk)
    return Exit.OK


def _row(desk: Desk, twin: DeviceReported) -> list[str | Text]:
    word = desk.words.word
    lane = painted(word("lane", twin.lane), twin.lane)
    reason, media = word("reason", twin.reason), lines.media(twin.media, desk.words)
    storage = lines.storage(twin.storage, desk.words)
    return [twin.device, word("device_role", twin.role), twin.kind, _state(desk, twin), reason, media, lane, storage]


def _state(desk: Desk, twin: DeviceReported) -> Text:
    return painted(desk.words.word("device_state", twin.state), twin.state)


def _role(word: str, code: str) -> str:
    """As people call it, and as branch.toml writes it."""
    return word if word == code else f"{word} ({code})"


def _json(twin: DeviceReported) -> dict[str, Any]:
    return twin.model_dump(mode="json", exclude_none=True)

"""The devices of a branch as their retained twins tell (DEV-1).

Knows the twin's words; it asks the broker only, so it answers also while the branch is away.
"""

from __future__ import annotations

from typing import Any

from rich.text import Text

from central_scheduler.console import lines, values
from central_scheduler.console.desk import Desk, kept
from central_scheduler.console.problem import Exit, Problem
from central_scheduler.console.screen import painted
from cloud_bridge.messages import DeviceReported


async def show_list(desk: Desk) -> int:
    branch, twins = await _twins(desk)
    if desk.screen.as_json:
        desk.screen.json({"branch": branch, "devices": [_json(twin) for twin in twins]})
    elif not twins:
        desk.screen.say(desk.words("console.no_devices"))
    else:
        heads = ("device", "role", "kind", "state", "reason", "media", "lane", "storage")
        desk.screen.table([desk.words(f"label.{head}") for head in heads], (_row(desk, twin) for twin in twins))
    return Exit.OK


async def show(desk: Desk, device: str) -> int:
    values.name(device, desk.words("label.device"))
    branch, twins = await _twins(desk)
    twin = next((twin for twin in twins if twin.device == device), None)
    if twin is None:
        raise Problem(Exit.NOT_FOUND, "no_device", branch=branch, device=device)
    if desk.screen.as_json:
        desk.screen.json(_json(twin))
        return Exit.OK
    words = desk.words
    pairs: dict[str, str | Text] = {
        words("label.device"): twin.device,
        words("label.role"): twin.role,
        words("label.kind"): twin.kind,
        words("label.state"): _state(desk, twin),
        words("label.reason"): words.word("reason", twin.reason),
        words("label.media"): words.word("media", twin.media),
        words("label.lane"): painted(words.word("lane", twin.lane), twin.lane),
        words("label.order"): twin.order or "",
        words("label.storage"): lines.storage(twin.storage, words),
        words("label.identity"): lines.facts(twin.identity),
        words("label.counters"): lines.facts(twin.counters),
    }
    desk.screen.pairs(pairs)
    return Exit.OK


async def _twins(desk: Desk) -> tuple[str, list[DeviceReported]]:
    branch, heard = await kept(desk, "devices")
    twins = [one.data for one in heard if isinstance(one.data, DeviceReported)]
    return branch, sorted(twins, key=lambda twin: twin.device)


def _row(desk: Desk, twin: DeviceReported) -> list[str | Text]:
    word = desk.words.word
    lane = painted(word("lane", twin.lane), twin.lane)
    reason, media = word("reason", twin.reason), word("media", twin.media)
    storage = lines.storage(twin.storage, desk.words)
    return [twin.device, twin.role, twin.kind, _state(desk, twin), reason, media, lane, storage]


def _state(desk: Desk, twin: DeviceReported) -> Text:
    return painted(desk.words.word("device_state", twin.state), twin.state)


def _json(twin: DeviceReported) -> dict[str, Any]:
    return twin.model_dump(mode="json", exclude_none=True)

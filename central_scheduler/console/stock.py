"""What lies in the cells of a branch's cabinets: shown from the retained twins, loaded by two people.

Knows how contents are typed and shown; whether a cell may be loaded the branch decides, and its sensor confirms it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import ValidationError
from rich.text import Text

from central_scheduler.console import lines, values
from central_scheduler.console.desk import Desk, answered, branch_line, kept_twins, within_contract
from central_scheduler.console.orders import reply_json
from central_scheduler.console.problem import Exit, Problem
from central_scheduler.console.screen import painted
from cloud_bridge.messages.instructions import CellLoad, StockReplenish
from cloud_bridge.messages.reports import DeviceReported

NEEDED = 2
HEADS = ("device", "cell", "article", "serial", "shelf", "door", "item", "order")


async def show(desk: Desk, device: str | None) -> int:
    """Of one cabinet, or of all."""
    if device is not None:
        values.name(device, desk.words("label.device"))
    kept = await kept_twins(desk)
    cells = [cell for twin in kept.twins if device in (None, twin.device) for cell in _cells(twin)]
    if device is not None and not cells:
        raise Problem(Exit.NOT_FOUND, "no_cabinet", branch=kept.branch, device=device)
    if desk.screen.as_json:
        desk.screen.json({"branch": kept.branch, "away": kept.away, "cells": cells})
    elif not cells:
        desk.screen.say(desk.words("console.no_stock"))
    else:
        desk.screen.table([desk.words(f"label.{head}") for head in HEADS], (_row(desk, cell) for cell in cells))
    kept.warn(desk)
    return Exit.OK


def _cells(twin: DeviceReported) -> list[dict[str, Any]]:
    """The units that are cells: each has a door, or stands in the books."""
    units = {name: unit for name, unit in sorted(twin.storage.items()) if "door" in unit or "shelf" in unit}
    return [{"device": twin.device, "cell": name, **_told(unit)} for name, unit in units.items()]


def _told(unit: Mapping[str, Any]) -> dict[str, Any]:
    told = {"article": unit.get("cardID"), "serial": unit.get("serialNumber"), "shelf": unit.get("shelf", "empty")}
    return told | {key: unit.get(key) for key in ("door", "item", "order")}


def _row(desk: Desk, cell: Mapping[str, Any]) -> list[str | Text]:
    word, shelf = desk.words.word, str(cell["shelf"])
    shown = {name: str(cell[name] or "") for name in HEADS}
    shown |= {"door": word("cell", shown["door"]), "item": word("cell", shown["item"])}
    row: list[str | Text] = [shown[name] for name in HEADS]
    row[HEADS.index("shelf")] = painted(word("shelf", shelf), shelf)
    return row


async def load(
    desk: Desk,
    device: str,
    contents: Sequence[str],
    by: Sequence[str],
    note: str,
    *,
    confirm: Callable[[str], bool] | None,
) -> int:
    """`contents`: CELL=ARTICLE:SERIAL, or CELL= for one that was emptied. `confirm` None: it was said beforehand."""
    words = desk.words
    values.name(device, words("label.device"))
    people = values.people(by, words("label.by"))
    if len(people) < NEEDED:
        raise Problem(Exit.USAGE, "people_needed", choice=words("label.stock"), count=NEEDED, given=len(people))
    with within_contract(desk):
        data = StockReplenish(cells=[lies(one) for one in contents], people=list(people), note=note)
    if confirm is not None:
        if not desk.screen.is_terminal or desk.screen.as_json:
            raise Problem(Exit.USAGE, "not_tty")
        cells = ", ".join(contents)
        if not confirm(words("console.confirm_load", device=device, cells=cells, people=lines.people(people))):
            desk.screen.say(words("console.not_confirmed"))
            return Exit.FAILED
    async with branch_line(desk) as scheduler:
        asking = scheduler.instruct("stock.replenish", data, subject=device, **desk.how())
        reply = await answered(desk, scheduler, asking)
    desk.screen.say(words("console.stock_loaded", device=device, cells=len(data.cells)))
    desk.screen.say(words("console.declared", people=lines.people(people)))
    if desk.screen.as_json:
        desk.screen.json(reply_json(reply) | {"by": people, "authenticated": False})
    return Exit.OK


def lies(given: str) -> CellLoad:
    """`01=u_shield:US-0417`, or `01=` of a cell that was emptied. Raises Problem."""
    cell, equals, lies = given.partition("=")
    article, colon, serial = lies.partition(":")
    if not cell or not equals or (lies and not (article and colon and serial)):
        raise Problem(Exit.USAGE, "bad_load", given=given)
    try:
        return CellLoad(cell=cell, article=article or None, serial=serial or None)
    except ValidationError as error:
        raise Problem(Exit.USAGE, "bad_load", given=given) from error

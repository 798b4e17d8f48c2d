"""`branchgate doctor`: what is wrong with this box, shown while it is looked at."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from central_scheduler.console.problem import Exit
from central_scheduler.console.screen import Screen, harmless, painted
from commands.at_box import BOX, ThisBox
from commands.kit import Json, Speak, T

if TYPE_CHECKING:
    from edge_agent.upkeep.doctor.found import Found
_COLOURS = {"good": "done", "note": "cancelled", "warning": "waiting", "error": "failed"}


def doctor(
    config: ThisBox = BOX,
    everything: Annotated[bool, typer.Option("--all", help=T("help.o_all_findings"))] = False,
    as_json: Json = False,
    lang: Speak = None,
) -> int:
    screen = Screen(T, as_json=as_json)

    def told(one: Found) -> None:
        if everything or one.level.value != "good":
            say(screen, one)

    found = asyncio.run(look(screen, config, told))
    counts = Counter(one.level.value for one in found)
    summed: dict[str, Any] = {"good": counts["good"], "errors": counts["error"], "warnings": counts["warning"]}
    ill = counts["error"] or counts["warning"]
    screen.say(T("console.doctor_ill" if ill else "console.doctor_well", **summed))
    code = exit_code(found)
    if as_json:
        findings = [one.as_json(T) for one in found]
        screen.json({"config": str(config), "ok": code == Exit.OK, **summed, "findings": findings})
    return code


def exit_code(found: list[Found]) -> Exit:
    """Warnings are no failure: what works with a box that works must not stop a script."""
    if any(one.grave and one.area == "config" for one in found):
        return Exit.CONFIG
    return Exit.FAILED if any(one.grave for one in found) else Exit.OK


async def look(screen: Screen, config: Path, told: Callable[[Found], None]) -> list[Found]:
    """Everything that is found, each told when it is; what is looked at is shown meanwhile."""
    from edge_agent.upkeep.doctor.examine import examine

    def begin(area: str) -> None:
        screen.say(Text(T("console.doctor_looks", area=T(f"doctor_area.{area}")), style="dim"))

    found: list[Found] = []
    async for one in examine(config, T, begin):
        found.append(one)
        told(one)
    return found


def say(screen: Screen, one: Found) -> None:
    """A finding, and below it what to do."""
    level = painted(T(f"console.{one.level.value}"), _COLOURS[one.level.value])
    area = T(f"doctor_area.{one.area}")
    screen.say(Text().append_text(level).append(f": {area}: {harmless(one.words(T))}"))
    if remedy := one.remedy(T):
        screen.say(T("console.remedy_arrow", remedy=remedy))

"""`branchgate bundle`: what somebody elsewhere needs to understand this box, in one file."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Annotated

import typer

from central_scheduler.console.problem import Exit
from central_scheduler.console.screen import Screen
from commands.at_box import BOX, ThisBox, told_of_file
from commands.doctor import look
from commands.kit import Json, Speak, T


def bundle(
    config: ThisBox = BOX,
    out: Annotated[Path | None, typer.Option("--out", help=T("help.o_bundle_out"))] = None,
    as_json: Json = False,
    lang: Speak = None,
) -> int:
    from edge_agent.findings import shown
    from edge_agent.upkeep.bundle import Bundle

    screen = Screen(T, as_json=as_json)
    file = out or Path(time.strftime("branchgate-%Y%m%dT%H%M%S.tar.gz"))
    made = Bundle(config, asyncio.run(look(screen, config, lambda _: None)))
    with told_of_file(file):
        made.write(file)
    screen.say(T("console.bundle_made", file=file, parts=", ".join(made.parts)))
    for name, why in made.why.items():
        screen.warn(T("console.bundle_missing", name=name, why=shown(why, T)))
    if as_json:
        screen.json({"file": str(file), "parts": made.parts, "missing": made.missing})
    return Exit.OK

"""`branchgate stock`: what lies in the cells of a branch's cabinets."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from central_scheduler.console import lines, stock, values
from central_scheduler.console.desk import Desk
from central_scheduler.console.problem import Exit
from central_scheduler.console.screen import Screen
from commands.kit import By, Note, T, Yes, at_desk, confirm, group
from commands.people_here import OnBox, house_of
from commands.secrets import FromStdin, Secrets, on_box_only
from commands.together import Together, two

app = group("help.stock")


@app.command("show", help=T("help.stock_show"))
@at_desk
async def stock_show(
    desk: Desk,
    device: Annotated[str | None, typer.Argument(help=T("help.a_cabinet"))] = None,
) -> int:
    return await stock.show(desk, device)


@app.command("load", help=T("help.stock_load"))
@at_desk
async def stock_load(
    desk: Desk,
    device: Annotated[str, typer.Argument(help=T("help.a_cabinet"))],
    contents: Annotated[list[str], typer.Argument(help=T("help.a_contents"))],
    by: By,
    note: Note = "",
    yes: Yes = False,
    config: OnBox = None,
    stdin: FromStdin = False,
) -> int:
    if config is not None:
        return _load_here(desk.screen, config, device, contents, by, note, Secrets(stdin), yes=yes)
    on_box_only(stdin=stdin)
    return await stock.load(desk, device, contents, by, note, confirm=None if yes else confirm)


def _load_here(
    screen: Screen,
    config: Path,
    device: str,
    contents: list[str],
    by: list[str],
    note: str,
    secrets: Secrets,
    *,
    yes: bool,
) -> int:
    values.name(device, T("label.device"))
    cells = [stock.lies(one).model_dump(exclude_none=True) for one in contents]
    together = Together(screen, house_of(config), two(by, "stock"), secrets)
    told = {"device": device, "cells": ", ".join(contents), "people": lines.people(together.people)}
    if not together.agreed(T("console.confirm_load", **told), yes=yes):
        return Exit.FAILED
    said = together.say("stock.replenish", {"cells": cells, "note": note}, device)
    return said.tell(T("console.stock_loaded", device=device, cells=len(cells)))

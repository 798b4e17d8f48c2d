"""`branchgate application`: programs of the branch that use its local API, on its own box."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from central_scheduler.console.problem import Exit
from central_scheduler.console.screen import Screen
from commands.kit import Json, Speak, T, group
from commands.people_here import BOX, As, Config, house_of, wish
from commands.secrets import FromStdin, Secrets

app = group("help.application")
Name = Annotated[str, typer.Argument(help=T("help.a_application"))]


class Trusted(StrEnum):
    """What --trust takes."""

    READER, ORDERS, AUDIT, DISPLAY = "reader", "orders", "audit", "display"


@app.command("add", help=T("help.application_add"))
def application_add(
    name: Name,
    actor: As,
    trust: Annotated[Trusted, typer.Option("--trust", help=T("help.o_trust"))] = Trusted.READER,
    config: Config = BOX,
    stdin: FromStdin = False,
    as_json: Json = False,
    lang: Speak = None,
) -> int:
    screen, house = Screen(T, as_json=as_json), house_of(config)
    by = {"name": actor, "password": Secrets(stdin).of(actor)}
    found = wish(house, "applications.add", by=by, name=name, trust=trust.value)
    screen.say(T("console.people_token", name=found["name"], token=found["token"]))
    if trust is Trusted.DISPLAY:
        screen.say(T("console.wall_link", path=f"/wall#{found['token']}"))
    if as_json:
        screen.json(found)
    return Exit.OK


@app.command("remove", help=T("help.application_remove"))
def application_remove(
    name: Name, actor: As, config: Config = BOX, stdin: FromStdin = False, as_json: Json = False, lang: Speak = None
) -> int:
    screen, house = Screen(T, as_json=as_json), house_of(config)
    by = {"name": actor, "password": Secrets(stdin).of(actor)}
    found = wish(house, "applications.remove", by=by, name=name)
    screen.say(T("console.people_done", name=found["name"]))
    if as_json:
        screen.json(found)
    return Exit.OK

"""`branchgate people`: who the branch's people are, on its own box."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from central_scheduler.console.problem import Exit, Problem
from central_scheduler.console.screen import Screen
from commands.kit import Json, Speak, T, group
from commands.people_here import BOX, As, Config, house_of, wish
from commands.secrets import FromStdin, Secrets

app = group("help.people")
Name = Annotated[str, typer.Argument(help=T("help.a_person"))]
ROLES = ("teller", "hall_manager", "supervisor", "engineer", "auditor")


def _role(given: str) -> str:
    if given not in ROLES:
        raise Problem(Exit.USAGE, "people_role", given=given, known=", ".join(ROLES))
    return given


@app.command("list", help=T("help.people_list"))
def people_list(
    actor: As, config: Config = BOX, stdin: FromStdin = False, as_json: Json = False, lang: Speak = None
) -> int:
    screen, house = Screen(T, as_json=as_json), house_of(config)
    found = wish(house, "people.list", by={"name": actor, "password": Secrets(stdin).of(actor)})
    if as_json:
        screen.json(found)
        return Exit.OK
    rows = [(one["name"], one["display"], T.word("role", one["role"]), _access(one)) for one in found["people"]]
    screen.table([T(f"label.{name}") for name in ("person", "display", "role", "access")], rows)
    if found["applications"]:
        screen.table(
            [T("label.application"), T("label.role")],
            [(one["name"], T.word("role", one["trust"])) for one in found["applications"]],
        )
    return Exit.OK


def _access(one: dict[str, Any]) -> str:
    how = "disabled" if one["disabled"] else "locked" if one["locked"] else "open"
    return T(f"console.access_{how}")


@app.command("set-up", help=T("help.people_set_up"))
def people_set_up(
    name: Name, config: Config = BOX, stdin: FromStdin = False, as_json: Json = False, lang: Speak = None
) -> int:
    screen, house, secrets = Screen(T, as_json=as_json), house_of(config), Secrets(stdin)
    code = house.code() or secrets.code()
    return _done(screen, wish(house, "people.set_up", code=code, name=name, password=secrets.new(name)))


@app.command("code", help=T("help.people_code"))
def people_code(config: Config = BOX, as_json: Json = False, lang: Speak = None) -> int:
    screen = Screen(T, as_json=as_json)
    found = wish(house_of(config), "people.code")
    screen.say(T("console.people_code_at", file=found["file"]))
    if as_json:
        screen.json(found)
    return Exit.OK


def _done(screen: Screen, found: dict[str, Any]) -> int:
    screen.say(T("console.people_done", name=found["name"]))
    if screen.as_json:
        screen.json(found)
    return Exit.OK


@app.command("add", help=T("help.people_add"))
def people_add(
    name: Name,
    actor: As,
    role: Annotated[str, typer.Option("--role", help=T("help.o_role"))],
    display: Annotated[str, typer.Option("--display", help=T("help.o_display"))] = "",
    config: Config = BOX,
    stdin: FromStdin = False,
    as_json: Json = False,
    lang: Speak = None,
) -> int:
    screen, house, secrets = Screen(T, as_json=as_json), house_of(config), Secrets(stdin)
    members = {"name": name, "role": _role(role), "display": display}
    by = {"name": actor, "password": secrets.of(actor)}
    return _done(screen, wish(house, "people.add", by=by, password=secrets.new(name), **members))


@app.command("role", help=T("help.people_role"))
def people_role(
    name: Name,
    role: Annotated[str, typer.Argument(help=T("help.o_role"))],
    actor: As,
    config: Config = BOX,
    stdin: FromStdin = False,
    as_json: Json = False,
    lang: Speak = None,
) -> int:
    screen, house = Screen(T, as_json=as_json), house_of(config)
    by = {"name": actor, "password": Secrets(stdin).of(actor)}
    return _done(screen, wish(house, "people.role", by=by, name=name, role=_role(role)))


@app.command("password", help=T("help.people_password"))
def people_password(
    name: Name, actor: As, config: Config = BOX, stdin: FromStdin = False, as_json: Json = False, lang: Speak = None
) -> int:
    screen, house, secrets = Screen(T, as_json=as_json), house_of(config), Secrets(stdin)
    by = {"name": actor, "password": secrets.of(actor)}
    return _done(screen, wish(house, "people.password", by=by, name=name, password=secrets.new(name)))


def _change(verb: str) -> None:
    @app.command(verb, help=T(f"help.people_{verb}"))
    def change(
        name: Name, actor: As, config: Config = BOX, stdin: FromStdin = False, as_json: Json = False, lang: Speak = None
    ) -> int:
        screen, house = Screen(T, as_json=as_json), house_of(config)
        by = {"name": actor, "password": Secrets(stdin).of(actor)}
        return _done(screen, wish(house, f"people.{verb}", by=by, name=name))


for _verb in ("disable", "enable", "unlock"):
    _change(_verb)

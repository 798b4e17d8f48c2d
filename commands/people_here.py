"""What the commands about people share: the agent of this box, whoever acts, and how its refusals are told.

Knows the door's answers as Problems; the wishes are `edge_agent.console.people`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from central_scheduler.console.problem import Exit, Problem
from commands.journal_here import told_of_journal
from commands.kit import T, door_problem, refused, said

if TYPE_CHECKING:
    from edge_agent.console.people import Hello, House
    from edge_agent.console.standing import Standing

Answer = TypeVar("Answer")

Config = Annotated[Path, typer.Option("--config", envvar="BRANCHGATE_CONFIG", help=T("help.o_people_config"))]
As = Annotated[str, typer.Option("--as", help=T("help.o_as"))]
OnBox = Annotated[Path | None, typer.Option("--config", help=T("help.o_on_box"))]
BOX = Path("/etc/branchgate/branch.toml")


def house_of(config: Path) -> House:
    """Raises Problem."""
    from edge_agent.console.people import House
    from edge_agent.settings import BadConfig

    try:
        return House.of(config)
    except BadConfig as bad:
        raise refused(config, bad) from bad


def standing(house: House) -> Standing:
    """What its journal says of itself. Raises Problem."""
    from edge_agent.console.standing import look

    with told_of_journal(house.journal):
        return look(house)


def hello(house: House) -> Hello:
    """Raises Problem."""
    told = asked(house.hello, house)
    if told.altered:
        raise _of_people("altered", {})
    return told


def wish(house: House, wanted: str, **members: Any) -> dict[str, Any]:
    """The result. Raises Problem."""
    return asked(lambda: house.wish(wanted, **members), house)


def asked(ask: Callable[[], Answer], house: House) -> Answer:
    """What the agent says. Raises Problem."""
    from edge_agent.console.people import NoDoor, Refused

    try:
        return ask()
    except NoDoor as none:
        raise Problem(Exit.NO_ANSWER, "no_door", folder=house.door, why=said(none)) from none
    except Refused as no:
        if not no.code:
            raise door_problem({"problem": no.problem}) from no
        raise _of_people(no.code, no.places) from no


def _of_people(code: str, places: Mapping[str, str]) -> Problem:
    """Each with its own remedy."""
    exit_code = Exit.NOT_FOUND if code.startswith("unknown_") else Exit.FAILED
    shown = dict(places) | ({"right": T.word("right", places["right"])} if "right" in places else {})
    return Problem(exit_code, "people", remedy=f"people_{code}", **{"why": T(f"people.{code}", **shown), **shown})

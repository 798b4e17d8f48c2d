"""What commands share that concern one device of this box's branch: where its file is, and how what fails is told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from central_scheduler.console.problem import Exit, Problem, Said
from commands.kit import T, by_system, door_problem, refused, said

if TYPE_CHECKING:
    from edge_agent.console.at_device import Place

BOX = Path("/etc/branchgate/branch.toml")  # packaging: where a box that was installed has it
ThisBox = Annotated[
    Path, typer.Option("--config", envvar="BRANCHGATE_CONFIG", help=T("help.o_box"), show_default=str(BOX))
]
Device = Annotated[str, typer.Argument(help=T("help.a_device"))]
SHOWN_BYTES = 48


def place_of(config: Path, device: str) -> Place:
    """Raises Problem."""
    from edge_agent.console.at_device import NoDevice, find
    from edge_agent.settings import BadConfig

    try:
        return find(config, device)
    except BadConfig as bad:
        raise refused(config, bad) from bad
    except NoDevice as none:
        known = ", ".join(none.known) or "-"
        raise Problem(Exit.NOT_FOUND, "box_no_device", config=config, device=device, known=known) from none


def locked(folder: Path, **places: object) -> Problem:
    """Somebody holds a data folder: who, since when, and what to do about it. `device`: whose line was wanted."""
    name = "line_held" if places else "locked"
    try:
        known = in_use(Exit.LOCKED, name, folder / "lock", folder=folder, **places)
    except OSError as error:
        return Problem(Exit.LOCKED, "lock_unseen", folder=folder, why=by_system(error))
    unseen = Said("console.held_unseen", {})
    return known or Problem(Exit.LOCKED, name, remedy="lock_unseen", folder=folder, who=unseen, **places)


def in_use(code: Exit, name: str, lock: Path, **places: object) -> Problem | None:
    """With its holder, where the kernel shows one. Raises OSError."""
    from edge_agent.journal.holder import holder_of

    holder = holder_of(lock)
    if holder is None:
        return None
    since = holder.since.astimezone().strftime("%Y-%m-%d %H:%M:%S") if holder.since else "?"
    who = Said("console.held_by", {"pid": holder.pid, "program": holder.program, "since": since})
    return Problem(code, name, remedy="locked_by_hand" if holder.by_hand else name, who=who, pid=holder.pid, **places)


@contextmanager
def told_of(place: Place) -> Iterator[None]:
    """What can go wrong while a device is asked, as problems."""
    from device_drivers.errors import DeviceError
    from edge_agent.console.at_device import AgentWorks, NotTrusted, OpenAct
    from edge_agent.console.door import NoDoor
    from edge_agent.findings import Detail, shown

    device = place.device.id
    try:
        yield
    except NoDoor as none:
        raise Problem(Exit.NO_ANSWER, "no_door", folder=place.settings.door_folder(), why=said(none)) from none
    except NotTrusted as no:
        raise door_problem({"problem": "not_trusted"}) from no
    except OpenAct as act:
        raise Problem(Exit.FAILED, "open_act", device=device, attempt=act.attempt) from act
    except AgentWorks as works:
        raise locked(works.folder) from works
    except DeviceError as error:
        detail = shown(Detail(error.detail, error), T)
        why = T.word("reason", error.reason)
        raise Problem(Exit.FAILED, "device_fails", device=device, why=why, detail=detail) from error


@contextmanager
def told_of_file(file: Path) -> Iterator[None]:
    """What can go wrong with a recording's file."""
    try:
        yield
    except OSError as error:
        raise Problem(Exit.FAILED, "not_written", file=file, why=by_system(error)) from error


def hex_of(data: bytes, *, everything: bool) -> str:
    """Bytes as people read them; of many only the first."""
    shown = data if everything or len(data) <= SHOWN_BYTES else data[:SHOWN_BYTES]
    rest = len(data) - len(shown)
    return shown.hex(" ").upper() + (" " + T("console.tap_more", count=rest) if rest else "")

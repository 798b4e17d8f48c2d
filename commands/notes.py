"""`branchgate notes`: what banknote counters export."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from central_scheduler.console.problem import Exit, Problem
from central_scheduler.console.screen import Screen
from commands.kit import Json, Speak, T, by_system, group

if TYPE_CHECKING:
    from edge_agent.console.notes import Export

app = group("help.notes")


@app.callback()
def _group() -> None:
    """A group, though it has one command."""


@app.command("show", help=T("help.notes_show"))
def notes_show(
    file: Annotated[Path, typer.Argument(help=T("help.a_fsn"))],
    serials: Annotated[bool, typer.Option("--serials", help=T("help.o_serials"))] = False,
    as_json: Json = False,
    lang: Speak = None,
) -> int:
    from device_drivers.banknotes.fsn import FsnError
    from edge_agent.console.notes import read_export

    try:
        export = read_export(file)
    except OSError as error:
        raise Problem(Exit.FAILED, "not_read", file=file, why=by_system(error)) from error
    except FsnError as error:
        raise Problem(
            Exit.FAILED,
            "no_fsn",
            file=file,
            byte=error.offset,
            why=T(f"banknotes.{error.mistake.code}", **error.mistake.places),
        ) from error
    screen = Screen(T, as_json=as_json)
    if as_json:
        screen.json(export.as_json(file, serials=serials))
    else:
        _show(screen, file, export, serials=serials)
    return Exit.FAILED if export.bad else Exit.OK


def _show(screen: Screen, file: Path, export: Export, *, serials: bool) -> None:
    told = export.as_json(file, serials=serials)
    rows = [
        (value, T.word("cash", cash), str(count))
        for value, by_cash in told["denominations"].items()
        for cash, count in by_cash.items()
    ]
    screen.table([T("label.note_value"), T("label.note_cash"), T("label.note_count")], rows)
    screen.say(T("console.notes_sum", count=told["count"], sum=told["sum"], currency=told["currency"] or "-"))
    if serials:
        listed = [
            (note["serial"], str(note["value"]), T.word("cash", note["cash"]), note["time"]) for note in told["notes"]
        ]
        screen.table(
            [T("label.note_serial"), T("label.note_value"), T("label.note_cash"), T("label.note_time")], listed
        )
    for bad in export.bad:
        why = T(f"banknotes.{bad.mistake.code}", **bad.mistake.places)
        screen.say(T("console.notes_bad", record=bad.number, byte=bad.offset, why=why))

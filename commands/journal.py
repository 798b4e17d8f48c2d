"""`branchgate journal`: a journal adopted by the centre or by people on site, judged, and written out."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from central_scheduler.console import journal
from central_scheduler.console.desk import Desk
from central_scheduler.console.problem import Exit, Problem
from central_scheduler.console.screen import Screen
from commands.adopt_here import adopt_here
from commands.journal_here import Config, Folder, journal_folder, say_findings, told_of_journal
from commands.kit import Json, Note, Speak, T, Yes, at_desk, by_system, group, mib
from commands.secrets import FromStdin, Secrets, on_box_only

app = group("help.journal")


@app.command("adopt", help=T("help.journal_adopt"))
@at_desk
async def journal_adopt(
    desk: Desk,
    order: Annotated[list[str] | None, typer.Option("--order", help=T("help.o_order"))] = None,
    config: Annotated[Path | None, typer.Option("--config", help=T("help.o_here"))] = None,
    by: Annotated[list[str] | None, typer.Option("--by", help=T("help.o_by"))] = None,
    counted: Annotated[list[str] | None, typer.Option("--counted", help=T("help.o_counted"))] = None,
    note: Note = "",
    yes: Yes = False,
    stdin: FromStdin = False,
) -> int:
    if config is None:
        if by or counted:
            raise Problem(Exit.USAGE, "adopt_where")
        on_box_only(stdin=stdin)
        return await journal.adopt(desk, order or ())
    if order:
        raise Problem(Exit.USAGE, "adopt_orders")
    return adopt_here(desk.screen, config, by or (), counted or (), note, Secrets(stdin), yes=yes)


@app.command("verify", help=T("help.journal_verify"))
def journal_verify(folder: Folder = None, config: Config = None, as_json: Json = False, lang: Speak = None) -> int:
    from edge_agent.console.journal import verify

    screen, where = Screen(T, as_json=as_json), journal_folder(folder, config)
    with told_of_journal(where):
        verdict = verify(where)
    say_findings(screen, verdict.findings)
    counts = {"events": verdict.events, "orders": verdict.orders, "attempts": verdict.attempts}
    screen.say(T("console.journal_good" if verdict.good else "console.journal_bad", folder=where, **counts))
    if as_json:
        screen.json(verdict.as_json())
    return Exit.OK if verdict.good else Exit.FAILED


@app.command("wear", help=T("help.journal_wear"))
def journal_wear(folder: Folder = None, config: Config = None, as_json: Json = False, lang: Speak = None) -> int:
    from edge_agent.console.journal import worn

    screen, where = Screen(T, as_json=as_json), journal_folder(folder, config)
    with told_of_journal(where):
        counts = worn(where)
    shown = {name: mib(counts[name]) if name in counts else "?" for name in ("bytes", "bytes_per_order")}
    screen.say(T("console.wear", folder=where, **{"commits": 0, "orders": 0, **counts, **shown}))
    held = {"held": mib(counts["held"]), "free": mib(counts["free"]), "rows": counts["rows"]}
    screen.say(T("console.journal_held" if not counts["full"] else "console.journal_held_full", **held))
    if as_json:
        screen.json(counts)
    return Exit.OK


@app.command("export", help=T("help.journal_export"))
def journal_export(
    folder: Folder = None,
    config: Config = None,
    out: Annotated[Path | None, typer.Option("--out", help=T("help.o_lines_out"))] = None,
    as_json: Json = False,
    lang: Speak = None,
) -> int:
    from edge_agent.console.journal import Export, NoJournal
    from edge_agent.plain_file import open_own

    screen, wanted = Screen(T, as_json=as_json), Export(journal_folder(folder, config))
    try:
        if out is None:
            wanted.to(sys.stdout)
        else:
            with os.fdopen(open_own(out), "w", encoding="utf-8") as file:  # every customer stands in it
                wanted.to(file)
    except NoJournal as none:
        raise Problem(Exit.NOT_FOUND, "no_journal", folder=wanted.folder) from none
    except OSError as error:
        raise Problem(Exit.FAILED, "not_written", file=out or "-", why=by_system(error)) from error
    for table, why in wanted.done.damaged.items():
        screen.warn(T("console.export_damaged", table=table, why=why))
    if out is not None:
        screen.say(T("console.exported", file=out, rows=sum(wanted.done.rows.values())))
        if as_json:
            screen.json({"file": str(out), "rows": wanted.done.rows, "damaged": wanted.done.damaged})
    return Exit.FAILED if wanted.done.damaged else Exit.OK

"""`branchgate audit`: who did what to what, and that nobody changed it since."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from central_scheduler.console.problem import Exit, Problem
from central_scheduler.console.screen import Screen
from cloud_bridge.digests import shortened
from commands.journal_here import Config, Folder, journal_folder, say_findings, told_of_journal
from commands.kit import Json, Speak, T, group

app = group("help.audit")


@app.command("verify", help=T("help.audit_verify"))
def audit_verify(
    folder: Folder = None,
    config: Config = None,
    head: Annotated[str | None, typer.Option("--head", help=T("help.o_head"))] = None,
    as_json: Json = False,
    lang: Speak = None,
) -> int:
    from edge_agent.console.journal import head_of, prove

    screen, where = Screen(T, as_json=as_json), journal_folder(folder, config)
    kept = head_of(head) if head is not None else None
    if head is not None and kept is None:
        raise Problem(Exit.USAGE, "bad_head", given=head)
    with told_of_journal(where):
        proof = prove(where, kept)
    say_findings(screen, proof.findings)
    last = proof.head
    told = {"rows": proof.rows, "first": proof.first, "head": f"{last.seq}:{last.hash}" if last else "-"}
    screen.say(T("console.audit_good" if proof.good else "console.audit_bad", folder=where, **told))
    if as_json:
        screen.json(proof.as_json())
    return Exit.OK if proof.good else Exit.FAILED


@app.command("show", help=T("help.audit_show"))
def audit_show(
    folder: Folder = None,
    config: Config = None,
    last: Annotated[int, typer.Option("--last", min=1, max=10_000, help=T("help.o_last"))] = 50,
    who: Annotated[str, typer.Option("--who", help=T("help.o_who"))] = "",
    what: Annotated[str, typer.Option("--what", help=T("help.o_what"))] = "",
    act: Annotated[str, typer.Option("--act", help=T("help.o_act"))] = "",
    as_json: Json = False,
    lang: Speak = None,
) -> int:
    from edge_agent.console.journal import Wanted, rows

    screen, where = Screen(T, as_json=as_json), journal_folder(folder, config)
    with told_of_journal(where):
        found = rows(where, Wanted(last, who, what, act))
    if as_json:
        screen.json(found)
        return Exit.OK
    heads = ("seq", "time", "who", "act", "what", "door", "facts")
    screen.table([T(f"label.audit_{name}") for name in heads], [_audit_line(row) for row in found])
    return Exit.OK


def _audit_line(row: dict[str, Any]) -> list[str]:
    time = f"{row['time']} ({T.word('clock', row['clock'])})"
    who = ", ".join(row["who"]) + ("" if row["proven"] else f" ({T('console.not_proven')})")
    facts = ", ".join(f"{name}={shortened(str(value))}" for name, value in row["facts"].items())
    return [str(row["seq"]), time, who, row["act"], row["what"], T.word("door", row["door"]), facts]

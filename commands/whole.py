"""All commands: the groups of sub-commands joined, and what becomes of whatever goes wrong.

Knows exit codes; the commands are those of `commands/`, and none of them knows how anything is done.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from central_scheduler.console.problem import Exit, Problem
from central_scheduler.console.screen import Screen
from central_scheduler.console.usage import UsageMistake, check_text, problem_of
from commands import (
    application,
    audit,
    box,
    bundle,
    clock,
    completion,
    device,
    doctor,
    journal,
    lines,
    notes,
    order,
    people,
    receipt,
    screen,
    stock,
    tap,
    top,
)
from commands.helping import frame
from commands.kit import T

PROGRAM = "branchgate"
GROUPS = {
    "audit": audit.app,
    "people": people.app,
    "application": application.app,
    "order": order.app,
    "device": device.app,
    "journal": journal.app,
    "clock": clock.app,
    "receipt": receipt.app,
    "screen": screen.app,
    "stock": stock.app,
    "tap": tap.app,
    "serial": lines.serial,
    "modbus": lines.modbus,
    "usb": lines.usb,
    "notes": notes.app,
}
ALONE: dict[str, Callable[..., int]] = {
    "doctor": doctor.doctor,
    "bundle": bundle.bundle,
    "top": top.top,
    "completion": completion.completion,
}
app = box.app
for _name, _group in GROUPS.items():
    app.add_typer(_group, name=_name)
for _name, _command in ALONE.items():
    app.command(_name, help=T(f"help.{_name}"))(_command)
frame(app)


def _version(wanted: bool) -> None:
    if wanted:
        from edge_agent.app import versions

        print(PROGRAM, ", ".join(f"{what} {which}" for what, which in versions().items()))
        raise typer.Exit


@app.callback()
def _whole(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help=T("help.version"))
    ] = False,
) -> None:
    """Options of the command itself."""


def run(arguments: Sequence[str]) -> int:
    """One command line -> its exit code; whatever goes wrong is told in two lines, never as a traceback."""

    def work() -> int:
        check_text(arguments, PROGRAM)
        if completion.VARIABLE in os.environ:
            completion.ready()
        return int(app(args=list(arguments), prog_name=PROGRAM, standalone_mode=False) or Exit.OK)

    return _told(arguments, work)


def agent_failed(arguments: Sequence[str], config: Path, error: BaseException) -> int:
    """The exit code of an agent that was run without a parser, told as any other command's."""
    return _told(arguments, lambda: box.agent_failed(config, error))


def _told(arguments: Sequence[str], work: Callable[[], int]) -> int:
    screen = Screen(T, as_json="--json" in arguments)
    try:
        code = work()
        if code == Exit.INTERRUPTED:  # typer makes this of Ctrl-C
            screen.warn(T("console.interrupted"))
        return code
    except Problem as problem:
        screen.problem(problem)
        return problem.exit_code
    except (typer.Abort, KeyboardInterrupt, asyncio.CancelledError):
        screen.warn(T("console.interrupted"))
        return Exit.INTERRUPTED
    except UsageMistake as mistake:
        if type(mistake).__name__ == "NoArgsIsHelpError" and not screen.as_json:
            print(mistake, file=sys.stderr)
            return Exit.USAGE
        told = problem_of(mistake, PROGRAM)
        screen.problem(told)
        return told.exit_code
    except SystemExit as end:  # a shell was answered
        return end.code if isinstance(end.code, int) else Exit.USAGE
    except Exception as error:  # the last net: a person gets two lines, whatever went wrong
        if os.environ.get("BRANCHGATE_DEBUG"):
            raise
        screen.problem(Problem(Exit.FAILED, "unexpected", why=f"{type(error).__name__}: {error}"))
        return Exit.FAILED

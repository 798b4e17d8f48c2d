"""What every group of commands needs: the language, the options that all have, the desk, and how refusals are told.

Knows arguments and how they are asked for; must not know any command.
"""

from __future__ import annotations

import asyncio
import inspect
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from enum import StrEnum
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import typer

from central_scheduler.console.desk import Desk, sit
from central_scheduler.console.problem import Exit, Problem
from central_scheduler.console.screen import Screen
from edge_agent.texts import Texts, language

if TYPE_CHECKING:
    from edge_agent.findings import Problem as Finding
    from edge_agent.findings import Word

# Help and usage errors are spoken before typer has parsed anything, so the language is chosen from the raw arguments.
T = Texts(language(sys.argv[1:], os.environ))


class Lang(StrEnum):
    """What --lang takes; read from the raw arguments above."""

    ZH = "zh"
    EN = "en"


Json = Annotated[bool, typer.Option("--json", help=T("help.o_json"))]
Speak = Annotated[Lang | None, typer.Option("--lang", help=T("help.o_lang"))]
Reason = Annotated[str, typer.Option("--reason", help=T("help.o_reason"))]
By = Annotated[list[str], typer.Option("--by", help=T("help.o_by"))]
Note = Annotated[str, typer.Option("--note", help=T("help.o_note"))]
Yes = Annotated[bool, typer.Option("--yes", help=T("help.o_yes"))]
LOCAL, CONSOLE, WAIT_S = "127.0.0.1:1883", "console", 15.0


def group(key: str) -> typer.Typer:
    """A group of sub-commands, or the command itself; `key` is its help."""
    return typer.Typer(help=T(key), no_args_is_help=True, add_completion=False, rich_markup_mode=None)


Command = Callable[..., Coroutine[Any, Any, int]]


def _options(
    context: typer.Context,
    broker: Annotated[str, typer.Option("--broker", envvar="BRANCHGATE_BROKER", help=T("help.o_broker"))] = LOCAL,
    branch: Annotated[str | None, typer.Option("--branch", envvar="BRANCHGATE_BRANCH", help=T("help.o_branch"))] = None,
    name: Annotated[str, typer.Option("--name", envvar="BRANCHGATE_NAME", help=T("help.o_name"))] = CONSOLE,
    timeout: Annotated[float, typer.Option("--timeout", min=0.1, max=3600, help=T("help.o_timeout"))] = WAIT_S,
    as_json: Json = False,
    lang: Speak = None,
) -> Desk:
    """The options that every command at a desk has."""
    return sit(T, Screen(T, as_json=as_json), broker, branch, name, timeout, context.command_path)


def at_desk(command: Command) -> Callable[..., int]:
    """A command whose first parameter is the desk: it gets the desk's options behind its own, and an event loop."""
    own = list(inspect.signature(command, eval_str=True).parameters.values())[1:]
    common = list(inspect.signature(_options, eval_str=True).parameters.values())

    @wraps(command)
    def run_it(**given: Any) -> int:
        desk = _options(**{one.name: given.pop(one.name) for one in common})
        return asyncio.run(command(desk, **given))

    parameters = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in (*own, *common)]
    run_it.__signature__ = inspect.Signature(parameters, return_annotation=int)  # type: ignore[attr-defined]
    run_it.__annotations__ = {one.name: one.annotation for one in parameters}
    return run_it


_ANSWERS = {"y": True, "yes": True, "是": True, "n": False, "no": False, "否": False, "": False}


def confirm(question: str) -> bool:
    """Asks at the terminal, until the answer is one; nothing is no. Ctrl-C there ends the command."""
    # asyncio keeps Ctrl-C for itself, and would let the prompt wait on.
    kept = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        while (answer := input(f"{question} [y/N]: ").strip().casefold()) not in _ANSWERS:
            print(T("console.yes_or_no"))
        return _ANSWERS[answer]
    except EOFError:
        raise typer.Abort from None
    finally:
        signal.signal(signal.SIGINT, kept)


class HasFindings(Protocol):
    """What a refused file's error carries."""

    @property
    def problems(self) -> Sequence[Finding]: ...


def refused(config: Path, bad: HasFindings, name: str = "config") -> Problem:
    """A file that is wrong, with every finding; the first one is the headline."""
    findings = [{"file": p.file, "line": p.line, "code": p.code, "message": p.words(T)} for p in bad.problems]
    lines = ["{file}:{line}: {message}".format_map(finding) for finding in findings]
    problem = Problem(Exit.CONFIG, name, what=lines[0], file=config)
    problem.more.extend(lines[1:])
    problem.findings.extend(findings)
    return problem


class Told(Protocol):
    """An error that has words of its own."""

    @property
    def why(self) -> Word: ...


def said(error: Told) -> str:
    """Why, in the reader's language."""
    return T.word(error.why.family, error.why.code)


def door_problem(reply: Mapping[str, Any]) -> Problem:
    """The agent did not take it at all."""
    problem = str(reply["problem"])
    remedy = "not_trusted" if problem == "not_trusted" else "door"
    return Problem(Exit.FAILED, "door", remedy=remedy, why=T.word("door_problem", problem))


def mib(count: int) -> str:
    """Bytes as people read them."""
    return f"{count / 1024**2:.1f} MiB"


def by_system(error: OSError) -> str:
    """What the system refused, in the reader's language."""
    from edge_agent.findings import system_error

    return T.word("os", system_error(error).code)

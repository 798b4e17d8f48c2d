"""Mistakes on the command line, told as our own Problems in the reader's language.

Knows the kinds of mistakes that the argument parser tells; must not know any command.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import typer

from central_scheduler.console.problem import Exit, Problem

# The parser's base of all usage mistakes. typer does not export it by name, and keeps it elsewhere in each version.
UsageMistake: type[Exception] = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")


def check_text(arguments: Sequence[str], program: str) -> None:
    """Bytes that are no text, or NUL, can be no argument of ours. Raises Problem."""
    for argument in arguments:
        if "\0" in argument or (not argument.isascii() and any("\ud800" <= c <= "\udfff" for c in argument)):
            shown = argument.encode("utf-8", "backslashreplace").decode()
            raise Problem(Exit.USAGE, "usage", why=f"{shown!r}: UTF-8?", command=program)


def problem_of(mistake: Any, program: str) -> Problem:
    """One of the parser's exceptions as a Problem."""
    context = getattr(mistake, "ctx", None)
    command = context.command_path if context is not None else program
    kind, places = _sentence(mistake)
    return Problem(Exit.USAGE, kind, remedy="usage", command=command, **places)


def _sentence(mistake: Any) -> tuple[str, dict[str, str]]:
    name, said = type(mistake).__name__, str(mistake.format_message())
    parameter = getattr(mistake, "param", None)
    if name == "MissingParameter" and parameter is not None:
        return "usage_missing", {"what": _as_typed(parameter)}
    if name == "NoSuchOption":
        return "usage_option", {"what": str(mistake.option_name)}
    if name == "BadParameter" and parameter is not None:
        return "usage_value", {"what": _as_typed(parameter), "why": str(mistake.message).removeprefix("Value error, ")}
    if said.startswith("No such command"):
        return "usage_command", {"what": said.removeprefix("No such command").strip()}
    return "usage", {"why": said}


def _as_typed(parameter: Any) -> str:
    """`--option`, or `ARGUMENT` as help shows it."""
    if parameter.param_type_name == "option":
        return "/".join(parameter.opts)
    return str(parameter.name).upper()

"""Mistakes on the command line, told as our own Problems in the reader's language.

Knows the kinds of mistakes that the argument parser tells; must not know any command.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import typer

from central_scheduler.console.problem import Exit, Problem, Said

# The parser's base of all usage mistakes. typer does not export it by name, and keeps it elsewhere in each version.
UsageMistake: type[Exception] = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")

SHARED = frozenset({"--broker", "--branch", "--name", "--timeout", "--json", "--lang", "--config"})

# What the parsers of typer's versions say of values, and what pydantic says of them in the contract's models.
_SAID = [
    (re.compile(pattern), key)
    for pattern, key in (
        (r"^Input should be greater than or equal to (?P<bound>\S+)$", "finding.too_small"),
        (r"^Input should be less than or equal to (?P<bound>\S+)$", "finding.too_large"),
        (r"^Input should be greater than (?P<bound>\S+)$", "finding.not_above"),
        (r"^Input should be less than (?P<bound>\S+)$", "finding.not_below"),
        (r"^String should have at most (?P<bound>\d+) characters?$", "finding.text_too_long"),
        (r"is not in the range (?P<range>\S+)\.$", "console.out_of_range"),
        (r"^Input should be a valid integer\b|is not a valid integer\.$", "finding.no_integer"),
        (r"^Input should be a valid number\b|is not a valid float\.$", "finding.no_number"),
        (r"^Option '(?P<what>[^']+)' requires an argument\.$", "console.needs_value"),
        (r"^Option '(?P<what>[^']+)' does not take a value\.$", "console.takes_no_value"),
        (r"^Got unexpected extra argument\S* \((?P<what>.*)\)$", "console.not_wanted"),
        (r"^Missing command\.$", "console.no_command"),
        (r"^(?P<given>'.*') is not one of (?P<choices>'.+')\.$", "console.no_such_choice"),
    )
]


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
    # An option that many commands share, typed in front of the sub-command: its help does not know it.
    early = (
        kind == "usage_option" and places["what"] in SHARED and hasattr(getattr(context, "command", None), "commands")
    )
    return Problem(
        Exit.USAGE, kind, remedy="usage_place" if early else "usage", command=program if early else command, **places
    )


def why_of(said: str) -> str | Said:
    """What is wrong with a value as the catalogue has it; what nobody translated stays as the parser said it."""
    said = said.removeprefix("Value error, ")
    for pattern, key in _SAID:
        if found := pattern.search(said):
            return Said(key, found.groupdict())
    return said


def _sentence(mistake: Any) -> tuple[str, dict[str, str | Said]]:
    name, said = type(mistake).__name__, str(mistake.format_message())
    parameter = getattr(mistake, "param", None)
    if name == "MissingParameter" and parameter is not None:
        return "usage_missing", {"what": _as_typed(parameter)}
    if name == "NoSuchOption":
        return "usage_option", {"what": str(mistake.option_name)}
    if name == "BadParameter" and parameter is not None:
        return "usage_value", {"what": _as_typed(parameter), "why": why_of(str(mistake.message))}
    if said.startswith("No such command"):
        name, _, near = said.removeprefix("No such command").strip().rstrip(".?").partition(". Did you mean ")
        return ("usage_near", {"what": name, "near": near}) if near else ("usage_command", {"what": name})
    return "usage", {"why": why_of(said)}


def _as_typed(parameter: Any) -> str:
    """`--option`, or `ARGUMENT` as help shows it."""
    if parameter.param_type_name == "option":
        return "/".join(parameter.opts)
    return str(parameter.name).upper()

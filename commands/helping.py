"""Help as people read it: the frame in their language too, and lines broken by the width that letters really have.

Knows what the parser tells of a command and its parameters; must not know any command.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import reduce
from typing import Any

import typer
from rich.cells import cell_len
from typer.core import TyperCommand, TyperGroup

from commands.kit import T

LEFT_CELLS = 34  # names wider than this stand on a line of their own
MIN_CELLS = 24  # of a description, however narrow the screen
_MARKS = {"env var": "help_frame.env_var", "default": "help_frame.default", "required": "help_frame.required"}
_KIND = re.compile(r"<([^<>]+)>")
_PIECES = re.compile(r"\s+|[\u2e80-\uffef]|[^\s\u2e80-\uffef]+")
_CLOSING = frozenset("，。；：、！？）」』”》")  # never the first of a line


class Command(TyperCommand):
    """A command whose help has our frame."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        formatter.write(_help(self, ctx, formatter.width))


class Group(TyperGroup):
    """A group whose help has our frame."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        formatter.write(_help(self, ctx, formatter.width))


def frame(app: typer.Typer) -> None:
    """Gives our frame to every command of it."""
    app.info.cls = Group
    for command in app.registered_commands:
        command.cls = Command
    for group in app.registered_groups:
        if group.typer_instance is not None:
            frame(group.typer_instance)


def _help(command: Any, ctx: Any, width: int) -> str:
    arguments, options = list[tuple[str, str]](), list[tuple[str, str]]()
    for one in command.get_params(ctx):
        if (record := one.get_help_record(ctx)) is not None:
            (arguments if one.param_type_name == "argument" else options).append(_told(one, *record))
    below = [(name, command.get_command(ctx, name)) for name in getattr(command, "commands", {})]
    commands = [(name, one.help or "") for name, one in below if not one.hidden]
    parts = [T("help_frame.usage", how=_usage(command, ctx)), *_lines(command.help or "", "  ", width)]
    for title, rows in (("arguments", arguments), ("options", options), ("commands", commands)):
        if rows:
            parts += ["", T(f"help_frame.{title}"), *_table(rows, width)]
    return "\n".join([parts[0], "", *parts[1:], ""])


def _usage(command: Any, ctx: Any) -> str:
    pieces = [ctx.command_path, T("help_frame.of_options")]
    for one in command.get_params(ctx):
        if one.param_type_name == "argument":
            name = argument_name(one) + ("…" if one.nargs != 1 else "")
            pieces.append(name if one.required else f"[{name}]")
    if hasattr(command, "commands"):
        pieces.append(T("help_frame.of_commands"))
    return " ".join(pieces)


def argument_name(parameter: Any) -> str:
    """As usage, help and mistakes name it."""
    return str(parameter.name).upper()


def _told(parameter: Any, names: str, help_: str) -> tuple[str, str]:
    if parameter.param_type_name == "argument":
        names = argument_name(parameter)
    elif parameter.opts == ["--help"]:
        return names, T("help.o_help")
    names = _KIND.sub(lambda found: f"<{_kind(found[1])}>", names)
    text, bracket, marks = help_.rpartition("  [")
    if not bracket:
        return names, help_
    told = reduce(lambda some, last: T("help_frame.and", some=some, last=last), map(_mark, marks[:-1].split("; ")))
    return names, f"{text}  [{told}]"


def _kind(kind: str) -> str:
    code = re.sub(r"\W+", "_", kind).strip("_")
    known = T.word("help_kind", code)
    return kind if known == code else known  # the words of a choice are typed as they stand


def _mark(mark: str) -> str:
    name, colon, value = mark.partition(": ")
    if name not in _MARKS:
        return mark
    return T(_MARKS[name], value=value.strip("()")) if colon else T(_MARKS[name])


def _table(rows: list[tuple[str, str]], width: int) -> Iterator[str]:
    left = max((cells for name, _ in rows if (cells := cell_len(name)) <= LEFT_CELLS), default=0)
    for name, text in rows:
        lines = list(_lines(text, "", max(MIN_CELLS, width - left - 4))) or [""]
        if cell_len(name) > left:
            yield f"  {name}"
        else:
            yield f"  {name}{' ' * (left - cell_len(name))}  {lines.pop(0)}".rstrip()
        yield from (" " * (left + 4) + line for line in lines)


def _lines(text: str, indent: str, width: int) -> Iterator[str]:
    """The text in lines no wider than the screen; a letter of Chinese takes two cells, and may end a line."""
    line = indent
    for piece in _pieces(text):
        if line.strip() and cell_len(line) + cell_len(piece.rstrip()) > width:
            yield line.rstrip()
            line = indent
        line += piece if line.strip() else piece.lstrip()
    if line.strip():
        yield line.rstrip()


def _pieces(text: str) -> Iterator[str]:
    held = ""
    for piece in _PIECES.findall(text):
        if held and piece[0] not in _CLOSING:
            yield held
            held = ""
        held += piece
    if held:
        yield held

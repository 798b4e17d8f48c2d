"""`branchgate completion`: what makes bash, zsh and fish complete commands and options."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Annotated, Any

import typer

from central_scheduler.console.problem import Exit, Problem
from central_scheduler.console.screen import Screen
from commands.kit import Json, Speak, T

SHELLS = ("bash", "zsh", "fish")
PROGRAM, VARIABLE = "branchgate", "_BRANCHGATE_COMPLETE"
# In a folder of its $fpath zsh runs the file at the first Tab: without this that Tab would complete nothing.
_AUTOLOADED = '\n\nif [ "$funcstack[1]" = "_branchgate" ]; then _branchgate_completion; fi'


def completion(
    shell: Annotated[str, typer.Argument(help=T("help.a_shell"))], as_json: Json = False, lang: Speak = None
) -> int:
    if shell not in SHELLS:
        raise Problem(Exit.USAGE, "no_shell", given=shell, known=", ".join(SHELLS))
    script = _typers().get_completion_script(prog_name=PROGRAM, complete_var=VARIABLE, shell=shell)
    if shell == "zsh":
        script += _AUTOLOADED
    if as_json:
        Screen(T, as_json=True).json({"shell": shell, "script": script})
    else:
        sys.stdout.write(script + "\n")
    return Exit.OK


def ready() -> None:
    """Teaches the parser to answer a shell; only where one asks."""
    _typers().completion_init()


def _typers() -> Any:
    """Typer exports neither by name; both are there in every version that we lock and allow."""
    return import_module("typer.completion")

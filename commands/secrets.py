"""How the commands come by passwords: asked for at the terminal unseen, or read from standard input; never an argument.

Knows terminals; must not know what a password is for.
"""

from __future__ import annotations

import getpass
import sys
from dataclasses import dataclass, field
from typing import Annotated

import typer

from central_scheduler.console.problem import Exit, Problem
from commands.kit import T

FromStdin = Annotated[bool, typer.Option("--password-stdin", help=T("help.o_password_stdin"))]


def on_box_only(*, stdin: bool) -> None:
    """Over a broker nobody shows a password. Raises Problem."""
    if stdin:
        raise Problem(Exit.USAGE, "on_site_only", what="--password-stdin")


@dataclass(slots=True)
class Secrets:
    """Each call asks for one."""

    from_stdin: bool = False
    _asked: int = field(default=0)

    def of(self, name: str) -> str:
        """Somebody's password. Raises Problem."""
        return self._one(T("console.ask_password", name=name))

    def new(self, name: str) -> str:
        """A password that is to be set, typed twice. Raises Problem."""
        first = self._one(T("console.ask_new_password", name=name))
        if not self.from_stdin and self._one(T("console.ask_again")) != first:
            raise Problem(Exit.USAGE, "repeat")
        return first

    def code(self) -> str:
        return self._one(T("console.ask_code"))

    def _one(self, question: str) -> str:
        self._asked += 1
        if not self.from_stdin:
            if not sys.stdin.isatty():
                raise Problem(Exit.USAGE, "stdin_short", count=self._asked)
            return getpass.getpass(question)
        line = sys.stdin.readline()
        if not line:
            raise Problem(Exit.USAGE, "stdin_short", count=self._asked)
        return line.rstrip("\r\n")

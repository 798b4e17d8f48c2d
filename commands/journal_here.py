"""What commands share that look into a journal on its own machine: where it lies, and how findings in it are told."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from central_scheduler.console.problem import Exit, Problem
from central_scheduler.console.screen import Screen, harmless, painted
from commands.kit import T, by_system, refused

if TYPE_CHECKING:
    from edge_agent.audit.opened import Found

Folder = Annotated[Path | None, typer.Argument(help=T("help.a_folder"))]
Config = Annotated[Path | None, typer.Option("--config", help=T("help.o_folder_of"))]


def journal_folder(folder: Path | None, config: Path | None) -> Path:
    """The folder that was named, or that of the configuration that was named."""
    from edge_agent.console.journal import folder_of
    from edge_agent.settings import BadConfig

    try:
        found = folder_of(folder, config)
    except BadConfig as bad:
        raise refused(config or Path(), bad) from bad
    if found is None:
        raise Problem(Exit.USAGE, "one_folder")
    return found


@contextmanager
def told_of_journal(folder: Path) -> Iterator[None]:
    """What can go wrong while it is read, as problems: none there, not ours to look into, damaged."""
    from edge_agent.audit.opened import NoJournal

    try:
        yield
    except NoJournal as none:
        raise Problem(Exit.NOT_FOUND, "no_journal", folder=folder) from none
    except OSError as error:
        why = by_system(error)
        raise Problem(Exit.FAILED, "unreadable_journal", remedy="lock_unseen", folder=folder, why=why) from error
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise Problem(Exit.FAILED, "unreadable_journal", folder=folder, why=error) from error


def say_findings(screen: Screen, findings: Sequence[Found]) -> None:
    """A line for each."""
    for found in findings:
        words = T(f"verify.{found.code}", where=found.where, detail=found.detail)
        screen.say(Text().append_text(painted(T("console.error"), "failed")).append(f": {harmless(words)}"))

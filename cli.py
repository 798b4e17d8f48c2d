"""The one command, `branchgate`: the agent at once, everything else by `commands.whole`.

Knows the few plain ways of asking for the agent. The parser and the screen of the other commands are 4 MB that the
agent would keep for as long as it runs: they are imported for whatever else is asked, and when the agent has failed.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

_FLAGS = frozenset({"--debug", "--json"})
_LANGUAGES = frozenset({"zh", "en"})


@dataclass(slots=True)
class _Asked:
    """`branchgate agent` with options that need no parser."""

    config: str = ""
    debug: bool = False


def run(arguments: Sequence[str]) -> int:
    """One command line -> its exit code; whatever goes wrong is told in two lines, never as a traceback."""
    if (asked := _plainly(arguments)) is None:
        from commands.whole import run as run_any

        return run_any(arguments)
    from edge_agent.console import agent

    try:
        agent.run(Path(asked.config), debug=asked.debug)
    except (Exception, KeyboardInterrupt, asyncio.CancelledError) as error:  # noqa: BLE001  # told there
        from commands.whole import agent_failed

        return agent_failed(arguments, Path(asked.config), error)
    return 0


def _plainly(arguments: Sequence[str]) -> _Asked | None:
    """None: it is another command, or it must be looked at more closely (a mistake, `--help`)."""
    rest = list(arguments[1:])
    if arguments[:1] not in (["agent"], ("agent",)) or not all(one.isprintable() for one in rest):
        return None
    asked = _Asked()
    while rest:
        name, equals, value = rest.pop(0).partition("=")
        if name in _FLAGS and not equals:
            asked.debug |= name == "--debug"
            continue
        if not equals and rest:
            value = rest.pop(0)
        if name == "--config" and value and not value.startswith("-"):
            asked.config = value
        elif name != "--lang" or value not in _LANGUAGES:
            return None
    return asked if asked.config else None


def main() -> NoReturn:
    """The console script."""
    _keep_streams()
    sys.exit(run(sys.argv[1:]))


def _keep_streams() -> None:
    """Closed ones (`>&-`) lead nowhere; else `sys.stdout` is None, and the next file opened takes its number."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            os.dup2(os.open(os.devnull, os.O_RDWR), number)
            setattr(sys, name, os.fdopen(number, "w" if number else "r", encoding="utf-8", closefd=False))


if __name__ == "__main__":
    main()

"""Running the agent from a command line: configuration, log, event loop.

Knows how a process begins; what the agent does is told in app.py.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from pathlib import Path

from edge_agent import app, settings
from edge_agent.journal.journal import JournalLocked
from edge_agent.settings import BadConfig

log = logging.getLogger(__name__)


class AgentEnded(Exception):
    """The agent ended on errors; they stand in the log, the first of them here."""


def run(config: Path, *, debug: bool = False) -> None:
    """Until SIGTERM or SIGINT. Raises BadConfig, JournalLocked, AgentEnded."""
    _log_to_stderr(debug=debug)
    loaded = settings.load(config)
    try:
        asyncio.run(app.run(loaded))
    except (BadConfig, JournalLocked):
        raise
    except Exception as error:
        # A person at a terminal gets one line; the log that systemd keeps gets everything.
        log.error("the agent ended", exc_info=None if sys.stderr.isatty() else error)
        raise AgentEnded(str(_first(error))) from error


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _log_to_stderr(*, debug: bool) -> None:
    # Nobody is told which file, thread or process wrote a line: finding it out takes longer than the line itself.
    logging._srcfile = None  # noqa: SLF001 - as the manual of logging advises ("Optimization")
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    # systemd puts its own time on each line (JOURNAL_STREAM is set then).
    moment = "" if "JOURNAL_STREAM" in os.environ else "%(asctime)s "
    form = moment + "%(levelname)s %(name)s: %(message)s"
    logging.basicConfig(level=logging.DEBUG if debug else logging.INFO, format=form, stream=sys.stderr)

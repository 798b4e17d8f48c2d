"""What a forked child may be: an agent (with a planned death or a planted bug) or a simulated machine.

Knows how each is started; everything heavy is imported here, once, before the forks.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from cloud_bridge.settings import LinkSettings
from edge_agent import app, settings
from simulators import serve
from tests.harness.bugs import BUGS
from tests.harness.crash import CommitHook, CountedLink, Counter, plan_of


def agent(words: dict[str, Any]) -> int:
    """An agent as `branchgate agent` would run it, with hooks; see `Branch.start_agent` for the words."""
    logging.basicConfig(stream=sys.stderr, level=logging.DEBUG, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    hooks = app.Hooks()
    if words.get("plan"):
        counter = Counter(plan_of(words["plan"]))
        commits = CommitHook(counter)
        hooks = app.Hooks(
            wrap_link=lambda link: CountedLink(link, counter), before_commit=commits.before, after_commit=commits.after
        )
    if words.get("bug"):
        BUGS[words["bug"]]()
    loaded = settings.load(Path(words["config"]))
    if words.get("broker_s"):
        wait_for_the_broker(words["broker_s"])
    asyncio.run(app.run(loaded, hooks))
    return 0


def wait_for_the_broker(limit_s: float) -> None:
    """Nothing that a broker owes is given up before: whatever goes on until then did not wait for it."""
    rightly = settings.Settings.link_settings

    def patiently(self: settings.Settings) -> LinkSettings:
        return replace(rightly(self), connect_timeout_s=limit_s, ack_timeout_s=limit_s, keepalive_s=int(limit_s))

    settings.Settings.link_settings = patiently  # type: ignore[method-assign]


def machine(words: dict[str, Any]) -> int:
    """A simulator, by its own command line."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return serve.main(words["arguments"])


ROLES = {"agent": agent, "machine": machine}

"""Commands of the box itself, without a group: the agent, its configuration's check, simulators, the demo, watching."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.text import Text

from central_scheduler.console import watch
from central_scheduler.console.desk import Desk
from central_scheduler.console.problem import Exit, Problem
from central_scheduler.console.screen import Screen, harmless, painted
from commands.at_box import locked
from commands.kit import Json, Speak, T, at_desk, group, refused
from commands.simulate import simulate

app = group("help.app")


@app.command(help=T("help.agent"))
def agent(
    config: Annotated[Path, typer.Option("--config", help=T("help.o_config"))],
    debug: Annotated[bool, typer.Option("--debug", help=T("help.o_debug"))] = False,
    as_json: Json = False,
    lang: Speak = None,
) -> int:
    from edge_agent.console import agent as running

    try:
        running.run(config, debug=debug)
    except Exception as error:  # noqa: BLE001  # each is told as what it is, or raised again
        agent_failed(config, error)
    return Exit.OK


def agent_failed(config: Path, error: BaseException) -> NoReturn:
    """Raises the problem that a person is told, or what ended the agent without being one."""
    from edge_agent.console.agent import AgentEnded
    from edge_agent.journal.journal import JournalLocked
    from edge_agent.settings import BadConfig

    if isinstance(error, BadConfig):
        raise refused(config, error) from error
    if isinstance(error, JournalLocked):
        raise locked(error.folder) from error
    if isinstance(error, AgentEnded):
        raise Problem(Exit.FAILED, "agent", why=error) from error
    raise error


@app.command(help=T("help.check"))
def check(
    config: Annotated[Path, typer.Argument(help=T("help.a_config"))],
    as_json: Json = False,
    lang: Speak = None,
) -> int:
    from edge_agent.console.check import check as checked

    screen, found = Screen(T, as_json=as_json), checked(config, T)
    if as_json:
        screen.json(found.as_json())
    for finding in found.findings:
        level = painted(T(f"console.{finding.level}"), "failed" if finding.level == "error" else "waiting")
        screen.say(Text(f"{finding.file}:{finding.line}: ").append_text(level).append(f": {harmless(finding.message)}"))
    if found.settings is not None and found.good:
        screen.say(T("console.config_good", file=config))
    return Exit.OK if found.good else Exit.CONFIG


app.command("simulate", help=T("help.simulate"))(simulate)


@app.command(help=T("help.demo"))
def demo(
    once: Annotated[bool, typer.Option("--once", help=T("help.o_once"))] = False,
    seed: Annotated[int, typer.Option("--seed", help=T("help.o_seed"))] = 1,
    keep: Annotated[bool, typer.Option("--keep", help=T("help.o_keep"))] = False,
    as_json: Json = False,
    lang: Speak = None,
) -> int:
    from central_scheduler.demo.show import show

    return asyncio.run(show(Screen(T, as_json=as_json), once=once, seed=seed, keep=keep))


@app.command("watch", help=T("help.watch"))
@at_desk
async def watch_all(desk: Desk) -> int:
    try:
        return await watch.watch(desk)
    except asyncio.CancelledError:  # Ctrl-C is how watching ends
        return Exit.OK

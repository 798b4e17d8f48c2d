"""The one command, `branchgate`: a list of sub-commands, each of which calls one function.

Knows arguments, languages and exit codes; must not know how anything is done.
"""

from __future__ import annotations

import asyncio
import inspect
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Sequence
from enum import StrEnum
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from rich.text import Text

from central_scheduler.console import devices, journal, order_resolve, order_show, orders, watch
from central_scheduler.console.desk import Desk, sit
from central_scheduler.console.problem import Exit, Problem
from central_scheduler.console.screen import Screen, harmless, painted
from central_scheduler.console.usage import UsageMistake, check_text, problem_of
from cloud_bridge.messages import Choice
from edge_agent.texts import Texts, language

if TYPE_CHECKING:
    from edge_agent.settings import BadConfig

PROGRAM = "branchgate"
# Help and usage errors are spoken before typer has parsed anything, so the language is chosen from the raw arguments.
T = Texts(language(sys.argv[1:], os.environ))


class Lang(StrEnum):
    """What --lang takes; read from the raw arguments above."""

    ZH = "zh"
    EN = "en"


Json = Annotated[bool, typer.Option("--json", help=T("help.o_json"))]
Speak = Annotated[Lang | None, typer.Option("--lang", help=T("help.o_lang"))]
Order = Annotated[str, typer.Argument(help=T("help.a_order"))]
Reason = Annotated[str, typer.Option("--reason", help=T("help.o_reason"))]
LOCAL, CONSOLE, WAIT_S = "127.0.0.1:1883", "console", 15.0


def _group(key: str) -> typer.Typer:
    return typer.Typer(help=T(key), no_args_is_help=True, add_completion=False, rich_markup_mode=None)


app = _group("help.app")
order_app, device_app, journal_app = _group("help.order"), _group("help.device"), _group("help.journal")
app.add_typer(order_app, name="order")
app.add_typer(device_app, name="device")
app.add_typer(journal_app, name="journal")


def _version(wanted: bool) -> None:
    if wanted:
        from edge_agent.app import versions

        print(PROGRAM, ", ".join(f"{what} {which}" for what, which in versions().items()))
        raise typer.Exit


@app.callback()
def _whole(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help=T("help.version"))
    ] = False,
) -> None:
    """Options of the command itself."""


Command = Callable[..., Coroutine[Any, Any, int]]


def _options(
    broker: Annotated[str, typer.Option("--broker", envvar="BRANCHGATE_BROKER", help=T("help.o_broker"))] = LOCAL,
    branch: Annotated[str | None, typer.Option("--branch", envvar="BRANCHGATE_BRANCH", help=T("help.o_branch"))] = None,
    name: Annotated[str, typer.Option("--name", envvar="BRANCHGATE_NAME", help=T("help.o_name"))] = CONSOLE,
    timeout: Annotated[float, typer.Option("--timeout", min=0.1, max=3600, help=T("help.o_timeout"))] = WAIT_S,
    as_json: Json = False,
    lang: Speak = None,
) -> Desk:
    """The options that every command at a desk has."""
    return sit(T, Screen(T, as_json=as_json), broker, branch, name, timeout)


def at_desk(command: Command) -> Callable[..., int]:
    """A command whose first parameter is the desk: it gets the desk's options behind its own, and an event loop."""
    own = list(inspect.signature(command, eval_str=True).parameters.values())[1:]
    common = list(inspect.signature(_options, eval_str=True).parameters.values())

    @wraps(command)
    def run_it(**given: Any) -> int:
        desk = _options(**{one.name: given.pop(one.name) for one in common})
        return asyncio.run(command(desk, **given))

    parameters = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in (*own, *common)]
    run_it.__signature__ = inspect.Signature(parameters, return_annotation=int)  # type: ignore[attr-defined]
    run_it.__annotations__ = {one.name: one.annotation for one in parameters}
    return run_it


@app.command(help=T("help.agent"))
def agent(
    config: Annotated[Path, typer.Option("--config", help=T("help.o_config"))],
    debug: Annotated[bool, typer.Option("--debug", help=T("help.o_debug"))] = False,
    as_json: Json = False,
    lang: Speak = None,
) -> int:
    from edge_agent.console import agent as running
    from edge_agent.journal.journal import JournalLocked
    from edge_agent.settings import BadConfig

    try:
        running.run(config, debug=debug)
    except BadConfig as bad:
        raise _refused(config, bad) from bad
    except JournalLocked as locked:
        raise Problem(Exit.LOCKED, "locked", why=locked) from locked
    except running.AgentEnded as ended:
        raise Problem(Exit.FAILED, "agent", why=ended) from ended
    return Exit.OK


def _refused(config: Path, bad: BadConfig) -> Problem:
    findings = [{"file": p.file, "line": p.line, "code": p.code, "message": p.words(T)} for p in bad.problems]
    lines = ["{file}:{line}: {message}".format_map(finding) for finding in findings]
    problem = Problem(Exit.CONFIG, "config", what=lines[0], file=config)
    problem.more.extend(lines[1:])
    problem.findings.extend(findings)
    return problem


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


@app.command(
    help=T("help.simulate"),
    add_help_option=False,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)
def simulate(context: typer.Context) -> int:
    from simulators import serve

    return serve.main(context.args)


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


@order_app.command("submit", help=T("help.order_submit"))
@at_desk
async def order_submit(
    desk: Desk,
    scene: Annotated[str, typer.Argument(help=T("help.a_scene"))],
    param: Annotated[list[str] | None, typer.Option("--param", help=T("help.o_param"))] = None,
    customer: Annotated[str, typer.Option("--customer", help=T("help.o_customer"))] = "",
    priority: Annotated[int, typer.Option("--priority", min=-100, max=100, help=T("help.o_priority"))] = 0,
    deadline: Annotated[str | None, typer.Option("--deadline", help=T("help.o_deadline"))] = None,
    not_before: Annotated[str | None, typer.Option("--not-before", help=T("help.o_not_before"))] = None,
    order: Annotated[str | None, typer.Option("--id", help=T("help.o_id"))] = None,
    wait: Annotated[bool, typer.Option("--wait", help=T("help.o_wait"))] = False,
) -> int:
    wanted = orders.Wanted(scene, param or (), customer, priority, deadline, not_before, order)
    return await orders.submit(desk, wanted, wait=wait)


@order_app.command("cancel", help=T("help.order_cancel"))
@at_desk
async def order_cancel(
    desk: Desk,
    order: Order,
    reason: Reason = "",
) -> int:
    return await orders.cancel(desk, order, reason)


@order_app.command("hold", help=T("help.order_hold"))
@at_desk
async def order_hold(
    desk: Desk,
    order: Order,
    reason: Reason = "",
) -> int:
    return await orders.hold(desk, order, reason)


@order_app.command("release", help=T("help.order_release"))
@at_desk
async def order_release(
    desk: Desk,
    order: Order,
    reason: Reason = "",
) -> int:
    return await orders.release(desk, order, reason)


@order_app.command("list", help=T("help.order_list"))
@at_desk
async def order_list(
    desk: Desk,
    ended_too: Annotated[bool, typer.Option("--all", help=T("help.o_all"))] = False,
) -> int:
    return await orders.show_list(desk, ended_too=ended_too)


@order_app.command("show", help=T("help.order_show"))
@at_desk
async def order_shown(
    desk: Desk,
    order: Order,
) -> int:
    return await order_show.show(desk, order)


def _confirm(question: str) -> bool:
    # asyncio keeps Ctrl-C for itself, and would let the prompt wait on.
    kept = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return typer.confirm(question)
    finally:
        signal.signal(signal.SIGINT, kept)


@order_app.command("resolve", help=T("help.order_resolve"))
@at_desk
async def order_resolved(
    desk: Desk,
    order: Order,
    step: Annotated[str, typer.Option("--step", help=T("help.o_step"))],
    choice: Annotated[Choice, typer.Option("--choice", help=T("help.o_choice"))],
    by: Annotated[list[str], typer.Option("--by", help=T("help.o_by"))],
    attempt: Annotated[str | None, typer.Option("--attempt", help=T("help.o_attempt"))] = None,
    note: Annotated[str, typer.Option("--note", help=T("help.o_note"))] = "",
    yes: Annotated[bool, typer.Option("--yes", help=T("help.o_yes"))] = False,
) -> int:
    decision = order_resolve.Decision(order, step, choice, by, attempt, note)
    return await order_resolve.resolve(desk, decision, confirm=None if yes else _confirm)


@device_app.command("list", help=T("help.device_list"))
@at_desk
async def device_list(desk: Desk) -> int:
    return await devices.show_list(desk)


@device_app.command("show", help=T("help.device_show"))
@at_desk
async def device_show(
    desk: Desk,
    device: Annotated[str, typer.Argument(help=T("help.a_device"))],
) -> int:
    return await devices.show(desk, device)


@app.command("watch", help=T("help.watch"))
@at_desk
async def watch_all(desk: Desk) -> int:
    try:
        return await watch.watch(desk)
    except asyncio.CancelledError:  # Ctrl-C is how watching ends
        return Exit.OK


@journal_app.command("adopt", help=T("help.journal_adopt"))
@at_desk
async def journal_adopt(
    desk: Desk,
    order: Annotated[list[str] | None, typer.Option("--order", help=T("help.o_order"))] = None,
) -> int:
    return await journal.adopt(desk, order or ())


def run(arguments: Sequence[str]) -> int:
    """One command line -> its exit code; whatever goes wrong is told in two lines, never as a traceback."""
    screen = Screen(T, as_json="--json" in arguments)
    try:
        check_text(arguments, PROGRAM)
        code = int(app(args=list(arguments), prog_name=PROGRAM, standalone_mode=False) or Exit.OK)
        if code == Exit.INTERRUPTED:  # typer makes this of Ctrl-C
            screen.warn(T("console.interrupted"))
        return code
    except Problem as problem:
        screen.problem(problem)
        return problem.exit_code
    except (typer.Abort, KeyboardInterrupt, asyncio.CancelledError):
        screen.warn(T("console.interrupted"))
        return Exit.INTERRUPTED
    except UsageMistake as mistake:
        if type(mistake).__name__ == "NoArgsIsHelpError" and not screen.as_json:
            print(mistake, file=sys.stderr)
            return Exit.USAGE
        told = problem_of(mistake, PROGRAM)
        screen.problem(told)
        return told.exit_code
    except SystemExit as end:  # argparse, inside `simulate`
        return end.code if isinstance(end.code, int) else Exit.USAGE
    except Exception as error:  # the last net: a person gets two lines, whatever went wrong
        if os.environ.get("BRANCHGATE_DEBUG"):
            raise
        screen.problem(Problem(Exit.FAILED, "unexpected", why=f"{type(error).__name__}: {error}"))
        return Exit.FAILED


def main() -> NoReturn:
    """The console script."""
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()

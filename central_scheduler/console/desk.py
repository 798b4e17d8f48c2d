"""The desk that a command sits at: which broker, which branch, in whose name, in which language, on which screen.

Knows how to reach a branch and how its answers and silences become Problems; must not know what is asked.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Collection, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import ValidationError

from central_scheduler.console import values
from central_scheduler.console.problem import Exit, Problem, Said
from central_scheduler.console.screen import Screen
from central_scheduler.console.usage import why_of
from central_scheduler.words import Words
from cloud_bridge.client import NoReply, Scheduler
from cloud_bridge.hearing import Kind
from cloud_bridge.link import ConnectRefused, LinkLost, PublishRefused
from cloud_bridge.messages.reports import Death, DeviceReported, Reply
from cloud_bridge.messages.words import Code
from cloud_bridge.rejection import sentence
from cloud_bridge.troubles import told

KEPT_QUIET_S = 0.3  # a broker sends what it retains right after SUBACK
SHOWN_BRANCHES = 8
_NOT_FOUND = frozenset({Code.UNKNOWN_ORDER, Code.UNKNOWN_DEVICE, Code.UNKNOWN_SCENE, Code.UNKNOWN_TICKET})


@dataclass(frozen=True, slots=True)
class Desk:
    """What every command of the console is given."""

    words: Words
    screen: Screen
    host: str
    port: int
    branch: str | None
    name: str
    timeout_s: float
    command: str = "branchgate"  # as it was called, so that its help can be named

    @property
    def broker(self) -> str:
        """The address as people write it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def how(self) -> dict[str, Any]:
        """What every instruction says of itself: the moment after which nobody waits for its answer."""
        return {"deadline": datetime.now(UTC) + timedelta(seconds=self.timeout_s)}


def sit(
    words: Words,
    screen: Screen,
    broker: str,
    branch: str | None,
    name: str,
    timeout_s: float,
    command: str = "branchgate",
) -> Desk:
    """The desk of these options. Raises Problem when one of them cannot be."""
    host, port = values.broker(broker)
    if branch is not None:
        values.name(branch, words("label.branch"))
    values.name(name, words("label.scheduler"))
    return Desk(words, screen, host, port, branch, name, timeout_s, command)


@asynccontextmanager
async def line(desk: Desk, branch: str | None, watch: Collection[Kind] = ()) -> AsyncIterator[Scheduler]:
    """A connection as a scheduler, to one branch or to all. Raises Problem when the broker is not there."""

    def lost(loss: LinkLost) -> None:
        desk.screen.warn(desk.words("console.link_lost", broker=desk.broker, why=told(desk.words, loss)))

    try:
        line_to = Scheduler(desk.host, desk.port, name=desk.name, branch=branch, watch=watch, on_lost=lost)
        async with line_to as scheduler:
            yield scheduler
    except (ConnectRefused, PublishRefused) as error:
        raise Problem(Exit.NO_BROKER, "no_broker", broker=desk.broker, why=error) from error


@asynccontextmanager
async def branch_line(desk: Desk, watch: Collection[Kind] = ()) -> AsyncIterator[Scheduler]:
    """A connection to the branch named, or to the only one that the broker knows of."""
    async with line(desk, desk.branch or await only_branch(desk), watch) as scheduler:
        yield scheduler


async def only_branch(desk: Desk) -> str:
    """The one branch whose birth or death is kept at the broker."""
    async with line(desk, None, {"session"}) as scheduler:
        branches = sorted({heard.branch for heard in await scheduler.kept(KEPT_QUIET_S)})
    if not branches:
        raise Problem(Exit.NOT_FOUND, "no_branch", broker=desk.broker)
    if len(branches) > 1:
        told = ", ".join(branches[:SHOWN_BRANCHES]) + (" …" if len(branches) > SHOWN_BRANCHES else "")
        raise Problem(Exit.USAGE, "many_branches", broker=desk.broker, branches=told)
    return branches[0]


@dataclass(frozen=True, slots=True)
class Kept:
    """What the broker keeps of a branch; `away` is why it is gone, None while it is there."""

    branch: str
    twins: list[DeviceReported]
    times: dict[str, datetime]  # when each device told that; its counters are of then, too
    away: str | None

    def warn(self, desk: Desk) -> None:
        """Twins of a branch that is away are old: that stands below them."""
        if self.away is not None:
            desk.screen.warn(
                desk.words("console.branch_away", branch=self.branch, reason=desk.words.word("death", self.away))
            )


async def kept_twins(desk: Desk) -> Kept:
    """The devices of a branch as the broker keeps them. Raises Problem for a branch that nobody knows of."""
    async with branch_line(desk, {"devices", "session"}) as scheduler:
        heard = await scheduler.kept(KEPT_QUIET_S)
        branch = scheduler.branch or ""
    if not heard:
        raise Problem(Exit.NOT_FOUND, "no_session", remedy="no_branch", branch=branch)
    told = [one.data for one in heard]
    twins = sorted((one for one in told if isinstance(one, DeviceReported)), key=lambda twin: twin.device)
    times = {one.data.device: one.envelope.time for one in heard if isinstance(one.data, DeviceReported)}
    away = next((one.reason for one in told if isinstance(one, Death)), None)
    return Kept(branch, twins, times, away)


async def answered(
    desk: Desk, scheduler: Scheduler, asking: Awaitable[Reply], instruction: str = "", numbers: Mapping[str, str] = {}
) -> Reply:
    """The branch's acceptance. Raises Problem for a rejection, and for silence: then nobody knows what took effect.

    `instruction`: the id that the caller may send it under again; `numbers`: parameters that were read as numbers or
    flags, as typed.
    """
    try:
        with within_contract(desk):
            reply = await asking
    except NoReply as error:
        raise await _silence(desk, scheduler, instruction) from error
    if reply.status == "rejected":
        raise rejection(desk, reply, instruction, numbers)
    return reply


@contextmanager
def within_contract(desk: Desk) -> Iterator[None]:
    """What the contract's models refuse never leaves this machine. Raises Problem."""
    try:
        yield
    except ValidationError as error:
        raise Problem(Exit.USAGE, "usage", command=desk.command, why=_first(error)) from error


async def _silence(desk: Desk, scheduler: Scheduler, instruction: str) -> Problem:
    branch = scheduler.branch or ""
    remedy = "no_answer" if instruction else "no_answer_read"
    places = {"branch": branch, "seconds": f"{desk.timeout_s:g}", "id": instruction}
    problem = Problem(Exit.NO_ANSWER, "no_answer", remedy=remedy, **places)
    async with line(desk, branch, {"session"}) as asker:
        told = [heard.data for heard in await asker.kept(KEPT_QUIET_S)]
    if not told:
        problem.more.append(desk.words("error.no_session", branch=branch))
    elif isinstance(death := told[-1], Death):
        problem.more.append(desk.words("error.branch_gone", reason=desk.words.word("death", death.reason)))
    return problem


def rejection(desk: Desk, reply: Reply, instruction: str, numbers: Mapping[str, str]) -> Problem:
    """Why the branch said no: the sentence of the code, and of the case."""
    code = str(reply.code or Code.INVALID)
    exit_code = Exit.NOT_FOUND if reply.code in _NOT_FOUND else Exit.FAILED
    places = {"code": code, "sentence": desk.words.word("code", code)}
    if (name := _wants_text(reply)) in numbers:
        problem = Problem(exit_code, "rejected", remedy="rejected_text", name=name, given=numbers[name], **places)
    else:
        problem = Problem(exit_code, "rejected", remedy="rejected" if instruction else "rejected_once", **places)
    if said := sentence(desk.words, reply.reason, reply.facts, reply.message):
        problem.more.append(desk.words("error.branch_says", message=said))
    return problem


def _wants_text(reply: Reply) -> str:
    """The parameter that should have been a text; a hint hangs on it."""
    why = reply.facts.get("why")
    is_text = reply.reason == "parameter_misfit" and isinstance(why, dict) and why.get("finding") == "no_text"
    return str(reply.facts.get("parameter")) if is_text else ""


def _first(error: ValidationError) -> Said:
    found = error.errors()[0]
    return Said("error.usage_value", {"what": ".".join(map(str, found["loc"])), "why": why_of(found["msg"])})

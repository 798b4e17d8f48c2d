"""One simulated branch in a folder: its machines, its agent, its configuration; and the verdict on all that they did.

Knows how the parts are started and ended; what happens to them in between is the scenario's.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Iterable, Mapping
from pathlib import Path
from typing import Any, Self

from simulators.checker import Report, check
from simulators.control import ControlClient
from tests.harness.crash import Plan
from tests.harness.machines import READY_S, Machine, RunningMachine, toml
from tests.harness.nursery import Child, Nursery
from tests.harness.scheduler import REACH_S, Scheduler

ACT_S = 0.5  # evidence.md: an act lasts 0.5 s in all kill tests
ACT_MAX_S = 2.0  # longer than an act, as any profile's must be, also where the machine is not let run for a second
RESET_S = 0.05  # a reset that leaves the card where it is moves nothing: it need not take an act's time
CARD = "card-1"

PROFILE: Mapping[str, Any] = {
    "act_max_s": ACT_MAX_S,
    "drain_s": 0.1,
    "poll_s": 0.1,
    "take_min_s": 0.3,
    "ack_timeout_s": 1.5,  # the machine is a process like others, and comes late on a busy box
}
TAKES = {"policy": "take", "after_s": 0.3}
LEAVES = {"policy": "leave"}


class Branch:
    """`async with Branch(...) as branch:` has running machines; `start_agent` comes from the scenario.

    The first machine is the card dispenser that most keywords are about (none with `card=False`); `others` are further
    machines, each with its own process and its own ledger. `config` is more TOML, with FOLDER for the branch's own;
    `files` are written there, by their path in it.
    """

    def __init__(
        self,
        nursery: Nursery,
        scheduler: Scheduler,
        port: int,
        folder: Path,
        name: str = "B0001",
        *,
        line: str = "pty",
        customer: Mapping[str, Any] = TAKES,
        options: Mapping[str, Any] | None = None,
        profile: Mapping[str, Any] | None = None,
        link: Mapping[str, Any] | None = None,
        adoption: str = "automatic",
        faults: Iterable[Mapping[str, Any]] = (),
        card: bool = True,
        others: Iterable[Machine] = (),
        config: str = "",
        files: Mapping[str, str] | None = None,
    ) -> None:
        self.nursery, self.scheduler, self.folder, self.name = nursery, scheduler, folder, name
        self.heard = scheduler.branches[name]
        own = {"act_s": ACT_S, "reset_s": RESET_S, "customer": dict(customer), **(options or {})}
        first = Machine(CARD, "crt591", "card-dispenser", line, own, {**PROFILE, **(profile or {})}, faults=faults)
        wanted = [first] * card + list(others)
        self.machines = {machine.device: RunningMachine(nursery, folder, machine) for machine in wanted}
        self._link = {"host": "127.0.0.1", "port": port, "backoff_min_s": 0.1, "backoff_max_s": 0.5, **(link or {})}
        self._adoption = adoption
        self._more_config = config.replace("FOLDER", str(folder))
        self._files = dict(files or {})
        self.config = folder / "branch.toml"
        self.submitted: list[str] = []
        self.agent: Child | None = None
        self._agents = 0

    async def __aenter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        for name, text in self._files.items():
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / name).write_text(text, encoding="utf-8")
        for machine in self.machines.values():
            await machine.start()
        self.write_config()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self.agent is not None and self.agent.running:
            await self.agent.kill()
        for machine in self.machines.values():
            await machine.end()

    @contextlib.asynccontextmanager
    async def closing(self) -> AsyncIterator[Self]:
        """Ends machines and agent early, when many branches follow each other in one test."""
        try:
            yield self
        finally:
            await self.__aexit__()

    # -- the machines --------------------------------------------------------------------------------------------------

    @property
    def card(self) -> RunningMachine:
        """The card dispenser."""
        return self.machines[CARD]

    @property
    def ledger(self) -> Path:
        return self.card.ledger

    @property
    def address(self) -> str:
        return self.card.address

    def control(self) -> ControlClient:
        return self.card.control()

    async def fault(self, name: str, **args: Any) -> None:
        await self.card.fault(name, **args)

    def lines(self) -> list[dict[str, Any]]:
        """All ledgers as one, by the clock that their processes share."""
        return sorted((line for machine in self.machines.values() for line in machine.lines()), key=lambda at: at["t"])

    def acts(self) -> list[str]:
        """The names of the acts in the ledgers so far."""
        return [line["act"] for line in self.lines() if line["kind"] == "act"]

    def shown(self, act: str) -> list[dict[str, Any]]:
        return [line for line in self.lines() if line["act"] == act]

    async def until_ledger(self, act: str, times: int = 1, timeout_s: float = REACH_S) -> None:
        """Waits until the machines have done it so often."""
        async with asyncio.timeout(timeout_s):
            while len(self.shown(act)) < times:  # noqa: ASYNC110 - a file of another process tells nobody that it grew
                await asyncio.sleep(READY_S)

    # -- the agent -----------------------------------------------------------------------------------------------------

    def write_config(self) -> None:
        """What the agent's next start reads."""
        tables = {
            "branch": {"id": self.name},
            "link": self._link,
            # A kill matrix has hundreds of branches: with a reserve of 32 MiB each it fills the disk of the machine.
            "journal": {"folder": str(self.folder / "data"), "adoption": self._adoption, "reserve_mib": 1},
            "clock": {"source": "host"},
        }
        text = "".join(f"[{name}]\n{toml(words)}\n" for name, words in tables.items()) + self._more_config
        text += "".join(machine.config() for machine in self.machines.values())
        self.config.write_text(text, encoding="utf-8")

    def go_via(self, address: str, device: str = CARD) -> None:
        """The agent's next start takes this way to the machine."""
        self.machines[device].via = address
        self.write_config()

    async def start_agent(
        self, plan: Plan | None = None, *, bug: str | None = None, config: Path | None = None, broker_s: float = 0
    ) -> Child:
        """Forks an agent; it lives until it ends itself, is killed, or the branch is left.

        `broker_s` is how long it waits for whatever a broker owes, instead of its own limits.
        """
        self._agents += 1
        log = self.folder / f"agent-{self._agents}.log"
        words: dict[str, Any] = {
            "config": str(config or self.config),
            "bug": bug,
            "broker_s": broker_s,
            "plan": plan.as_words() if plan else None,
        }
        self.agent = await self.nursery.spawn("agent", log, **words)
        return self.agent

    async def keep_agent(self, plans: Iterable[Plan], lives_s: Iterable[float], kills: list[int]) -> None:
        """Runs agents one after the other, each back at once after a SIGKILL; ends when cancelled.

        `plans` and `lives_s` (seconds until a SIGKILL from outside) are those of the first, second, … agent.
        """
        waiting, lives = iter(plans), iter(lives_s)
        while True:
            agent = await self.start_agent(next(waiting, None))
            life_s = next(lives, None)
            killer = None if life_s is None else asyncio.get_running_loop().call_later(life_s, agent.strike)
            try:
                code = await asyncio.shield(agent.ended)
            finally:
                if killer is not None:
                    killer.cancel()
            assert code == -signal.SIGKILL, f"the agent ended by itself with {code}:\n{agent.said()[-3000:]}"
            kills.append(agent.pid)

    async def stop_agent(self) -> int:
        """A planned stop; its exit code."""
        assert self.agent is not None
        return await self.agent.kill(signal.SIGTERM)

    async def born(self, sessions: int = 1) -> None:
        """Waits until so many births of this branch were heard."""
        await self.heard.until(lambda: len(self.births()) >= sessions, f"{sessions} births of {self.name}")

    def births(self) -> list[dict[str, Any]]:
        return [m["data"] for m in self.heard.sessions if m["type"] == "branchgate.session.born.v1"]

    # -- orders --------------------------------------------------------------------------------------------------------

    async def submit(self, order: str, **words: Any) -> dict[str, Any]:
        self.submitted.append(order)
        return await self.scheduler.submit(self.name, order, **words)

    async def serve(self, order: str, **words: Any) -> str:
        """Submits and waits until settled; the state, or `rejected`."""
        reply = await self.submit(order, **words)
        return await self.settled(order) if reply["status"] == "accepted" else "rejected"

    async def resolve(self, order: str, choice: str, *people: str, **more: Any) -> dict[str, Any]:
        """People decide on the step that needs attention, as they were asked; the reply's data."""
        facts = self.heard.orders[order]["facts"]
        words = {"step": facts["step"], "attempt": facts["attempt"], "choice": choice, **more}
        words["people"] = [f"/people/{person}" for person in people]
        return await self.scheduler.instruct(self.scheduler.envelope(self.name, "order.resolve", words, subject=order))

    async def settled(self, order: str) -> str:
        return await self.scheduler.settled(self.name, order)

    def judge(self, **more: Any) -> Report:
        """The checker's verdict on everything so far."""
        ledgers = [machine.lines() for machine in self.machines.values()]
        return check(self.heard.events, ledgers, submitted=self.submitted, replies=self.heard.replies, **more)

    async def verdict(self, *, again: bool = False, **more: Any) -> Report:
        """Waits for the last event, then judges; an AssertionError shows the whole table."""
        await self.scheduler.caught_up(self.name, again=again)
        report = self.judge(**more, in_order=not again)
        assert report.ok, f"{self.folder}\n{report.table()}"
        return report


@contextlib.asynccontextmanager
async def agent_kept(
    branch: Branch, plans: Iterable[Plan] = (), lives_s: Iterable[float] = ()
) -> AsyncIterator[list[int]]:
    """The branch's agent runs, and is back at once whenever it was killed; yields the list of the killed."""
    kills: list[int] = []
    keeper = asyncio.create_task(branch.keep_agent(plans, lives_s, kills), name=f"keeper of {branch.name}")
    try:
        yield kills
    finally:
        keeper.cancel()
        await asyncio.wait([keeper])
    if not keeper.cancelled() and (error := keeper.exception()):
        raise error

"""The agent without its outside: journal, door and clock in one hand, so that a test can be each of them in turn.

Knows how these parts are put together in memory; a machine and its driver stand in `machine.py`, lanes in `bench.py`.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from cloud_bridge.envelope import rfc3339
from cloud_bridge.messages.catalogue import EVENTS, REPLY
from cloud_bridge.ports import Lane
from device_drivers.device import ActKind, ActSpec, Arming, Outcome, Verdict, Whereabouts
from edge_agent.clock import Clock
from edge_agent.custody.paper_rows import any_open
from edge_agent.journal.commit import Commits
from edge_agent.journal.jobs import CommitHooks, Job
from edge_agent.journal.journal import Journal
from edge_agent.journal.tx import Key, Tx
from edge_agent.orders import course, reading
from edge_agent.orders.adopting import adopt
from edge_agent.orders.desk import Branch, Place
from edge_agent.orders.intake import Intake
from edge_agent.orders.reading import get_order, get_step, lane_of, steps_of
from edge_agent.orders.rows import AttemptRow, LaneRow, OrderRow, StepRow
from edge_agent.orders.scenes import load_scenes
from edge_agent.uplink import About, JournalOutbox

T = TypeVar("T")
Json = dict[str, Any]
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
BRANCH = "B0001"
DEVICE = "card-1"
ACTS = {
    spec.name: spec
    for spec in (
        ActSpec("draw_card", ActKind.POSITIONAL, "Draws one card.", 0.5),
        ActSpec("present_card", ActKind.POSITIONAL, "Presents it.", 0.5),
        ActSpec("capture_card", ActKind.COUNTABLE, "Captures it.", 0.5),
        ActSpec("await_taken", ActKind.WATCH, "Watches.", 0.0),
    )
}


def at(seconds: float) -> str:
    """Contract text of so many seconds after noon."""
    return rfc3339(NOON + timedelta(seconds=seconds))


@dataclass(slots=True)
class Wall:
    """A wall clock that a test holds; `known` False: nobody vouches for it. `follow` adds the loop's own time.

    `seconds` is time that passes; `lie_s` is what somebody set the clock wrong by, so changing it is a jump.
    """

    seconds: float = 0.0
    known: bool = True
    follow: Callable[[], float] = lambda: 0.0
    lie_s: float = 0.0
    boot: str = "boot-1"
    _clock: Clock | None = None

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.steady() + self.lie_s)

    def steady(self) -> float:
        return self.seconds + self.follow()

    def clock(self) -> Clock:
        """The one clock of this agent's process."""
        if self._clock is None:
            self._clock = Clock("kernel", self.now, lambda: self.known, self.steady, lambda: self.boot)
        return self._clock

    def restart(self) -> None:
        """Another process has another clock."""
        self._clock = None


def _form(tx: Tx, body: str) -> None:
    row = tx.one("SELECT n FROM forms WHERE body = ?", body)
    tx.rows["form", body] = row["n"] if row else None


_READ: dict[str, Callable[..., object]] = {
    "attempt": reading.find_attempt,
    "documents": any_open,
    "form": _form,
    "last_seq": Tx.last_seq,
    "meta": Tx.meta,
    "order": reading.get_order,
    "step": reading.get_step,
    "steps": reading.steps_of,
    "lane": reading.lane_of,
    "memory": reading.memory_of,
}


_UNNUMBERED = "SELECT o.id FROM outbox e JOIN orders o ON o.id = e.subject WHERE e.order_n IS NULL LIMIT 1"
COMPARED = 60  # rows of those kept, after each transaction; all of them at the end


class ComparedCommits(Commits):
    """What a transaction went on with, and what is kept for the next, is what stands in the tables then."""

    def _run(self, job: Job, *, marked: bool, disk_full: bool) -> bool:
        stands = super()._run(job, marked=marked, disk_full=disk_full)
        if job.tx is not None:
            assert self._db.execute(_UNNUMBERED).fetchall() == [], "an event of an order that its number does not find"
            self.compare({**{key: self.rows[key] for key in [*self.rows][:COMPARED]}, **job.tx.rows})
        return stands

    def compare(self, rows: dict[Key, Any]) -> None:
        fresh = Tx(self._db, self._wall)
        for key, kept in rows.items():
            with contextlib.suppress(KeyError):
                _READ[key[0]](fresh, *key[1:])
            assert kept is None or kept == fresh.rows.get(key), f"{key} was changed behind the transaction's back"


class InlineJournal(Journal):
    """The journal as it is, except that its work is done where it is asked for: no thread, the same every time."""

    _eyes: sqlite3.Connection | None = None

    def __init__(self, folder: Path, hooks: CommitHooks, *more: Any, **named: Any) -> None:
        super().__init__(folder, hooks, *more, **named)
        self._compared = ComparedCommits(self._db, self.ring, hooks, self._wall, self.wear)
        self._commits = self._compared

    def post(self, work: Callable[[Tx], T], *, patient: bool = False) -> Any:
        future = super().post(work, patient=patient)
        self._loop.call_soon(self._write_queued)  # what is posted and not awaited is not written yet
        return future

    def _write_queued(self) -> None:
        """Whatever queued in one turn of the loop shares one commit, as it does on the writer's thread."""
        batch: list[Any] = []
        while not self._jobs.empty():
            job = self._jobs.get_nowait()
            batch += [job] if job is not None else []  # None: it was closed meanwhile
        if batch:
            self._commit(batch)

    def _write_loop(self) -> None:
        """Its thread has nothing to do."""

    async def read(self, work: Callable[[Tx], T]) -> T:
        return self.look(work)

    def glance(self, work: Callable[[Tx], T]) -> T:
        return self.look(work)

    def look(self, work: Callable[[Tx], T]) -> T:
        """What another process sees in the file: committed rows only."""
        if self._eyes is None:
            self._eyes = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, isolation_level=None)
            self._eyes.row_factory = sqlite3.Row
        self._eyes.execute("BEGIN")
        try:
            return work(Tx(self._eyes, self._wall))
        finally:
            self._eyes.execute("COMMIT")

    async def close(self) -> None:
        if self._eyes is not None:
            self._eyes.close()
            self._eyes = None
        self._write_queued()
        if not self._closed:
            rows = self._compared.rows
            self._compared.compare({key: rows[key] for key in rows})
        await super().close()


@dataclass(slots=True)
class Disk:
    """What the journal stands on: `full` refuses every commit; `hook` is called before each."""

    full: bool = False
    hook: Callable[[], None] = lambda: None
    commits: int = 0

    def before(self) -> None:
        self.commits += 1
        self.hook()
        if self.full:
            raise OSError(28, "No space left on device")


def _places() -> tuple[Place, ...]:
    return (Place(DEVICE, "card-dispenser", ACTS),)


@dataclass(slots=True)
class Book:
    """Journal, door and uplink of one branch. `async with Book(tmp_path) as book`."""

    folder: Path
    wall: Wall = field(default_factory=Wall)
    disk: Disk = field(default_factory=Disk)
    places: tuple[Place, ...] = field(default_factory=_places)
    adopted: bool = True
    max_open: int = 1000
    scenes: Json = field(default_factory=load_scenes)
    given: Json = field(default_factory=dict)  # members that every submitted order gets
    fast: bool = False  # nothing but the speed of a commit depends on it
    _ids: Iterable[int] = field(default_factory=lambda: itertools.count(1))
    _journal: InlineJournal | None = None
    _intake: Intake | None = None

    # -- opening and closing -------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, why: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self.close()

    async def open(self) -> None:
        hooks = CommitHooks(self.disk.before)
        journal = await InlineJournal.open(self.folder, hooks, self.wall.now)
        assert isinstance(journal, InlineJournal)
        self._journal = journal
        if self.fast:
            journal._db.execute("PRAGMA synchronous = OFF")
        if self.adopted and journal.is_new:
            await journal.write(lambda tx: adopt(tx, [], "/configuration"))
        self._intake = Intake(journal, self.branch, self.clock)

    async def close(self) -> None:
        if self._journal is not None:
            await self._journal.close()

    async def restart(self) -> None:
        """The agent's process is another one; the files are the same."""
        await self.close()
        self.wall.restart()
        await self.open()

    @property
    def journal(self) -> InlineJournal:
        assert self._journal is not None
        return self._journal

    @property
    def intake(self) -> Intake:
        assert self._intake is not None
        return self._intake

    @property
    def branch(self) -> Branch:
        return Branch(BRANCH, self.scenes, self.places, self.max_open)

    @property
    def clock(self) -> Clock:
        return self.wall.clock()

    def outbox(self, devices: Callable[[], dict[str, str]] = dict) -> JournalOutbox:
        return JournalOutbox(self.journal, About(BRANCH, {"agent": "test"}, "digest", devices), self.clock)

    # -- instructions --------------------------------------------------------------------------------------------------

    def envelope(self, noun: str, data: Json | None = None, **members: Any) -> Json:
        """An instruction as a scheduler writes it; `members` replace or add attributes, None removes one."""
        written: Json = {"specversion": "1.0", "id": f"i{next(iter(self._ids))}", "source": "/schedulers/centre"}
        written |= {"type": f"branchgate.{noun}.v1", "time": at(0), "branch": BRANCH}
        written |= {"deadline": at(self.wall.steady() + 300), "data": data or {}}  # a scheduler has a clock of its own
        return {key: value for key, value in {**written, **members}.items() if value is not None}

    async def ask(self, noun: str, data: Json | None = None, **members: Any) -> Json:
        """Sends one instruction; returns the data of its reply."""
        return await self.take(json.dumps(self.envelope(noun, data, **members)).encode())

    async def take(self, payload: bytes) -> Json:
        """Any bytes at the door; returns the data of the reply, {} when there was none."""
        before = self._last_reply()
        await self.intake.take(payload)
        row = self.one("SELECT n, data FROM replies WHERE n > ? ORDER BY n DESC LIMIT 1", before)
        reply: Json = {} if row is None else json.loads(row["data"])
        if reply:
            REPLY.model.model_validate(reply)
        return reply

    def _last_reply(self) -> int:
        row = self.one("SELECT coalesce(max(n), 0) FROM replies")
        return int(row[0]) if row else 0

    async def submit(self, order: str = "o1", **data: Any) -> OrderRow:
        """An accepted order of the card scene. `data`: members of order.submit."""
        reply = await self.ask("order.submit", {"scene": "collect_card", **self.given, **data}, subject=order)
        assert reply["status"] == "accepted", reply
        return self.order(order)

    async def resolve(self, order: str, step: str, choice: str, *people: str, k: int = 1, **members: Any) -> Json:
        data = {"step": step, "attempt": f"{order}/{step}/{k}", "choice": choice}
        return await self.ask(
            "order.resolve", {**data, "people": list(people) or ["zhang", "li"]}, subject=order, **members
        )

    # -- looking -------------------------------------------------------------------------------------------------------

    def one(self, sql: str, *values: Any) -> sqlite3.Row | None:
        return self.look(lambda tx: tx.one(sql, *values))

    def look(self, work: Callable[[Tx], T]) -> T:
        return self.journal.look(work)

    def order(self, order: str = "o1") -> OrderRow:
        return self.look(lambda tx: get_order(tx, order))

    def step(self, name: str, order: str = "o1") -> StepRow:
        return self.look(lambda tx: get_step(tx, order, name))

    def states(self, order: str = "o1") -> dict[str, str]:
        """Each step's state by its name, and the order's own under its state's word ''."""
        return {s.name: s.state.value for s in self.look(lambda tx: steps_of(tx, order))}

    def lane(self, device: str = DEVICE) -> LaneRow:
        return self.look(lambda tx: lane_of(tx, device))

    def events(self, noun: str = "", *, order: str | None = None) -> list[Json]:
        """All events as they go up, in order; each checked against its model."""
        rows = self.look(lambda tx: tx.all("SELECT seq, type, subject, time, data FROM outbox ORDER BY seq"))
        outbox = self.outbox()
        told: list[Json] = [json.loads(outbox._event(row).payload) for row in rows]
        for event in told:
            EVENTS[event["type"]].model.model_validate(event["data"])
        wanted = [e for e in told if noun in e["type"]]
        return wanted if order is None else [e for e in wanted if e.get("subject") == order]

    def told(self, noun: str, *words: str, order: str | None = None) -> list[Any]:
        """Of each event of that noun, the members named; a bare value where one is named."""
        rows = [[event["data"].get(word) for word in words] for event in self.events(noun, order=order)]
        return [row[0] if len(row) == 1 else tuple(row) for row in rows]

    # -- being the lane ------------------------------------------------------------------------------------------------

    async def do(self, work: Callable[[Tx], T]) -> T:
        return await self.journal.write(work)

    async def alter(self, sql: str, *values: Any) -> None:
        """Rows of orders, steps, attempts or lanes as no code of ours changes them."""

        def work(tx: Tx) -> None:
            tx.do(sql, *values)
            tx.forget_rows()

        await self.do(work)

    async def arm(self, order: str = "o1", step: str | None = None, **readings: Any) -> AttemptRow | course.NotNow:
        """Arms the step whose turn it is, or the one named."""
        name = step or self.order(order).step or ""
        given = Arming({"st0": 0, "st1": 2, "st2": 0, "bin": 0, **readings})
        return await self.do(lambda tx: course.arm(tx, order, name, given, self.clock))

    async def act(self, order: str = "o1") -> str:
        """Arms the step whose turn it is and begins it; returns its name."""
        attempt = await self.arm(order)
        assert isinstance(attempt, AttemptRow), attempt
        await self.do(lambda tx: course.acting(tx, attempt))
        return attempt.step

    async def settle(self, outcome: str, item: str = "unknown", *, order: str = "o1", **more: Any) -> OrderRow:
        """What the step that is under way came to. `more`: reason, facts, lane_shut."""
        name = self.order(order).step or ""
        verdict = Verdict(Outcome(outcome), more.pop("reason", f"test_{outcome}"), Whereabouts(item), **more)
        return await self.do(lambda tx: course.settle(tx, order, name, verdict))

    async def doubt(self, order: str = "o1") -> None:
        name = self.order(order).step or ""
        await self.do(lambda tx: course.doubt(tx, order, name, "no_answer"))

    async def unneeded(self, outcome: str, item: str, order: str = "o1", **facts: Any) -> OrderRow:
        name = self.order(order).step or ""
        verdict = Verdict(Outcome(outcome), "needless", Whereabouts(item), facts)
        return await self.do(lambda tx: course.unneeded(tx, order, name, verdict))


async def marked(outbox: JournalOutbox, lane: Lane, keys: Sequence[int]) -> None:
    """They are acknowledged, and the mark is durable."""
    await outbox.mark_sent(lane, keys)
    await outbox._journal.write(lambda _tx: None)  # posted order is commit order

"""What goes up: the journal's outbox as the bridge asks for it, and the words of birth, heartbeat, death and twins.

Knows how rows become messages; must not know MQTT nor when anything is sent.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache, partial
from typing import Any

from cloud_bridge.envelope import rfc3339
from cloud_bridge.messages.catalogue import BEAT, BORN, DIED, READING, REPLY, TWIN
from cloud_bridge.ports import Lane, Outgoing
from edge_agent.audit.chain import head
from edge_agent.clock import Clock
from edge_agent.journal.journal import Journal, Tx
from edge_agent.journal.tx import BY_CENTRE
from edge_agent.observed import ReadingBox
from edge_agent.orders import resending
from edge_agent.orders.desk import JOURNAL_CHANGED
from edge_agent.orders.reading import count_open, open_orders
from edge_agent.upkeep import wearing
from edge_agent.upkeep.ceiling import is_full

MAX_BIRTH_BYTES = 64 * 1024  # SES-2
MARKING_MAX = 400  # acknowledged rows whose marks have no commit yet: more wait for it
OLDEST_ORDERS = 50


@dataclass(frozen=True, slots=True)
class About:
    """What the birth tells of this agent."""

    branch: str
    versions: dict[str, str]
    config: str  # digest of the applied configuration
    devices: Callable[[], dict[str, str]]
    wear: Callable[[Tx], dict[str, int]] = wearing.told  # what it has cost its flash


_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_quoted = lru_cache(maxsize=512)(_json)  # ids and subjects come back with each event of their order


def _unmarked(tx: Tx, marking: frozenset[int], sql: str, limit: int) -> list[Any]:
    """Rows that are not on their way to be marked as sent."""
    return [row for row in tx.all(sql, limit + len(marking)) if row[0] not in marking][:limit]


class TwinBox:
    """The newest twin of each device until somebody takes it: however slow he is, there is one of each (DEV-4)."""

    def __init__(self) -> None:
        self._newest: dict[str, dict[str, Any]] = {}
        self._filled = asyncio.Event()

    def __len__(self) -> int:
        return len(self._newest)

    def put(self, device: str, members: dict[str, Any]) -> None:
        """Replaces what waits; never blocks."""
        self._newest[device] = members
        self._filled.set()

    def put_back(self, device: str, members: dict[str, Any]) -> None:
        """What could not be handed on, unless there is a newer one."""
        self.put(device, self._newest.get(device, members))

    async def take(self) -> tuple[str, dict[str, Any]]:
        """The device that waits longest, with its newest members."""
        while not self._newest:
            self._filled.clear()
            await self._filled.wait()
        device = next(iter(self._newest))
        return device, self._newest.pop(device)


class _Marks:
    """Rows that were acknowledged, marked by one transaction; until it is begun more of them may join."""

    def __init__(self, *, begun: bool = False) -> None:
        self.keys: dict[Lane, list[int]] = {"replies": [], "events": []}
        self._asked: int | None = None
        self._begun = begun
        self._lock = threading.Lock()  # the journal writes on a thread of its own

    def take_in(self, lane: Lane, keys: Sequence[int], asked: int | None) -> bool:
        """False when it is too late. `asked`: how often events were asked for again when these were read."""
        with self._lock:
            if self._begun:
                return False
            if lane == "events" and not self.keys[lane]:
                self._asked = asked  # the oldest of them counts for all
            self.keys[lane].extend(keys)
            return True

    def write(self, tx: Tx) -> None:
        """Those asked for again while under way go out once more: repeats are dropped (SES-6)."""
        with self._lock:
            self._begun = True
        replies, events = self.keys["replies"], self.keys["events"]
        if replies:
            tx.db.executemany("UPDATE replies SET sent = 1 WHERE n = ?", [(key,) for key in replies])
        if events:
            sent = events if self._asked is None else resending.not_asked_since(tx, self._asked, events)
            tx.db.executemany("UPDATE outbox SET sent = 1 WHERE seq = ?", [(key,) for key in sent])
            tx.told |= len(sent) < len(events)


class JournalOutbox:
    """Implements `cloud_bridge.ports.Outbox` on the journal."""

    def __init__(self, journal: Journal, about: About, clock: Clock, readings: ReadingBox | None = None) -> None:
        self._journal = journal
        self._about = about
        self._clock = clock
        self._readings = readings or ReadingBox()
        self._read = 0  # readings made into messages since the start
        self._branch, self._source = _json(about.branch), _json(f"/branches/{about.branch}")
        self._marking: dict[Lane, set[int]] = {"replies": set(), "events": set()}  # acknowledged, and not yet marked
        self._marks = _Marks(begun=True)  # the newest ones posted
        self._marked: asyncio.Future[None]  # and when they are durable
        self._not_marked: BaseException | None = None
        self._behind: set[Lane] = {"replies", "events"}  # those of which more may be unsent than one batch
        self._connects = 0  # counted only where the journal cannot
        self._asked: int | None = None  # how often events were asked for again, when those now under way were read

    def _envelope(self, type_: str, id_: str, time: str, subject: str | None, data: dict[str, Any]) -> bytes:
        return self._around(_json(data), type_, id_, time, subject)

    def _around(self, data: str, type_: str, id_: str, time: str, subject: str | None) -> bytes:
        """`data` as it was written with its row: it is not parsed and written anew."""
        about = "" if subject is None else f',"subject":{_quoted(subject)}'
        return (
            f'{{"specversion":"1.0","id":{_json(id_)},"source":{self._source},"type":"{type_}","time":"{time}"{about},'
            f'"datacontenttype":"application/json","branch":{self._branch},"data":{data}}}'
        ).encode()

    # -- rows ----------------------------------------------------------------------------------------------------------

    async def unsent(self, lane: Lane, limit: int) -> list[Outgoing]:
        if self._journal.read_only:  # what cannot be marked would go up again and again
            return []
        if (failed := self._not_marked) is not None:
            self._not_marked = None
            raise failed
        marking = frozenset(self._marking[lane])  # now: while it is read aside, their marks may be written, or fail
        look = partial(self._replies if lane == "replies" else self._events, marking=marking, limit=limit)
        # A backlog is read apart, for its pages may have to come from the disk first.
        rows = await self._journal.read(look) if lane in self._behind else self._journal.glance(look)
        (self._behind.add if len(rows) == limit else self._behind.discard)(lane)
        return rows

    def _replies(self, tx: Tx, marking: frozenset[int], limit: int) -> list[Outgoing]:
        sql = "SELECT n, instruction, time, data FROM replies WHERE sent = 0 ORDER BY n LIMIT ?"
        return [
            Outgoing(n, self._around(data, REPLY.type, f"{self._journal.id}-r{n}", time, to))
            for n, to, time, data in _unmarked(tx, marking, sql, limit)
        ]

    def _events(self, tx: Tx, marking: frozenset[int], limit: int) -> list[Outgoing]:
        self._asked = resending.count(tx)
        sql = "SELECT seq, type, subject, time, data FROM outbox WHERE sent = 0 ORDER BY seq LIMIT ?"
        return [self._event(row) for row in _unmarked(tx, marking, sql, limit)]

    def after(self, tx: Tx, seq: int, limit: int) -> list[Outgoing]:
        """Events behind `seq`, whatever became of them on their way up; ascending."""
        sql = "SELECT seq, type, subject, time, data FROM outbox WHERE seq > ? ORDER BY seq LIMIT ?"
        return [self._event(row) for row in tx.all(sql, seq, limit)]

    def _event(self, row: Any) -> Outgoing:
        seq, type_, subject, time, data = row
        begun = f'{{"journal":{_quoted(self._journal.id)},"seq":{seq}'
        whole = f"{begun}}}" if data == "{}" else f"{begun},{data[1:]}"
        return Outgoing(seq, self._around(whole, type_, f"{self._journal.id}-{seq}", time, subject))

    async def mark_sent(self, lane: Lane, keys: Sequence[int]) -> None:
        self._marking[lane].update(keys)
        if not self._marks.take_in(lane, keys, self._asked):
            self._marks = _Marks()
            self._marks.take_in(lane, keys, self._asked)
            self._marked = self._journal.post(self._marks.write, patient=True)
            self._marked.add_done_callback(partial(self._were_marked, self._marks))
        if len(self._marking[lane]) > MARKING_MAX:
            await asyncio.wait([self._marked])

    def _were_marked(self, marks: _Marks, marked: asyncio.Future[None]) -> None:
        for lane, keys in marks.keys.items():
            self._marking[lane].difference_update(keys)
        self._not_marked = marked.exception() or self._not_marked

    async def changed(self) -> None:
        await self._journal.changed()

    # -- session -------------------------------------------------------------------------------------------------------

    async def next_session(self) -> int:
        def work(tx: Tx) -> int:
            session = int(tx.meta("session", "0")) + 1
            tx.set_meta("session", str(session))
            return session

        if self._journal.read_only:  # nothing is begun in it: the birth must be heard all the same (OUT-4)
            self._connects += 1
            return self._connects + await self._journal.read(lambda tx: int(tx.meta("session", "0")))
        return await self._journal.write(work)

    def will(self, session: int, reason: str = "lost") -> bytes:
        data = {"journal": self._journal.id, "session": session, "reason": reason}
        return self._envelope(DIED.type, f"{self._journal.id}-d{session}", rfc3339(self._clock.now()), None, data)

    async def birth(self, session: int) -> bytes:
        return await self._journal.read(lambda tx: self._born(tx, session))

    async def heartbeat(self, session: int) -> bytes:
        return await self._journal.read(
            lambda tx: self._message(tx, BEAT.type, f"b{session}-{tx.last_seq()}", self._session(tx, session))
        )

    def _born(self, tx: Tx, session: int) -> bytes:
        members = self._session(tx, session)
        oldest = [
            {"order": o.id, "scene": o.scene, "state": o.state.value, "waiting_for": o.waiting_for, "step": o.step}
            for o in open_orders(tx, OLDEST_ORDERS)
        ]
        members |= {
            "versions": self._about.versions,
            "devices": self._about.devices(),
            "oldest": oldest,
            "config": self._about.config,
            "audit": asdict(head(tx)),
        }
        while (
            len(payload := self._message(tx, BORN.type, f"s{session}", members)) > MAX_BIRTH_BYTES and members["oldest"]
        ):
            members["oldest"] = members["oldest"][: len(members["oldest"]) // 2]
        return payload

    def _message(self, tx: Tx, type_: str, tail: str, data: dict[str, Any]) -> bytes:
        return self._envelope(type_, f"{self._journal.id}-{tail}", tx.now(), None, data)

    def _session(self, tx: Tx, session: int) -> dict[str, Any]:
        last = tx.last_seq()
        first_unsent = tx.one("SELECT min(seq) FROM outbox WHERE sent = 0")
        acknowledged = first_unsent[0] - 1 if first_unsent and first_unsent[0] is not None else last
        members = {"journal": self._journal.id, "epoch": self._journal.epoch, "session": session, "after": last}
        members |= {
            "acknowledged": acknowledged,
            "clock": self._clock.grade().value,
            "adopted": tx.adopted == BY_CENTRE,
            "store": "journal_full" if self._journal.store == "good" and is_full(tx) else self._journal.store,
            "wear": self._about.wear(tx),
        }
        return members | {"counts": count_open(tx)}

    def is_other_death(self, payload: bytes, session: int) -> bool:
        """A death on our own topic while we live: our birth must stand there instead (SES-3)."""
        try:
            members = json.loads(payload)
        except (ValueError, RecursionError):
            return False
        return isinstance(members, dict) and members.get("type") == DIED.type

    async def told(self, what: str, reason: str) -> None:
        data = {"what": what, "reason": reason}
        await self._journal.write(lambda tx: tx.emit(JOURNAL_CHANGED, None, data))

    # -- twins ---------------------------------------------------------------------------------------------------------

    async def twin(self, device: str, members: dict[str, Any]) -> bytes:
        """A device's twin as a message; `after` is the last seq committed when it was made (ENV-2)."""

        def work(tx: Tx) -> bytes:
            last = tx.last_seq()
            data = {**members, "journal": self._journal.id, "after": last}
            return self._envelope(TWIN.type, f"{self._journal.id}-t{device}-{last}", tx.now(), device, data)

        return await self._journal.read(work)

    # -- readings ------------------------------------------------------------------------------------------------------

    async def observed(self) -> None:
        await self._readings.filled()

    async def next_reading(self) -> tuple[str, bytes] | None:
        """A message of its own each, and no row: it may be lost (DEV-4)."""
        taken = self._readings.take()
        if taken is None:
            return None
        device, members = taken
        self._read += 1
        tail = f"m{device}-{self._journal.epoch}-{self._read}"

        def work(tx: Tx) -> bytes:
            data = {**members, "journal": self._journal.id, "after": tx.last_seq()}
            return self._envelope(READING.type, f"{self._journal.id}-{tail}", tx.now(), device, data)

        return device, await self._journal.read(work)

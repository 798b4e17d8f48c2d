"""What goes up: the journal's outbox as the bridge asks for it, and the words of birth, heartbeat, death and twins.

Knows how rows become messages; must not know MQTT nor when anything is sent.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from cloud_bridge.envelope import rfc3339
from cloud_bridge.messages import BEAT, BORN, DIED, REPLY, TWIN
from cloud_bridge.ports import Lane, Outgoing
from edge_agent.clock import Clock
from edge_agent.journal.journal import Journal, Tx
from edge_agent.orders.desk import JOURNAL_CHANGED
from edge_agent.orders.record import count_open, open_orders

MAX_BIRTH_BYTES = 64 * 1024  # SES-2
OLDEST_ORDERS = 50


@dataclass(frozen=True, slots=True)
class About:
    """What the birth tells of this agent."""

    branch: str
    versions: dict[str, str]
    config: str  # digest of the applied configuration
    devices: Callable[[], dict[str, str]]


class JournalOutbox:
    """Implements `cloud_bridge.ports.Outbox` on the journal."""

    def __init__(self, journal: Journal, about: About, clock: Clock) -> None:
        self._journal = journal
        self._about = about
        self._clock = clock
        self._asked: str | None = None  # how often events were asked for again, when those now under way were read

    def _envelope(self, type_: str, id_: str, time: str, subject: str | None, data: dict[str, Any]) -> bytes:
        members: dict[str, Any] = {
            "specversion": "1.0",
            "id": id_,
            "source": f"/branches/{self._about.branch}",
            "type": type_,
            "time": time,
        }
        if subject is not None:
            members["subject"] = subject
        members |= {"datacontenttype": "application/json", "branch": self._about.branch, "data": data}
        return json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode()

    # -- rows ----------------------------------------------------------------------------------------------------------

    async def unsent(self, lane: Lane, limit: int) -> list[Outgoing]:
        return await self._journal.read(
            lambda tx: self._replies(tx, limit) if lane == "replies" else self._events(tx, limit)
        )

    def _replies(self, tx: Tx, limit: int) -> list[Outgoing]:
        rows = tx.all("SELECT n, instruction, time, data FROM replies WHERE sent = 0 ORDER BY n LIMIT ?", limit)
        make = self._envelope
        return [
            Outgoing(
                r["n"],
                make(REPLY.type, f"{self._journal.id}-r{r['n']}", r["time"], r["instruction"], json.loads(r["data"])),
            )
            for r in rows
        ]

    def _events(self, tx: Tx, limit: int) -> list[Outgoing]:
        self._asked = tx.meta("asked")
        rows = tx.all("SELECT seq, type, subject, time, data FROM outbox WHERE sent = 0 ORDER BY seq LIMIT ?", limit)
        return [self._event(r) for r in rows]

    def _event(self, row: Any) -> Outgoing:
        data = {"journal": self._journal.id, "seq": row["seq"], **json.loads(row["data"])}
        id_ = f"{self._journal.id}-{row['seq']}"
        return Outgoing(row["seq"], self._envelope(row["type"], id_, row["time"], row["subject"], data))

    async def mark_sent(self, lane: Lane, keys: Sequence[int]) -> None:
        sql = (
            "UPDATE replies SET sent = 1 WHERE n = ?"
            if lane == "replies"
            else "UPDATE outbox SET sent = 1 WHERE seq = ?"
        )

        def work(tx: Tx) -> None:
            if lane == "events" and self._asked not in (None, tx.meta("asked")):
                return  # some were asked for again while under way: these go out once more, repeats are dropped
            tx.db.executemany(sql, [(key,) for key in keys])

        await self._journal.write(work)

    async def changed(self) -> None:
        await self._journal.changed()

    # -- session -------------------------------------------------------------------------------------------------------

    async def next_session(self) -> int:
        def work(tx: Tx) -> int:
            session = int(tx.meta("session", "0")) + 1
            tx.set_meta("session", str(session))
            return session

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
            "adopted": tx.meta("adopted") == "1",
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

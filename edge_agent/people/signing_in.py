"""Whether somebody is who they say: one password at a time, failures counted before it is looked at.

Knows failures, delays and the lock; must not know what is done with a proven name. Delays are counted on the steady
clock, so that no wrong clock shortens them; after a restart each begins anew: its failures stand in the journal.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from cloud_bridge.ports import StoreFailed
from edge_agent.audit.chain import Deed, record
from edge_agent.clock import Clock
from edge_agent.journal.journal import Journal
from edge_agent.journal.tx import Tx
from edge_agent.orders.desk import JOURNAL_CHANGED
from edge_agent.people import hashes
from edge_agent.people.register import PeopleRefused, Person, Register, spelled

log = logging.getLogger(__name__)
FREE = 3  # failures that cost no time: fingers slip
LONGEST_S = 300.0
LOCKED_AT = 10  # failures in a row; then only people unlock
MAX_WAITING = 8  # sign-ins at once; each costs 16 MiB and some tenths of a second, one after another
STRANGERS = 256  # names that nobody has, of which failures are remembered, so that they look like anybody's
REFUSED_S = 1.0  # no wrong password is told sooner: what is written only of people whom there are takes a card its time
TOLD_EVERY_S = 60.0  # failures of names that nobody has make one audit row in so much time
LOCKED = "person_locked"


def delay_s(failures: int) -> float:
    """How long after so many failures in a row the next try is not looked at: 1 s, 2 s, 4 s ... 5 min."""
    return 0.0 if failures < FREE else min(2.0 ** min(failures - FREE, 10), LONGEST_S)


Fits = Callable[[str, str], Awaitable[bool]]


async def in_a_thread(password: str, kept: str) -> bool:
    return await asyncio.to_thread(hashes.fits, password, kept)


def forget_failures(tx: Tx, person: Person) -> None:
    tx.do("DELETE FROM failures WHERE name = ?", person.name)


@dataclass(slots=True)
class _Failures:
    count: int = 0
    not_before_s: float = 0.0


class SignIn:
    """`load` once at the start; then `check` for each who comes, `forgive` for who is unlocked."""

    def __init__(self, journal: Journal, clock: Clock, register: Callable[[], Register], fits: Fits = in_a_thread):
        self._journal = journal
        self._clock = clock
        self._register = register
        self._fits = fits
        self.alone = asyncio.Lock()  # whoever hashes: 16 MiB at a time, not as much as there are people
        self._waiting = 0
        self._known: dict[str, _Failures] = {}
        self._strangers: OrderedDict[str, _Failures] = OrderedDict()
        self._untold, self._told_s = 0, float("-inf")

    async def load(self) -> None:
        """The failures before the restart. Raises StoreFailed."""
        rows = await self._journal.read(lambda tx: tx.all("SELECT name, count FROM failures"))
        now = self._clock.steady()
        self._known = {row["name"]: _Failures(row["count"], now + delay_s(row["count"])) for row in rows}

    def failures(self, name: str) -> int:
        return self._known.get(name, _Failures()).count

    def locked(self, name: str) -> bool:
        return self.failures(name) >= LOCKED_AT

    async def check(self, name: str, password: str, door: str) -> Person:
        """Raises PeopleRefused: busy, locked, too_soon (with `seconds`), wrong_credentials."""
        if self._waiting >= MAX_WAITING:
            raise PeopleRefused("busy")
        self._waiting += 1
        try:
            async with self.alone:
                told_s = asyncio.get_running_loop().time() + REFUSED_S
                person = await self._check(spelled(name)[:100], password[: hashes.MAX_CHARACTERS + 1], door)
        finally:
            self._waiting -= 1
        if person is None:
            await asyncio.sleep(told_s - asyncio.get_running_loop().time())
            raise PeopleRefused("wrong_credentials")
        return person

    async def _check(self, name: str, password: str, door: str) -> Person | None:
        """None: name or password is wrong. Raises PeopleRefused: locked, too_soon."""
        person = self._register().find(name)
        failures = self._of(name, person)
        if failures.count >= LOCKED_AT:
            raise PeopleRefused("locked")
        if (left_s := failures.not_before_s - self._clock.steady()) > 0:
            raise PeopleRefused("too_soon", seconds=max(1, round(left_s)))
        failures.count += 1
        await self._keep(person, failures.count)  # before the password is looked at: a kill must not give a free try
        good = await self._fits(password, person.password if person else hashes.NOBODYS)
        if person is None or person.disabled or not good:
            failures.not_before_s = self._clock.steady() + delay_s(failures.count)
            await self._tell(person, failures.count, door)
            return None
        await self.forgive(person)
        return person

    def _of(self, name: str, person: Person | None) -> _Failures:
        if person is not None:
            return self._known.setdefault(person.name, _Failures())  # however it was spelled: a try is a try
        failures = self._strangers[name] = self._strangers.pop(name, _Failures())
        if len(self._strangers) > STRANGERS:
            self._strangers.popitem(last=False)
        return failures

    async def forgive(self, person: Person) -> None:
        """Their failures are forgotten."""
        self.forget(person)
        await self._write(lambda tx: forget_failures(tx, person))

    def forget(self, person: Person) -> None:
        """The journal has forgotten them already."""
        self._known.pop(person.name, None)

    async def _keep(self, person: Person | None, count: int) -> None:
        if person is not None:
            sql = "INSERT INTO failures VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET count = excluded.count"
            await self._write(lambda tx: tx.do(sql, person.name, count))

    async def _tell(self, person: Person | None, count: int, door: str) -> None:
        if person is None:
            await self._tell_strangers(door)
            return
        log.warning("sign-in of %s failed, %d in a row", person.id, count)
        deed = Deed("sign_in.failed", person.id, (), door, facts={"failures": count})

        def work(tx: Tx) -> None:
            record(tx, self._clock, deed)
            if count == LOCKED_AT:
                record(tx, self._clock, Deed("sign_in.locked", person.id, (), door))
                tx.emit(JOURNAL_CHANGED, None, {"what": LOCKED, "facts": {"person": person.id, "door": door}})

        await self._write(work)

    async def _tell_strangers(self, door: str) -> None:
        """Without the name: people type passwords into the wrong field."""
        self._untold += 1
        if self._clock.steady() - self._told_s < TOLD_EVERY_S:
            return
        deed = Deed("sign_in.failed", "", (), door, facts={"unknown_names": self._untold})
        self._untold, self._told_s = 0, self._clock.steady()
        log.warning("sign-ins with names that nobody has: %s", deed.facts["unknown_names"])
        await self._write(lambda tx: record(tx, self._clock, deed))

    async def _write(self, work: Callable[[Tx], object]) -> None:
        """While nothing can be written failures count in memory: people must get in to see why (OUT-4)."""
        try:
            await self._journal.write(work)
        except StoreFailed as error:
            log.error("a sign-in is not in the journal: %s", error)

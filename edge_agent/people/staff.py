"""The branch's people as a service: who may change what about whom, each change with its audit row.

Knows who may do what; how a change is kept is `kept`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_agent.audit.chain import Deed, record
from edge_agent.clock import Clock
from edge_agent.journal.journal import Journal
from edge_agent.journal.tx import Tx
from edge_agent.people import hashes
from edge_agent.people.code import OneTimeCode
from edge_agent.people.kept import KeptRegister
from edge_agent.people.register import (
    Application,
    PeopleRefused,
    Person,
    Register,
    check_password,
    checked_name,
    spelled,
)
from edge_agent.people.roles import Right, Role, Trust
from edge_agent.people.signing_in import Fits, SignIn, forget_failures, in_a_thread

log = logging.getLogger(__name__)
FILE = "people.json"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who changes something, and through which door; `person` is None for root at the box."""

    id: str
    door: str
    person: Person | None = None

    def must(self, right: Right) -> None:
        """Raises PeopleRefused."""
        if self.person is None or not self.person.may(right):
            raise PeopleRefused("not_allowed", right=right.value)


class Staff:
    """`await Staff.open(...)` once the journal is open; changes come one after another."""

    def __init__(self, kept: KeptRegister, journal: Journal, clock: Clock, folder: Path, fits: Fits) -> None:
        self._kept = kept
        self._journal = journal
        self._clock = clock
        self.code = OneTimeCode(folder)
        self._setting_up = asyncio.Lock()  # a password is hashed between looking at the code and using it up
        self.sign_in = SignIn(journal, clock, lambda: kept.register, fits)
        self.on_change: Callable[[str], None] = lambda _who: None  # whose sessions and open streams end

    @classmethod
    async def open(cls, journal: Journal, clock: Clock, folder: Path, fits: Fits = in_a_thread) -> Staff:
        """Makes file and journal agree, and a one-time code where nobody can get in otherwise. Raises StoreFailed."""
        kept = await KeptRegister.open(journal, clock, folder / FILE)
        staff = cls(kept, journal, clock, folder, fits)
        await staff.sign_in.load()
        if not journal.read_only:
            staff._offer_code()
        return staff

    @property
    def register(self) -> Register:
        return self._kept.register

    @property
    def altered(self) -> bool:
        """The file is not the one that the journal knows: nobody gets in by it."""
        return self._kept.altered

    @property
    def is_set_up(self) -> bool:
        """Whether anybody can let others in."""
        return any(person.may(Right.PEOPLE) for person in self.register.people.values())

    def _offer_code(self) -> None:
        closed = not self.is_set_up
        try:
            if not closed:
                self.code.forget()  # a crash may have left one that was used
            elif not self.code.kept():
                self.code.make()
            if closed:
                log.info("nobody can sign in: see `branchgate people set-up`; its code lies in %s", self.code.path)
        except OSError as error:
            log.error("no one-time code: %s", error)

    # -- changes -------------------------------------------------------------------------------------------------------

    async def add(self, actor: Actor, name: str, role: Role, password: str, display: str = "") -> Person:
        """Raises PeopleRefused, StoreFailed; nothing was changed then."""
        actor.must(Right.PEOPLE)
        name = checked_name(name)
        check_password(name, password)
        person = Person(name, role, await self._hashed(password), display[:100])
        deed = Deed("people.add", person.id, (actor.id,), actor.door, proven=True, facts={"role": role.value})
        await self._kept.change(deed, lambda register: register.add(person))
        return person

    async def set_role(self, actor: Actor, name: str, role: Role) -> None:
        actor.must(Right.PEOPLE)
        person = self.register.get(name)
        facts = {"role": role.value, "was": person.role.value}
        deed = Deed("people.role", person.id, (actor.id,), actor.door, proven=True, facts=facts)
        await self._kept.change(deed, lambda register: register.change(person.name, role=role))
        self.on_change(person.id)

    async def set_password(self, actor: Actor, name: str, password: str) -> None:
        """One's own, or with the right to manage people anybody's."""
        person = self.register.get(name)
        if actor.id != person.id:
            actor.must(Right.PEOPLE)
        check_password(person.name, password)
        kept = await self._hashed(password)
        deed = Deed("people.password", person.id, (actor.id,), actor.door, proven=True)
        await self._kept.change(deed, lambda register: register.change(person.name, password=kept))
        self.on_change(person.id)

    async def set_disabled(self, actor: Actor, name: str, *, disabled: bool) -> None:
        actor.must(Right.PEOPLE)
        person = self.register.get(name)
        deed = Deed(f"people.{'disable' if disabled else 'enable'}", person.id, (actor.id,), actor.door, proven=True)
        await self._kept.change(deed, lambda register: register.change(person.name, disabled=disabled))
        self.on_change(person.id)

    async def unlock(self, actor: Actor, name: str) -> None:
        """Their failed sign-ins are forgotten; the password stays."""
        actor.must(Right.PEOPLE)
        person = self.register.get(name)
        deed = Deed("people.unlock", person.id, (actor.id,), actor.door, proven=True)

        def work(tx: Tx) -> None:
            record(tx, self._clock, deed)
            forget_failures(tx, person)

        await self._journal.write(work)
        self.sign_in.forget(person)

    async def add_application(self, actor: Actor, name: str, trust: Trust) -> str:
        """Its token, which is shown this once and never again."""
        actor.must(_given_by(trust))
        token = hashes.new_token()
        application = Application(checked_name(name), trust, hashes.token_hash(token))
        facts = {"trust": trust.value}
        deed = Deed("applications.add", application.id, (actor.id,), actor.door, proven=True, facts=facts)
        await self._kept.change(deed, lambda register: register.add_application(application))
        return token

    async def remove_application(self, actor: Actor, name: str) -> None:
        known = self.register.applications.get(spelled(name))
        actor.must(_given_by(known.trust) if known else Right.PEOPLE)
        deed = Deed("applications.remove", f"/applications/{spelled(name)}", (actor.id,), actor.door, proven=True)
        await self._kept.change(deed, lambda register: register.remove_application(spelled(name)))
        self.on_change(f"/applications/{spelled(name)}")

    # -- the one-time code ---------------------------------------------------------------------------------------------

    async def new_code(self, actor: Actor) -> None:
        """Root at the box asks for one, where nobody remembers a password. Raises OSError, StoreFailed."""
        deed = Deed("people.code", "", (actor.id,), actor.door)
        await self._journal.write(lambda tx: record(tx, self._clock, deed))
        await asyncio.to_thread(self.code.make)

    async def set_up(self, code: str, name: str, password: str, door: str) -> Person:
        """Whoever has the code becomes supervisor, or one again. Raises PeopleRefused, OSError, StoreFailed."""
        async with self._setting_up:
            return await self._set_up(code, name, password, door)

    async def _set_up(self, code: str, name: str, password: str, door: str) -> Person:
        if not self.code.matches(code):
            raise PeopleRefused("wrong_code")
        name = checked_name(name)
        check_password(name, password)
        person = Person(name, Role.SUPERVISOR, await self._hashed(password))
        deed = Deed("people.set_up", person.id, (person.id,), door, proven=True)
        await self._kept.change(deed, lambda register: _put(register, person), accept=True)
        self.code.forget()
        await self.sign_in.forgive(person)
        self.on_change(person.id)
        return person

    async def _hashed(self, password: str) -> str:
        async with self.sign_in.alone:
            return await asyncio.to_thread(hashes.hashed, password)

    def actor(self, person: Person, door: str) -> Actor:
        return Actor(person.id, door, person)

    def applications(self) -> list[dict[str, str]]:
        """As they are shown: nothing of a token."""
        found = sorted(self.register.applications.values(), key=lambda one: one.name)
        return [{"name": one.name, "trust": one.trust.value} for one in found]

    def listed(self) -> list[dict[str, Any]]:
        """People as they are shown: nothing of a password."""
        return [
            {
                "name": person.name,
                "display": person.display,
                "role": person.role.value,
                "disabled": person.disabled,
                "locked": self.sign_in.locked(person.name),
                "failures": self.sign_in.failures(person.name),
            }
            for person in sorted(self.register.people.values(), key=lambda one: one.name)
        ]


def _given_by(trust: Trust) -> Right:
    """An engineer may hang up a screen, on which nobody's data stand, and take it down."""
    return Right.SERVICE if trust is Trust.DISPLAY else Right.PEOPLE


def _put(register: Register, person: Person) -> None:
    known = register.find(person.name)
    if known is None:
        register.add(person)
    else:
        register.change(person.name, role=person.role, password=person.password, disabled=False)

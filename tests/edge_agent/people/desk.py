"""People of a test: a staff whose hashing costs nothing and which a test may leave and open again.

Knows the staff and the book that it stands in; the real hashes are tested by themselves.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from edge_agent.people import hashes, signing_in
from edge_agent.people.register import PeopleRefused, Person
from edge_agent.people.roles import Role
from edge_agent.people.staff import Actor, Staff
from tests.edge_agent.parts import Book

GOOD = "correct horse"


def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords cost a thousandth of what they cost in a branch."""
    monkeypatch.setattr(hashes, "LOG_N", 4)
    monkeypatch.setattr(hashes, "TIMES", 1)
    monkeypatch.setattr(signing_in, "REFUSED_S", 0.0)
    monkeypatch.setattr(hashes, "NOBODYS", hashes.hashed("nobody's password"))


def name_of(role: Role) -> str:
    return "chief" if role is Role.SUPERVISOR else role.value.replace("_", ".")


@dataclass(slots=True)
class People:
    """`await people.open()`; `await people.set_up()` makes the first supervisor, chief."""

    book: Book
    tries: list[tuple[str, str]] = field(default_factory=list)
    _staff: Staff | None = None

    @property
    def staff(self) -> Staff:
        assert self._staff is not None
        return self._staff

    async def _fits(self, password: str, kept: str) -> bool:
        self.tries.append((password, kept))
        return hashes.fits(password, kept)

    async def open(self) -> Staff:
        self._staff = await Staff.open(self.book.journal, self.book.clock, self.book.folder, self._fits)
        return self._staff

    async def restart(self) -> Staff:
        await self.book.restart()
        return await self.open()

    async def set_up(self, name: str = "chief", password: str = GOOD) -> Actor:
        await self.staff.set_up(self.staff.code.kept(), name, password, "local")
        return self.actor(name)

    def actor(self, name: str) -> Actor:
        return self.staff.actor(self.staff.register.get(name), "local")

    async def add(self, name: str, role: Role = Role.TELLER, password: str = GOOD) -> Person:
        return await self.staff.add(self.actor("chief"), name, role, password)

    async def one_of_each(self) -> None:
        """Each role has one, of the role's name with dots; the supervisor is chief."""
        await self.open()
        await self.set_up()
        for role in Role:
            if role is not Role.SUPERVISOR:
                await self.add(name_of(role), role)

    async def enters(self, name: str, password: str = GOOD) -> str:
        """What a sign-in comes to: the person's id, or the code of its refusal."""
        try:
            return (await self.staff.sign_in.check(name, password, "panel")).id
        except PeopleRefused as refused:
            return refused.code

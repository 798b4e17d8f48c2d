"""What people decide, each person with their own credentials in that moment (ORD-6).

Knows people, who of them may what, and the intake's door; what it makes of the branch is the intake's affair.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from cloud_bridge.envelope import Envelope
from edge_agent.clock import Clock
from edge_agent.orders.desk import Branch, Caller
from edge_agent.orders.exercising import exercise_of, new_order
from edge_agent.people.register import PeopleRefused, Person, spelled
from edge_agent.people.roles import Right
from edge_agent.people.staff import Staff

MOST = 4
MAX_SUBJECT = 200  # of an envelope
RESOLVE, REPLENISH, ATTEST, ADOPT = "order.resolve", "stock.replenish", "clock.attest", "journal.adopt"
# Whoever takes part says what they saw at the machines (RESOLVE); one of them may have the thing itself done.
LEADS = {RESOLVE: Right.RESOLVE, REPLENISH: Right.STOCK, ATTEST: Right.VOUCH, ADOPT: Right.VOUCH}
Credentials = Sequence[tuple[str, str]]  # name and password of each


class Asks(Protocol):
    """The intake, as those who ask through a door of the branch see it."""

    async def ask(self, envelope: Envelope, caller: Caller) -> dict[str, Any]:
        """The reply's data. Raises StoreFailed."""
        ...


@dataclass(frozen=True, slots=True)
class Decision:
    """What was seen or done; `data` has the members of the instruction but for `people`."""

    subject: str | None
    data: dict[str, Any]
    waits_for_another: bool = False  # the second of two is somebody at the centre
    noun: str = RESOLVE


@dataclass(frozen=True, slots=True)
class Deciding:
    """`decide` and `exercise` for every door at which people stand."""

    staff: Staff
    intake: Asks
    clock: Clock
    branch: Branch

    async def decide(self, decision: Decision, credentials: Credentials, door: str) -> dict[str, Any]:
        """The reply's data. Raises PeopleRefused (somebody is not who they say, or may not), StoreFailed."""
        ids = await self._proven(credentials, door, LEADS[decision.noun])
        data = {**decision.data, "people": list(ids)}
        caller = Caller(door, ids, decision.waits_for_another)
        return await self._ask(decision.noun, decision.subject, data, caller)

    async def exercise(self, device: str, act: str, credentials: Credentials, door: str) -> dict[str, Any]:
        """Asks for one act of one device; two people release what is worth something. Raises as `decide`."""
        place = next((one for one in self.branch.places if one.device == device), None)
        if place is None:
            raise PeopleRefused("no_device", device=device[:100])
        wanted = exercise_of(place.role, act, place.acts)
        if wanted is None:
            raise PeopleRefused("no_exercise", act=act[:100], device=device)
        ids = await self._proven(credentials, door, Right.SERVICE)
        data = wanted.order(place.at, self.clock.now())
        return await self._ask("order.submit", new_order(device), data, Caller(door, ids))

    async def _ask(self, noun: str, subject: str | None, data: dict[str, Any], caller: Caller) -> dict[str, Any]:
        members: dict[str, Any] = {"id": f"{caller.door}-{uuid.uuid4()}", "source": caller.proven[0]}
        members |= {"type": f"branchgate.{noun}.v1", "time": self.clock.now(), "branch": self.branch.id}
        cut = subject and subject[:MAX_SUBJECT]  # nothing here has so long a name: what is cut is as unknown
        envelope = Envelope.model_validate({**members, "subject": cut, "data": data})
        return await self.intake.ask(envelope, caller)

    async def _proven(self, credentials: Credentials, door: str, lead: Right) -> tuple[str, ...]:
        if not credentials or len(credentials) > MOST:
            raise PeopleRefused("wrong_credentials")
        _distinct([spelled(name) for name, _ in credentials])
        people = [await self._checked(name, password, door) for name, password in credentials]
        _distinct([person.name for person in people])  # whoever is meant, however they were spelled
        if not any(person.may(lead) for person in people):
            raise PeopleRefused("none_may", right=lead.value)
        return tuple(person.id for person in people)

    async def _checked(self, name: str, password: str, door: str) -> Person:
        person = await self.staff.sign_in.check(name, password, door)
        if not person.may(Right.RESOLVE):
            raise PeopleRefused("not_allowed", right=Right.RESOLVE.value)
        return person


def _distinct(names: list[str]) -> None:
    """Raises PeopleRefused."""
    if len(set(names)) < len(names):
        raise PeopleRefused("same_person")

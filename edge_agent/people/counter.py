"""What people ask for at the branch's own door: their own affairs, and decisions that they prove to be theirs.

Knows the wishes and who may have each; must not know sockets, nor how anything is shown.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from cloud_bridge.ports import StoreFailed
from edge_agent.door import Peer
from edge_agent.orders.desk import AT_THE_BOX
from edge_agent.people.deciding import RESOLVE, Deciding, Decision
from edge_agent.people.register import PeopleRefused
from edge_agent.people.roles import Right, Role, Trust
from edge_agent.people.staff import Actor, Staff

log = logging.getLogger(__name__)
DOOR = AT_THE_BOX.door
Text = Annotated[str, Field(max_length=400)]


class _Wish(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, defer_build=True)


class Credentials(_Wish):
    """Who somebody is, and that they are."""

    name: Text
    password: Text


class _Signed(_Wish):
    by: Credentials


class Hello(_Wish):
    wish: Literal["hello"]


class SetUp(_Wish):
    wish: Literal["people.set_up"]
    code: Text
    name: Text
    password: Text


class NewCode(_Wish):
    wish: Literal["people.code"]


class ListPeople(_Signed):
    wish: Literal["people.list"]


class Add(_Signed):
    wish: Literal["people.add"]
    name: Text
    role: Role
    password: Text
    display: Text = ""


class SetRole(_Signed):
    wish: Literal["people.role"]
    name: Text
    role: Role


class SetPassword(_Signed):
    wish: Literal["people.password"]
    name: Text
    password: Text


class Change(_Signed):
    wish: Literal["people.disable", "people.enable", "people.unlock"]
    name: Text


class AddApplication(_Signed):
    wish: Literal["applications.add"]
    name: Text
    trust: Trust


class RemoveApplication(_Signed):
    wish: Literal["applications.remove"]
    name: Text


class _Together(_Wish):
    people: Annotated[list[Credentials], Field(min_length=1, max_length=4)]

    @property
    def credentials(self) -> list[tuple[str, str]]:
        return [(one.name, one.password) for one in self.people]


class Resolve(_Together):
    wish: Literal["order.resolve"]
    order: Text
    data: dict[str, Any]
    waits_for_another: bool = False


class Decide(_Together):
    wish: Literal["stock.replenish", "clock.attest", "journal.adopt"]
    subject: Text | None = None
    data: dict[str, Any]


class ExerciseDevice(_Together):
    wish: Literal["device.exercise"]
    device: Text
    act: Text


_Any = Annotated[
    Hello | SetUp | NewCode | ListPeople | Add | SetRole | SetPassword | Change | AddApplication | RemoveApplication
    | Resolve | Decide | ExerciseDevice,
    Field(discriminator="wish"),
]  # fmt: skip
_READ: TypeAdapter[Any] = TypeAdapter(_Any, config=ConfigDict(defer_build=True))
Result = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Counter:
    """Implements `edge_agent.door.Serves`."""

    staff: Staff
    deciding: Deciding

    async def serve(self, members: dict[str, Any], peer: Peer) -> Result:
        """`result`, `reply` (to an instruction), or `refused` with a code of the catalogue and its `places`."""
        try:
            wish = _READ.validate_python(members)
        except ValidationError as error:
            wrong = [".".join(str(part) for part in one["loc"]) or "wish" for one in error.errors()]
            return {"problem": "unreadable", "message": f"wrong or missing: {', '.join(wrong[:5])}"}
        try:
            return await _SERVED[type(wish)](self, wish, peer)
        except PeopleRefused as refused:
            return {"refused": refused.code, "places": {name: str(place) for name, place in refused.places.items()}}
        except (StoreFailed, OSError) as error:
            return {"problem": "store_failed", "message": str(error)}

    @property
    def wants_proof(self) -> bool:
        """Also where the register was altered: nobody gets in by it, and nobody gets by without it."""
        return self.staff.is_set_up or self.staff.altered

    async def hello(self, _wish: Hello, _peer: Peer) -> Result:
        told = {"set_up": self.staff.is_set_up, "altered": self.staff.altered, "wants_proof": self.wants_proof}
        holding = [place.device for place in self.deciding.branch.places if place.holds_articles]
        return {"result": told | {"holding": holding}}

    async def set_up(self, wish: SetUp, _peer: Peer) -> Result:
        person = await self.staff.set_up(wish.code, wish.name, wish.password, DOOR)
        return {"result": {"name": person.name, "role": person.role.value}}

    async def new_code(self, _wish: NewCode, peer: Peer) -> Result:
        if not peer.is_trusted:
            raise PeopleRefused("not_root")
        await self.staff.new_code(Actor(f"/users/{peer.uid}", DOOR))
        return {"result": {"file": str(self.staff.code.path)}}

    async def _actor(self, wish: _Signed) -> Actor:
        person = await self.staff.sign_in.check(wish.by.name, wish.by.password, DOOR)
        return self.staff.actor(person, DOOR)

    async def everybody(self, wish: ListPeople, _peer: Peer) -> Result:
        actor = await self._actor(wish)
        if actor.person is None or not (actor.person.may(Right.PEOPLE) or actor.person.may(Right.AUDIT)):
            raise PeopleRefused("not_allowed", right=Right.PEOPLE.value)
        return {"result": {"people": self.staff.listed(), "applications": self.staff.applications()}}

    async def add(self, wish: Add, _peer: Peer) -> Result:
        actor = await self._actor(wish)
        person = await self.staff.add(actor, wish.name, wish.role, wish.password, wish.display)
        return {"result": {"name": person.name, "role": person.role.value}}

    async def role(self, wish: SetRole, _peer: Peer) -> Result:
        await self.staff.set_role(await self._actor(wish), wish.name, wish.role)
        return {"result": {"name": wish.name, "role": wish.role.value}}

    async def password(self, wish: SetPassword, _peer: Peer) -> Result:
        await self.staff.set_password(await self._actor(wish), wish.name, wish.password)
        return {"result": {"name": wish.name}}

    async def change(self, wish: Change, _peer: Peer) -> Result:
        actor = await self._actor(wish)
        if wish.wish == "people.unlock":
            await self.staff.unlock(actor, wish.name)
        else:
            await self.staff.set_disabled(actor, wish.name, disabled=wish.wish == "people.disable")
        return {"result": {"name": wish.name}}

    async def add_application(self, wish: AddApplication, _peer: Peer) -> Result:
        token = await self.staff.add_application(await self._actor(wish), wish.name, wish.trust)
        return {"result": {"name": wish.name, "trust": wish.trust.value, "token": token}}

    async def remove_application(self, wish: RemoveApplication, _peer: Peer) -> Result:
        await self.staff.remove_application(await self._actor(wish), wish.name)
        return {"result": {"name": wish.name}}

    async def resolve(self, wish: Resolve, _peer: Peer) -> Result:
        decision = Decision(wish.order, wish.data, wish.waits_for_another, RESOLVE)
        return {"reply": await self.deciding.decide(decision, wish.credentials, DOOR)}

    async def decide(self, wish: Decide, _peer: Peer) -> Result:
        decision = Decision(wish.subject, wish.data, noun=wish.wish)
        return {"reply": await self.deciding.decide(decision, wish.credentials, DOOR)}

    async def exercise(self, wish: ExerciseDevice, _peer: Peer) -> Result:
        return {"reply": await self.deciding.exercise(wish.device, wish.act, wish.credentials, DOOR)}


_SERVED: dict[type[_Wish], Callable[[Counter, Any, Peer], Awaitable[Result]]] = {
    Hello: Counter.hello,
    SetUp: Counter.set_up,
    NewCode: Counter.new_code,
    ListPeople: Counter.everybody,
    Add: Counter.add,
    SetRole: Counter.role,
    SetPassword: Counter.password,
    Change: Counter.change,
    AddApplication: Counter.add_application,
    RemoveApplication: Counter.remove_application,
    Resolve: Counter.resolve,
    Decide: Counter.decide,
    ExerciseDevice: Counter.exercise,
}

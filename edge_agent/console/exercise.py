"""One act of one device, on purpose: as an order of a shipped scene through the agent's own door, never past it.

Knows when a device may be exercised; which order it is, who may and what becomes of it the agent says, as of any other.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from edge_agent.console.at_device import NOT_TRUSTED, NotTrusted, Place
from edge_agent.console.door import hand_in, instruction
from edge_agent.console.people import House
from edge_agent.orders.exercising import Exercise, acts_of, exercise_of, hindrance, new_order

ENDED = frozenset({"completed", "partly_completed", "failed", "cancelled", "expired"})
PAGE = 100


class NotExercised(Exception):
    """Why it is not: `act`, `role_shared`, `busy`, `shut`, `not_there`; `detail` names what stands in the way."""

    def __init__(self, why: str, detail: str = "") -> None:
        super().__init__(why)
        self.why = why
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Wanted:
    """An exercise that may be asked for."""

    place: Place
    act: str
    exercise: Exercise

    @property
    def house(self) -> House:
        return House.of_settings(self.place.settings)

    def declare(self, person: str) -> dict[str, Any]:
        """The reply's data, where people show no passwords. Raises NoDoor."""
        device, settings = self.place.device, self.place.settings
        data = self.exercise.order(device.place, datetime.now(UTC))
        asked = instruction(settings.branch.id, "order.submit", data, f"/people/{person}", new_order(device.id))
        return hand_in(settings.door_folder(), asked)

    def story(self, order: str, person: str) -> dict[str, Any]:
        """The order as the agent tells it. Raises NoDoor."""
        asked = instruction(self.place.settings.branch.id, "orders.request", {"order": order}, f"/people/{person}")
        reply = hand_in(self.place.settings.door_folder(), asked)
        orders = reply.get("result", {}).get("orders", [])
        return dict(orders[0]) if orders else {}


def wanted(place: Place, act: str) -> Wanted:
    """Refuses what would meet an order of the branch, or another device. Raises NotExercised, NotTrusted, NoDoor."""
    device = place.device
    exercise = exercise_of(device.role, act, place.acts)
    twin = place.at_door("box.look").get("devices", {}).get(device.id)
    if exercise is None:
        raise NotExercised("act", ", ".join(acts_of(device.role, place.acts)) or "-")
    of_role = [one for one in place.settings.device if one.role == device.role]
    alike = [one.id for one in of_role if exercise.reaches(device.place, one.place)]
    if no := hindrance(twin, alike, lambda: _orders_at(place)):
        raise NotExercised(*no)
    return Wanted(place, act, exercise)


def _orders_at(place: Place) -> list[str]:
    """Every page of the open orders; a reply that is none must not read as an empty branch."""
    found, after = list[str](), None
    while True:
        data = {"limit": PAGE} | ({"after": after} if after else {})
        asked = instruction(place.settings.branch.id, "orders.request", data, "/people/console")
        reply = hand_in(place.settings.door_folder(), asked)
        if reply.get("problem") == NOT_TRUSTED:
            raise NotTrusted
        if "result" not in reply:
            raise NotExercised("not_there", str(reply.get("problem") or reply.get("code")))
        found += [one["order"] for one in reply["result"]["orders"] if one.get("device") == place.device.id]
        after = reply["result"].get("next")
        if after is None:
            return found

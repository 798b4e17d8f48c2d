"""One act of one device on purpose: which shipped scene does it, and the order that asks for that.

Pure: who may ask, and whether the machine is free for it, is said elsewhere.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cloud_bridge.envelope import rfc3339
from edge_agent.texts import Texts

WORDS = "TEST 123 试机"
LASTS = timedelta(minutes=15)  # whoever asked stands at the machine
LAST_OF_ALL = -100  # customers go first
# Of which family of the texts the detail of a hindrance is a code; what is a name stays.
_DETAILS = {"shut": ("reason",), "not_there": ("device_state", "door_problem", "code")}


@dataclass(frozen=True, slots=True)
class Exercise:
    """The scene that does an act, and what it is filled with."""

    scene: str
    parameters: Mapping[str, Any]
    released: str = ""  # the step by which what is worth something is given out: two people release it
    of_window: bool = False  # its device is found by the window that it belongs to

    def order(self, at: str, now: datetime) -> dict[str, Any]:
        """The data of its order.submit; `at`: the window that its device belongs to."""
        parameters = dict(self.parameters) | ({"window": at} if self.of_window else {})
        data = {"scene": self.scene, "parameters": parameters, "priority": LAST_OF_ALL}
        return data | {"deadline": rfc3339(now.replace(microsecond=0) + LASTS)}

    def reaches(self, at: str, other: str) -> bool:
        """Whether the agent may choose a device of the same role at `other` for the one that is meant, at `at`."""
        return not self.of_window or at == other


# By role and act: the agent looks for the scene's role, and another machine than the one that was meant must not move.
EXERCISES: dict[tuple[str, str], Exercise] = {
    ("card-dispenser", "draw_card"): Exercise("exercise_card", {}, released="draw"),
    ("card-dispenser", "present_card"): Exercise("exercise_present", {}, released="draw"),
    ("token-cabinet", "open_cell"): Exercise("exercise_token_cell", {}, released="open"),
    ("cheque-cabinet", "open_cell"): Exercise("exercise_cheque_cell", {}, released="open"),
    ("receipt-printer", "print_receipt"): Exercise("print_receipt", {"title": WORDS, "lines": WORDS}),
    ("ticket-printer", "print_ticket"): Exercise("print_ticket", {"number": "T000", "queue": WORDS}),
    ("window-screen", "show_text"): Exercise("show_text", {"text": WORDS}, of_window=True),
    ("window-screen", "show_idle"): Exercise("show_idle", {}, of_window=True),
    ("hall-screen", "show_text"): Exercise("exercise_hall_screen", {"text": WORDS}),
}


def exercise_of(role: str, act: str, acts: Collection[str]) -> Exercise | None:
    """Of a device with this role that offers these acts."""
    return EXERCISES.get((role, act)) if act in acts else None


def acts_of(role: str, acts: Collection[str]) -> list[str]:
    """By which of its acts a device with this role is exercised."""
    return [act for its, act in EXERCISES if its == role and act in acts]


def hindrance(
    twin: Mapping[str, Any] | None, alike: Sequence[str], orders: Callable[[], Sequence[str]]
) -> tuple[str, str] | None:
    """Why a device is not exercised now, and what stands in the way; see `in_words`.

    `alike`: the devices that the agent would choose among; `orders`: those that are at this one.
    """
    if twin is None:
        return "not_there", "-"
    if len(alike) > 1:
        return "role_shared", ", ".join(alike)
    if twin.get("lane") == "shut":
        return "shut", str(twin.get("reason") or "")
    if twin["state"] != "online":
        return "not_there", str(twin["state"])
    if busy := str(twin.get("order") or "") or ", ".join(orders()):
        return "busy", busy
    return None


def in_words(texts: Texts, why: str, detail: str) -> str:
    """A hindrance as it is told; a code that came from elsewhere in words."""
    found = (texts.word(family, detail) for family in _DETAILS.get(why, ()))
    return texts(f"exercise.{why}", detail=next((word for word in found if word != detail), detail))


def new_order(device: str) -> str:
    """The id of one exercise of this device."""
    return f"exercise-{device}-{uuid.uuid4().hex[:8]}"

"""What instructions and reports share: names, sentences, codes of rejection (INS-4) and people's choices (ORD-6).

Knows single members; must not know in which message they stand.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
OrderId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$")]
Sentence = Annotated[str, StringConstraints(max_length=500)]


class Message(BaseModel):
    """Base of all `data` models: unknown members are kept and ignored (ENV-1)."""

    # Each is compiled when its first message comes: most branches hear few of them.
    model_config = ConfigDict(extra="allow", defer_build=True)


class Code(StrEnum):
    """Why an instruction was rejected (INS-4)."""

    INVALID = "invalid"
    UNSUPPORTED = "unsupported"
    UNAUTHORIZED = "unauthorized"
    EXPIRED = "expired"
    CONFLICT = "conflict"
    UNKNOWN_ORDER = "unknown_order"
    UNKNOWN_TICKET = "unknown_ticket"
    UNKNOWN_DEVICE = "unknown_device"
    UNKNOWN_SCENE = "unknown_scene"
    NO_DEVICE_FOR_ROLE = "no_device_for_role"
    DEVICE_DOWN = "device_down"
    TERMINAL = "terminal"
    TOO_LATE = "too_late"
    NO_STOCK = "no_stock"
    JOURNAL_NEW = "journal_new"
    OVERLOADED = "overloaded"
    MAINTENANCE = "maintenance"


class Choice(StrEnum):
    """How a person settles a step that needs attention (ORD-6)."""

    DONE = "done"  # it happened: two people, because the order goes on from there
    NO_EFFECT = "no_effect"  # it did not happen: two people, because the machine may act again
    FAILED = "failed"  # do not repeat; the item was secured by hand: one person
    CAPTURE = "capture"  # the machine takes the item into its bin, the order fails: one person
    AGAIN = "again"  # do it once more, on another device of the same role if `device` names one: two people
    BY_HAND = "by_hand"  # people do by hand what the step should have done; the order goes on without it: one person
    SKIP = "skip"  # the order goes on without the step: one person
    RELEASE = "release"  # a step that waits for two people may be done: two people


# The order goes on, or the machine acts.
TWO_PEOPLE = frozenset({Choice.DONE, Choice.NO_EFFECT, Choice.AGAIN, Choice.RELEASE})

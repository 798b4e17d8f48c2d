"""What each role may do. One table, read by every door: what is not in it is not allowed.

Knows roles and rights; must not know who has them.
"""

from __future__ import annotations

from enum import StrEnum


class Right(StrEnum):
    """What somebody may do here."""

    SEE = "see"  # orders, devices, events
    ORDERS = "orders"  # submit, cancel, hold and release orders
    RESOLVE = "resolve"  # say what was seen at a machine (ORD-6)
    STOCK = "stock"  # load and empty cells, with a second person beside them
    SERVICE = "service"  # put devices out of service and back, exercise them
    VOUCH = "vouch"  # with a second person: say that the clock is right, adopt a new journal
    PEOPLE = "people"  # add people, change roles, unlock; applications too
    AUDIT = "audit"  # read who did what
    WALL = "wall"  # the branch's state on a screen, with nothing of anybody in it


class Role(StrEnum):
    """What somebody is here."""

    TELLER = "teller"
    HALL_MANAGER = "hall_manager"
    SUPERVISOR = "supervisor"
    ENGINEER = "engineer"
    AUDITOR = "auditor"


class Trust(StrEnum):
    """What an application of the branch is trusted with."""

    READER = "reader"
    ORDERS = "orders"
    AUDIT = "audit"
    DISPLAY = "display"  # a screen on the wall: given and taken by whoever serves the machines


_SERVING = frozenset({Right.SEE, Right.ORDERS, Right.RESOLVE})
MAY: dict[Role | Trust, frozenset[Right]] = {
    Role.TELLER: _SERVING,
    Role.HALL_MANAGER: _SERVING | {Right.STOCK},
    Role.SUPERVISOR: _SERVING | {Right.STOCK, Right.SERVICE, Right.VOUCH, Right.PEOPLE, Right.AUDIT},
    Role.ENGINEER: frozenset({Right.SEE, Right.RESOLVE, Right.SERVICE}),
    Role.AUDITOR: frozenset({Right.SEE, Right.AUDIT}),
    Trust.READER: frozenset({Right.SEE}),
    Trust.ORDERS: frozenset({Right.SEE, Right.ORDERS}),
    Trust.AUDIT: frozenset({Right.SEE, Right.AUDIT}),
    Trust.DISPLAY: frozenset({Right.WALL}),
}

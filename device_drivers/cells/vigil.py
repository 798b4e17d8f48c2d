"""What a cabinet does unasked: a door that nobody opened, one left open, an item gone or put back; each told once.

Knows two looks at all cells and what was told already; must not ask a board, nor know what anybody makes of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from device_drivers.cells.evidence import Reading
from device_drivers.device import Json

DOOR_FORCED, DOOR_LEFT_OPEN, WRONG_DOOR = "door_forced", "door_left_open", "wrong_door"
ITEM_GONE, ITEM_PUT_BACK = "item_gone", "item_put_back"


class Told(NamedTuple):
    """One thing to tell."""

    kind: str
    facts: dict[str, Json]


@dataclass(slots=True)
class Vigil:
    """`opened` is the cell that an order opened last, `told` what stands told of each cell whose door is open."""

    opened: str | None = None
    told: dict[str, str] = field(default_factory=dict)
    _items: dict[str, bool] = field(default_factory=dict)

    @property
    def memory(self) -> dict[str, Json]:
        """What it must know after a restart: a door still open is not told again."""
        return {"opened": self.opened, "told": dict(self.told) or None}

    def remember(self, memory: Mapping[str, Json]) -> None:
        """Goes on from what was kept."""
        opened, told = memory.get("opened"), memory.get("told")
        self.opened = opened if isinstance(opened, str) else None
        self.told = {str(cell): str(kind) for cell, kind in told.items()} if isinstance(told, Mapping) else {}
        self._items.clear()

    def look(self, seen: Mapping[str, Reading], *, expected: str | None = None) -> list[Told]:
        """What is new. `expected` is the cell that is open, or may be, for the order at hand."""
        found: list[Told] = []
        for cell, now in seen.items():
            if now.readable:
                found += self._door(cell, now, expected)
                found += self._item(cell, now, expected)
        return found

    def surprising(self, seen: Mapping[str, Reading]) -> list[str]:
        """The cells whose look would be news: contacts bounce, so they are looked at once more."""
        return [
            cell
            for cell, now in seen.items()
            if now.readable and (now.door_open != (cell in self.told) or self._items.get(cell, now.item) != now.item)
        ]

    def left_open(self, cell: str, now: Reading) -> list[Told]:
        """The customer's time is over and the door of their cell still stands open."""
        if not now.door_open or cell in self.told:
            return []
        self.told[cell] = DOOR_LEFT_OPEN
        return [Told(DOOR_LEFT_OPEN, {"cell": cell, **now.told})]

    def _door(self, cell: str, now: Reading, expected: str | None) -> list[Told]:
        if not now.door_open:
            self.told.pop(cell, None)
            if cell == self.opened and cell != expected:
                self.opened = None
            return []
        if cell in self.told or cell == expected:
            return []
        self.told[cell] = kind = DOOR_LEFT_OPEN if cell == self.opened else WRONG_DOOR if expected else DOOR_FORCED
        beside = {"expected": expected} if kind == WRONG_DOOR else {}
        return [Told(kind, {"cell": cell, **now.told, **beside})]

    def _item(self, cell: str, now: Reading, expected: str | None) -> list[Told]:
        if now.item is None:
            return []
        before = self._items.get(cell)
        self._items[cell] = now.item
        if before is None or before == now.item or (cell == expected and before):
            return []  # that the customer takes it is what the watch is for
        return [Told(ITEM_PUT_BACK if now.item else ITEM_GONE, {"cell": cell, **now.told})]

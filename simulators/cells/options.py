"""The settings of one simulated cabinet: how many cells, what lies in them, where their contacts are, and timings.

Knows only plain JSON values; a mistake names the key and what may stand there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from simulators.cells.people import Person, parse_person
from simulators.machine import ControlError

MAX_CELLS = 48  # as many locks as one board can be asked for


@dataclass(frozen=True)
class Options:
    """Cell n has the id `01`, `02`, … and the nth lock; its item closes the nth contact from `item_board` on."""

    cells: int = 12
    item_board: int | None = 2  # None: no cell shows its item
    items_per_board: int = MAX_CELLS  # then the next board goes on
    locked_feedback: int = 0x00  # what a board answers while the switch is closed
    serials: tuple[str | None, ...] | None = None  # what lies in each cell; None: something in every one
    act_s: float = 0.5  # from the pulse to the open door
    answer_s: float = 0.01
    customer: Person = field(default_factory=Person)

    @property
    def item_boards(self) -> range:
        """The boards whose contacts show items."""
        if self.item_board is None:
            return range(0)
        return range(self.item_board, self.item_board + (self.cells - 1) // self.items_per_board + 1)

    def cell_of(self, board: int, contact: int) -> int:
        """The cell whose item a contact of such a board shows."""
        assert self.item_board is not None  # it has such boards
        return (board - self.item_board) * self.items_per_board + contact

    def contents(self, device: str) -> dict[str, str | None]:
        """The serial number in each cell of a new cabinet; None: empty."""
        names = [f"{number:02d}" for number in range(1, self.cells + 1)]
        given = self.serials if self.serials is not None else tuple(f"{device}-{name}" for name in names)
        return dict(zip(names, given, strict=True))


def parse_options(raw: Mapping[str, Any]) -> Options:
    """Check plain values and make `Options` of them, or raise `ControlError`."""
    known = [item.name for item in fields(Options)]
    for key in raw:
        if key not in known:
            raise ControlError(f"option {key!r} is not known; known are {', '.join(known)}")
    options = Options(**{key: _value(key, value) for key, value in raw.items()})
    if options.serials is not None and len(options.serials) != options.cells:
        raise ControlError(f"'serials' names what lies in each of {options.cells} cells, not in {len(options.serials)}")
    return options


def _value(key: str, value: Any) -> Any:
    if key == "customer":
        return parse_person(value)
    if key == "item_board":
        return None if value is None else _number(key, value, 1, 32)
    if key == "locked_feedback":
        if value in {"00", "11"}:
            return int(value, 16)
        raise ControlError(f'\'locked_feedback\' is "00" or "11", not {value!r}')
    if key == "serials":
        return serials(value)
    if key in {"cells", "items_per_board"}:
        return _number(key, value, 1, MAX_CELLS)
    return float(_number(key, value, 0, 3600))


def _number(key: str, value: Any, low: float, high: float) -> Any:
    if isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high:
        return value
    raise ControlError(f"{key!r} must be a number from {low:g} to {high:g}, not {value!r}")


def serials(value: Any) -> tuple[str | None, ...]:
    """A list of distinct serial numbers, None for an empty cell; or a `ControlError`."""
    if isinstance(value, list | tuple) and all(item is None or (isinstance(item, str) and item) for item in value):
        named = [item for item in value if item is not None]
        if len(set(named)) == len(named):
            return tuple(value)
    raise ControlError(f"'serials' must be a list of distinct serial numbers, null for an empty cell, not {value!r}")

"""The metal of a cabinet: doors on springs, items behind them, locks that let go at a pulse, and whoever stands there.

Knows cells and time; must not know how a pulse came or how a contact is asked. A second pulse opens a second time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from simulators.cells.options import Options
from simulators.cells.people import Person
from simulators.faults import Armed
from simulators.machine import Agenda, ControlError, Kind

Tell = Callable[[Kind, str, dict[str, Any], float], None]


@dataclass
class Cell:
    """`serial` is what lies in it, `hand` what the person before it holds."""

    serial: str | None
    is_open: bool = False
    hand: str | None = None
    visit: int = 0  # counts springings: what somebody meant to do before is void


class Chest:
    """All cells of one cabinet; `opened` is told of every door that sprang open, whoever asked for it."""

    def __init__(self, device: str, options: Options, agenda: Agenda, armed: Armed, tell: Tell) -> None:
        self._options, self._agenda, self._armed, self._tell = options, agenda, armed, tell
        self.cells = {name: Cell(serial) for name, serial in options.contents(device).items()}
        self.everyone = options.customer
        self.coming: list[Person] = []  # for the next doors, in order
        self.pulses = 0
        self._current = object()  # one for each time that the power is on
        self.on_pulse: Callable[[int, float], None] = lambda nth, now: None

    def pulse(self, name: str, now: float, *, then: Callable[[float], None] = lambda now: None) -> None:
        """The lock lets go: after `act_s` the door stands open, and `then` is called."""
        self.pulses += 1
        self.on_pulse(self.pulses, now)
        stuck = self._armed.take("stuck_lock", now) is not None
        self._agenda.at(now + self._options.act_s, partial(self._sprung, name, stuck, self._current, then))

    def cut_power(self) -> None:
        """A lock whose pulse is cut short does not let go."""
        self._current = object()

    def _sprung(self, name: str, stuck: object, current: object, then: Callable[[float], None], now: float) -> None:
        if current is not self._current:
            return
        cell = self.cells[name]
        if stuck:
            self._tell("show", "lock_stuck", {"cell": name}, now)
        else:
            self._tell("act", "cell_opened", {"cell": name, "serial": cell.serial}, now)
            self._spring(name, now)
        then(now)

    def _spring(self, name: str, now: float) -> None:
        self.cells[name].is_open = True
        self.meet(name, now, self.coming.pop(0) if self.coming else self.everyone)

    def meet(self, name: str, now: float, person: Person) -> None:
        """Whoever stands before an open door makes up their mind."""
        cell = self.cells[name]
        cell.visit += 1
        for after_s, deed in person.deeds(cell.serial or name):
            self._agenda.at(now + after_s, partial(self._if_still_meant, name, cell.visit, deed))

    def _if_still_meant(self, name: str, visit: int, deed: str, now: float) -> None:
        if self.cells[name].visit == visit:
            self.do(name, deed, now)

    # -- hands -----------------------------------------------------------------------------------------------------

    def do(self, name: str, deed: str, now: float) -> bool:
        """`take`, `put_back` or `close`; whether it could be done."""
        return {"take": self.take, "put_back": self.put_back, "close": self.close}[deed](name, now)

    def take(self, name: str, now: float) -> bool:
        cell = self.cells[name]
        if not cell.is_open or cell.serial is None:
            return False
        cell.hand, cell.serial = cell.serial, None
        self._tell("show", "item_taken", {"cell": name, "serial": cell.hand}, now)
        return True

    def put_back(self, name: str, now: float) -> bool:
        cell = self.cells[name]
        if not cell.is_open or cell.serial is not None or cell.hand is None:
            return False
        cell.serial, cell.hand = cell.hand, None
        self._tell("show", "item_put_back", {"cell": name, "serial": cell.serial}, now)
        return True

    def close(self, name: str, now: float) -> bool:
        cell = self.cells[name]
        if not cell.is_open:
            return False
        cell.is_open, cell.hand, cell.visit = False, None, cell.visit + 1
        self._tell("show", "door_closed", {"cell": name, "serial": cell.serial}, now)
        return True

    def force(self, name: str, now: float, *, takes: bool) -> None:
        """Somebody breaks it open; what lies in it may be taken along."""
        cell = self.cells[name]
        cell.is_open, cell.visit = True, cell.visit + 1
        self._tell("show", "door_forced", {"cell": name, "serial": cell.serial}, now)
        if takes and cell.serial is not None:
            self._tell("show", "item_stolen", {"cell": name, "serial": cell.serial}, now)
            cell.serial = None

    def load(self, name: str, serial: str | None, now: float) -> None:
        """Staff put something in, or take it out, with the key, and lock again."""
        if serial is not None and any(serial in {cell.serial, cell.hand} for cell in self.cells.values()):
            raise ControlError(f"item {serial!r} is in the cabinet already: serial numbers must be new")
        cell = self.cells[name]
        cell.serial, cell.is_open, cell.hand, cell.visit = serial, False, None, cell.visit + 1
        self._tell("show", "cell_loaded", {"cell": name, "serial": serial}, now)

    # -- keeping -----------------------------------------------------------------------------------------------------

    def snapshot(self) -> dict[str, Any]:
        return {name: [cell.serial, cell.is_open, cell.hand] for name, cell in self.cells.items()}

    def restore(self, saved: Mapping[str, Any], now: float) -> None:
        """Go on; whoever stands before an open door makes up their mind anew."""
        for name, cell in self.cells.items():
            cell.serial, cell.is_open, cell.hand = saved[name]
            if cell.is_open:
                self.meet(name, now, self.everyone)

"""A cabinet on Modbus modules: a relay board whose pulses let go the locks, and inputs that show doors and items.

Knows which relay is which cell; the metal is the chest's, frames and faults of the line are `simulators.modbus`'.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from simulators.cells.chest import Chest
from simulators.cells.options import Options, serials
from simulators.cells.people import parse_person
from simulators.faults import Fault, FaultTable
from simulators.machine import ControlError
from simulators.modbus.relay import CHANNELS, Relay
from simulators.modbus.unit import Refusal, Unit

SHOWS = ("doors", "items")


class CellRelay(Relay):
    """Relay n, from 0, is the lock of cell `01`, `02`, …: every closing of it is a pulse. The chest is here."""

    OPTIONS: ClassVar[Mapping[str, Any]] = {"cells": 4, "serials": None, "act_s": 0.5, "customer": {}}
    FAULTS: ClassVar[FaultTable] = {"stuck_lock": {"count": 1}}
    VERBS: ClassVar[Mapping[str, set[str]]] = {
        "customer": {"next", "policy", "after_s", "each_s", "seed"},
        "take": {"cell"},
        "put_back": {"cell"},
        "close": {"cell"},
        "force": {"cell", "takes"},
        "load": {"cell", "serial"},
    }

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        own = self.options
        if not 1 <= own["cells"] <= CHANNELS:
            raise ControlError(f"{self.device} has 1 to {CHANNELS} cells, not {own['cells']}")
        given = None if own["serials"] is None else serials(own["serials"])
        person = parse_person(own["customer"])
        settings = Options(cells=own["cells"], serials=given, act_s=own["act_s"], customer=person)
        self.chest = Chest(self.device, settings, self.agenda, self.armed, self.tell)

    def closed(self, channel: int, ms: int | None, now: float) -> None:
        """A lock is pulsed, whoever asked for it."""
        name = f"{channel + 1:02d}"
        if name in self.chest.cells:
            self.chest.pulse(name, now)

    def strike(self, fault: Fault, now: float) -> None:
        self.armed.add(fault, now)

    def do(self, verb: str, request: Mapping[str, Any], now: float) -> dict[str, Any]:
        """What people do at the cabinet."""
        if verb == "customer":
            return self._customer(request, now)
        name = request.get("cell")
        if not isinstance(name, str) or name not in self.chest.cells:
            raise ControlError(f"'cell' must be one of {', '.join(self.chest.cells)}, not {name!r}")
        if verb == "force":
            self.chest.force(name, now, takes=bool(request.get("takes")))
        elif verb == "load":
            self.chest.load(name, request.get("serial"), now)
        elif not self.chest.do(name, verb, now):
            raise ControlError(f"cell {name} is not so that one could {verb} there: ask for its state")
        return {}

    def _customer(self, request: Mapping[str, Any], now: float) -> dict[str, Any]:
        person = parse_person({key: request[key] for key in request if key not in {"do", "device", "next"}})
        if request.get("next"):
            self.chest.coming.append(person)
        else:
            self.chest.everyone = person
        return {}

    def power_lost(self, now: float) -> None:
        super().power_lost(now)
        self.chest.cut_power()

    def state(self) -> dict[str, Any]:
        cells = {name: {"serial": cell.serial, "open": cell.is_open} for name, cell in self.chest.cells.items()}
        return {**super().state(), "cells": cells}

    def snapshot(self) -> dict[str, Any]:
        return {**super().snapshot(), "cells": self.chest.snapshot()}

    def restore(self, saved: Mapping[str, Any], now: float) -> None:
        super().restore(saved, now)
        self.chest.restore(saved["cells"], now)


class CellInputs(Unit):
    """Eight inputs of the cabinet `of` on the same line: closed while a door is closed, or while an item lies there."""

    OPTIONS: ClassVar[Mapping[str, Any]] = {"of": "", "shows": "doors"}

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        if self.options["shows"] not in SHOWS:
            raise ControlError(f"{self.device} shows {' or '.join(SHOWS)}, not {self.options['shows']!r}")

    def read_bits(self, table: str, address: int, count: int, now: float) -> Sequence[bool]:
        if table != "inputs":
            raise Refusal(0x01)
        if address + count > CHANNELS:
            raise Refusal
        cabinet = self.mate(self.options["of"])
        if not isinstance(cabinet, CellRelay):
            raise ControlError(f"{self.options['of']!r} is no cabinet")
        items = self.options["shows"] == "items"
        cells = list(cabinet.chest.cells.values())
        bits = [cell.serial is not None if items else not cell.is_open for cell in cells]
        return (bits + [False] * CHANNELS)[address : address + count]

"""Machines as models: a twin's words, how it looks, its supplies and its cells.

Pure: the members of a twin in, what is drawn of it out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edge_agent.observed import LastReading

# Each look has a shape and a word of its own: nobody needs its colour.
_LOOKS = {
    "online": "good",
    "deviceBusy": "busy",
    "starting": "busy",
    "userError": "bad",
    "hardwareError": "bad",
    "fraudAttempt": "bad",
    "potentialFraud": "bad",
    "offline": "off",
    "powerOff": "off",
    "noDevice": "off",
}
_SYMBOLS = {
    "crt591": "card",
    "escpos": "receipt",
    "ipp": "printer",
    "led485": "screen",
    "bx6": "screen",
    "strip_screen": "screen",
    "cells": "cabinet",
    "site_inputs": "relay",
    "scanner": "scanner",
    "sealed_printer": "stamp",
    "banknote_counter": "notes",
    "people_counter": "people",
}
_DOUBTFUL = frozenset({"shut", "manipulated", "inoperative"})
_WORSE_WHEN_FULL = frozenset({"full", "high"})


@dataclass(frozen=True, slots=True)
class Unit:
    """A store of a machine: a hopper, a bin, paper."""

    name: str
    kind: str
    level: str  # a word of the family `supply`
    count: int | None
    capacity: int | None
    status: str

    @property
    def part(self) -> int | None:
        """How full, in hundredths, where that is known."""
        if self.count is None or not self.capacity:
            return None
        return min(100, round(100 * self.count / self.capacity))

    @property
    def scarce(self) -> bool:
        """Whether somebody should see to it: a hopper that runs out, a bin that runs over."""
        if self.status in ("missing", "inoperative", "manipulated"):
            return True
        bad = _WORSE_WHEN_FULL if self.kind == "retain" else frozenset({"empty", "low"})
        return self.level in bad


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a cabinet."""

    name: str
    state: str  # a word of the family `shelf`
    article: str
    serial: str
    order: str
    door: str


@dataclass(frozen=True, slots=True)
class Machine:
    """One machine as it is drawn."""

    device: str
    kind: str
    role: str
    state: str
    reason: str
    look: str  # good, busy, bad, off
    symbol: str
    shut: bool
    media: str  # empty where the machine has none, or cannot tell
    order: str
    units: tuple[Unit, ...]
    cells: tuple[Cell, ...]
    identity: Mapping[str, Any]
    counters: Mapping[str, Any]
    inputs: Mapping[str, Any]
    readings: tuple[LastReading, ...] = ()

    @property
    def scarce(self) -> tuple[Unit, ...]:
        return tuple(unit for unit in self.units if unit.scarce)

    @property
    def doubtful(self) -> tuple[Cell, ...]:
        """Cells that somebody must look at."""
        return tuple(cell for cell in self.cells if cell.state in _DOUBTFUL)


def machine(twin: Mapping[str, Any], readings: tuple[LastReading, ...] = ()) -> Machine:
    """One twin, and what the machine observed last, as it is drawn."""
    state, kind = str(twin.get("state", "unknown")), str(twin.get("kind", ""))
    storage: Mapping[str, Mapping[str, Any]] = twin.get("storage") or {}
    cells = {name: unit for name, unit in storage.items() if "shelf" in unit or "door" in unit}
    return Machine(
        device=str(twin["device"]),
        kind=kind,
        role=str(twin.get("role", "")),
        state=state,
        reason=str(twin.get("reason") or ""),
        look=_LOOKS.get(state, "off"),
        symbol=_SYMBOLS.get(kind, "machine"),
        shut=twin.get("lane") == "shut",
        media="" if twin.get("media") == "unknown" else str(twin.get("media") or ""),
        order=str(twin.get("order") or ""),
        units=tuple(_unit(name, unit) for name, unit in storage.items() if name not in cells),
        cells=tuple(_cell(name, unit) for name, unit in cells.items()),
        identity=dict(twin.get("identity") or {}),
        counters=dict(twin.get("counters") or {}),
        inputs=dict(twin.get("auxiliaries") or {}),
        readings=readings,
    )


def _unit(name: str, unit: Mapping[str, Any]) -> Unit:
    level = str(unit.get("replenishmentStatus") or "unknown")
    count, capacity = _number(unit.get("count")), _number(unit.get("capacity"))
    return Unit(name, str(unit.get("type", "")), level, count, capacity, str(unit.get("status") or "ok"))


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) else None


def _cell(name: str, unit: Mapping[str, Any]) -> Cell:
    shown = "declared" if unit.get("count") else "empty"  # nobody ever said what lies in it
    words = (str(unit.get(member) or "") for member in ("cardID", "serialNumber", "order", "door"))
    return Cell(name, str(unit.get("shelf") or shown), *words)

"""The metal of a CRT-591: where each card is, what the sensors see of it, and the retract counter.

Knows nothing of frames and time; it is told which stage of a motion has reached its end, or where it was broken off.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from simulators.crt591.options import Options
from simulators.machine import Detail, Kind

Note = tuple[Kind, str, Detail]
COUNTER_MODULUS = 1000  # three ASCII digits, 000..999
CARD, NO_CARD = 0x31, 0x30


class Place(StrEnum):
    """Where the one card outside stacker and bin is."""

    GATE = "gate"  # held in the gate, in reach of the customer
    IC = "ic"
    RF = "rf"
    PATH = "path"  # stuck between two places


class Move(StrEnum):
    """One stage of a motion."""

    DRAW = "draw"
    PRESENT = "present"
    CAPTURE = "capture"
    SHIFT = "move"
    STAY = "reset"


@dataclass(frozen=True)
class Stage:
    move: Move
    to: Place | None
    duration_s: float


class Mechanics:
    """Cards and sensors of one unit; at most one card is between stacker and bin."""

    def __init__(self, device: str, options: Options) -> None:
        self._options = options
        self.stacker = options.serials(device)
        self.bin: list[str] = []
        self.serial: str | None = None
        self.place: Place | None = None
        self.counter = 0
        self.counting = False
        self.looks_empty = False  # a sensor fault, whatever the stacker holds
        self.looks_full = False

    @property
    def stacker_empty(self) -> bool:
        return self.looks_empty or not self.stacker

    @property
    def bin_full(self) -> bool:
        return self.looks_full or len(self.bin) >= self._options.bin_capacity

    def status(self) -> bytes:
        """st0 transport, st1 stacker, st2 bin. A card stuck in the path is seen as one at a reading position."""
        transport = 0x30 if self.place is None else 0x31 if self.place is Place.GATE else 0x32
        few = len(self.stacker) <= self._options.few_at
        stacker = 0x30 if self.stacker_empty else 0x31 if few else 0x32
        return bytes((transport, stacker, 0x31 if self.bin_full else 0x30))

    def sensors(self) -> bytes:
        """S1 gate, S2 path, S3 IC, S4 RF, S5 stacker not empty, S6 stacker more than few, S7 bin full, then 0."""
        seen = [self.place is place for place in (Place.GATE, Place.PATH, Place.IC, Place.RF)]
        seen += [
            not self.stacker_empty,
            len(self.stacker) > self._options.few_at and not self.looks_empty,
            self.bin_full,
        ]
        wanted = self._options.sensors
        row = [CARD if one else NO_CARD for one in seen]
        return bytes((row + [NO_CARD] * wanted)[:wanted])

    def finish(self, stage: Stage) -> list[Note]:
        """The stage reached its end. Nothing happens when its card has gone meanwhile."""
        if stage.move is Move.DRAW:
            return self._draw(stage.to)
        if stage.move is Move.STAY or self.serial is None:
            return []
        if stage.move is Move.CAPTURE:
            return self._capture(self.serial)
        was, self.place = self.place, stage.to
        if stage.move is Move.PRESENT and was is not Place.GATE:
            return [("act", "card_presented", {"serial": self.serial})]
        return [("show", "card_moved", {"serial": self.serial, "to": str(stage.to)})]

    def break_off(self, stage: Stage) -> list[Note]:
        """The stage stopped half way: its card is now between two places."""
        if stage.move is Move.DRAW:
            return [*self._draw(Place.PATH), *self._stuck()] if self.stacker else []
        if stage.move is Move.STAY or self.serial is None:
            return []
        self.place = Place.PATH
        return self._stuck()

    def remove(self) -> str | None:
        """Take the card out of gate or path; the serial number of what was there."""
        serial, self.serial, self.place = self.serial, None, None
        return serial

    def _draw(self, to: Place | None) -> list[Note]:
        if not self.stacker:
            return []
        self.serial, self.place = self.stacker.pop(0), to
        return [("act", "card_drawn", {"serial": self.serial})]

    def _capture(self, serial: str) -> list[Note]:
        self.remove()
        self.bin.append(serial)
        if self.counting:
            self.counter = (self.counter + 1) % COUNTER_MODULUS
        return [("act", "card_captured", {"serial": serial, "bin": self.counter, "cards_in_bin": len(self.bin)})]

    def _stuck(self) -> list[Note]:
        return [("show", "card_stuck", {"serial": self.serial})]

    def snapshot(self) -> dict[str, Any]:
        return {
            "stacker": list(self.stacker),
            "bin": list(self.bin),
            "serial": self.serial,
            "place": None if self.place is None else str(self.place),
            "counter": self.counter,
            "counting": self.counting,
            "looks_empty": self.looks_empty,
            "looks_full": self.looks_full,
        }

    def restore(self, saved: Mapping[str, Any]) -> None:
        self.stacker = list(saved["stacker"])
        self.bin = list(saved["bin"])
        self.serial = saved["serial"]
        self.place = None if saved["place"] is None else Place(saved["place"])
        self.counter, self.counting = int(saved["counter"]), bool(saved["counting"])
        self.looks_empty, self.looks_full = bool(saved["looks_empty"]), bool(saved["looks_full"])

"""A digit display of the LED-485 kind as a Modbus unit: text registers, a number, and registers that no driver wants.

Knows its registers; frames are the line's affair. Source: devices.md section 3.3. Reading is refused: no source names a
register that can be read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from simulators.machine import ControlError
from simulators.modbus.unit import Refusal, Unit
from simulators.screens.glass import Glass

NUMBER, ADDRESS, BAUD, POINT, TEXT, TEXT_END, TEST_NUMBER = 0x00, 0x02, 0x03, 0x04, 0x70, 0x80, 0x88
SHOWN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 -")  # what its segments show well


class Led485(Unit):
    """`digits` letters; what else comes is lit as a blank."""

    OPTIONS: ClassVar[Mapping[str, Any]] = {"digits": 6, "boot": ""}

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        digits = self.options["digits"]
        if not 1 <= digits <= 32:
            raise ControlError(f"option 'digits' of {self.device} is 1 to 32, not {digits}")
        self.glass = Glass(self.device, digits, 1, self.options["boot"], self.emit)

    def write_words(self, address: int, values: Sequence[int], now: float) -> None:
        """A text, a number, or a setting, which is taken and changes nothing here."""
        if TEXT <= address < TEXT_END and address + len(values) <= TEXT_END:
            data = b"".join(value.to_bytes(2, "big") for value in values)
            self._light(data.decode("latin-1"), now)
        elif address in {NUMBER, TEST_NUMBER} and len(values) == 1:
            self._light(str(values[0] - 0x10000 if values[0] & 0x8000 else values[0]), now)
        elif address not in {ADDRESS, BAUD, POINT} or len(values) != 1:
            raise Refusal

    def _light(self, text: str, now: float) -> None:
        self.glass.show([["".join(letter if letter in SHOWN else " " for letter in text[: self.glass.columns])]], now)

    def power_lost(self, now: float) -> None:
        self.glass.power_off(now, told=False)

    def power_back(self, now: float) -> None:
        self.glass.power_on(now, told=False)

    def state(self) -> dict[str, Any]:
        return {"shows": self.glass.text, "shown": self.glass.shown}

    def snapshot(self) -> dict[str, Any]:
        return self.glass.snapshot()

    def restore(self, saved: Mapping[str, Any], now: float) -> None:
        """Its power is the line's affair, and on again with the line."""
        self.glass.restore({**saved, "powered": True})


UNIT = Led485

"""Digit displays on one line in their ASCII form: `$001,A001  #` lights one of them, and nobody answers.

Knows the lines through the device's `protocol`.
"""

from __future__ import annotations

from device_drivers.led485.protocol import Decoder
from simulators.screens.line import Told


class Led485Wire:
    """Address 0 is nobody's."""

    def __init__(self) -> None:
        self._decoder = Decoder()

    def feed(self, data: bytes, now: float) -> list[Told]:
        """Each text with its display."""
        return [Told(unit, [[text]]) for unit, text in self._decoder.feed(data)]

    def spoilt(self, answer: bytes) -> bytes:
        """Nobody answers."""
        return answer

    @property
    def noise_bytes(self) -> int:
        return self._decoder.garbage_bytes

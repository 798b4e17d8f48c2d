"""Strip screens on one line: each frame for an address, or for all of them, lights a row; nobody ever answers.

Knows the frame through the device's `protocol`; takes both ways of adding up the check byte, and says which it saw.
"""

from __future__ import annotations

from device_drivers.strip.protocol import Decoder, Show
from simulators.screens.line import Told

EVERY_SCREEN = 0xFF


class StripWire:
    """`rule`: the only check byte that these screens take; empty: both. Frames closer than `gap_s` are lost."""

    def __init__(self, rule: str = "", gap_s: float = 0.0) -> None:
        self._decoder = Decoder()
        self._rule, self._gap_s = rule, gap_s
        self._deaf_until_s = 0.0
        self.lost_frames = 0

    def feed(self, data: bytes, now: float) -> list[Told]:
        """Each text with the rule of its check byte."""
        return [self._told(show) for show in self._decoder.feed(data) if self._takes(show, now)]

    def _takes(self, show: Show, now: float) -> bool:
        deaf, self._deaf_until_s = now < self._deaf_until_s, now + self._gap_s
        self.lost_frames += deaf
        return not deaf and self._rule in {"", show.check}

    def _told(self, show: Show) -> Told:
        address = None if show.address == EVERY_SCREEN else show.address
        detail = {"check": show.check, "colour": show.style.colour, "play": show.style.play}
        return Told(address, [[show.text.decode("gbk", "replace")]], detail=detail)

    def spoilt(self, answer: bytes) -> bytes:
        """Nobody answers."""
        return answer

    @property
    def noise_bytes(self) -> int:
        return self._decoder.garbage_bytes

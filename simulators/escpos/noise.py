"""What the wire makes of the bytes that come in: some are lost, some arrive with a wrong parity.

Knows bytes and counts; a printer prints a question mark where parity was wrong.
"""

from __future__ import annotations

PARITY_ERROR = 0x3F


class Noise:
    def __init__(self) -> None:
        self._lose_after = self._lose = 0
        self._spoil = self._every = self._since = 0

    def lose(self, count: int, after: int) -> None:
        """The next `count` bytes after `after` good ones never arrive."""
        self._lose, self._lose_after = count, after

    def spoil(self, count: int, every: int) -> None:
        """Each `every`-th of the bytes to come is wrong, `count` in all."""
        self._spoil, self._every, self._since = count, every, 0

    def clear(self) -> None:
        self._lose = self._spoil = 0

    def names(self) -> list[str]:
        """What is still to come, for people."""
        return ["byte_loss"] * bool(self._lose) + ["parity_noise"] * bool(self._spoil)

    def heard(self, byte: int) -> int | None:
        """What arrives of a byte."""
        if self._lose:
            if self._lose_after == 0:
                self._lose -= 1
                return None
            self._lose_after -= 1
        if self._spoil:
            self._since += 1
            if self._since == self._every:
                self._spoil, self._since = self._spoil - 1, 0
                return PARITY_ERROR
        return byte

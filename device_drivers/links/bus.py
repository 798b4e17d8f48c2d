"""What all units of one line share beside the line: who is silent, how long nobody may speak, whether it hears itself.

Knows one SharedLine and numbers of units; must not know frames.
"""

from __future__ import annotations

from collections.abc import Hashable
from weakref import WeakKeyDictionary

from device_drivers.links.breaker import UnitBreaker
from device_drivers.links.line import SharedLine

BACK_OFF_FIRST_S = 0.5
BACK_OFF_LONGEST_S = 60.0


class Bus:
    """Found by `Bus.of(line)`, the same one for every driver on that line."""

    def __init__(self) -> None:
        self.hears_itself: bool | None = None  # RS-485 adapters may bring back what they send; None: not known yet
        self.timeouts = 0  # answers waited for in vain, by anybody on this line
        self.unread = bytearray()  # read, and belonging to nothing yet, where frames follow each other without silence
        self._transaction = self._generation = 0
        self._breakers: dict[Hashable, UnitBreaker] = {}
        self._quiet_until_s = 0.0

    @classmethod
    def of(cls, line: SharedLine) -> Bus:
        """The bus of a line."""
        return _buses.setdefault(line, cls())

    def breaker(
        self, unit: Hashable, *, first_s: float = BACK_OFF_FIRST_S, longest_s: float = BACK_OFF_LONGEST_S
    ) -> UnitBreaker:
        """The one breaker of a unit, made with the times of whoever asks first. Modbus units are named by number."""
        return self._breakers.setdefault(unit, UnitBreaker(first_s, longest_s))

    def opened(self, generation: int) -> None:
        """Told with each share of the line: after a new opening what was read before belongs to nothing."""
        if generation != self._generation:
            self._generation = generation
            self.unread.clear()

    def next_transaction(self) -> int:
        """A number for one request, 1 to 65535, that no other of the last 65534 had."""
        self._transaction = self._transaction % 0xFFFF + 1
        return self._transaction

    def owe_quiet(self, until_s: float) -> None:
        """A late answer may still come: nothing is to be sent before this time of the loop's clock."""
        self._quiet_until_s = max(self._quiet_until_s, until_s)

    def quiet_owed_s(self, now: float) -> float:
        """Seconds of silence still owed at this time."""
        return max(0.0, self._quiet_until_s - now)


_buses: WeakKeyDictionary[SharedLine, Bus] = WeakKeyDictionary()

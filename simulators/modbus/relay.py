"""A Waveshare Modbus RTU relay board with eight relays: every write is a pulse anew, group coils move everything.

Knows its coils; what hangs on a relay is told by who made a kind of it (`closed`). Source: devices.md section 2.4.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from simulators.modbus.unit import ILLEGAL_VALUE, ON, Refusal, Unit

CHANNELS = 8
FLASH_ON, FLASH_OFF, ALL, TOGGLE_ALL = 0x0200, 0x0400, 0x00FF, 0x01FF
STEP_S = 0.1


class Relay(Unit):
    """`stamped` is the ledger's act: a relay that closed, whoever asked for it."""

    OCCASIONS: ClassVar[Sequence[str]] = ("pulse",)

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.on = [False] * CHANNELS
        self.pulses = 0
        self._epochs = [0] * CHANNELS  # a newer switching ends an older pulse's claim

    def closed(self, channel: int, ms: int | None, now: float) -> None:
        """A relay closed, for a time that the board keeps or until it is switched: something on it moves."""
        self.tell("act", "stamped", {"channel": channel, "ms": ms}, now)

    def read_bits(self, table: str, address: int, count: int, now: float) -> Sequence[bool]:
        if table != "coils":
            raise Refusal(0x01)
        if address + count > CHANNELS:
            raise Refusal
        return self.on[address : address + count]

    def write_coil(self, address: int, value: int, now: float) -> None:
        """Plain, timed, or one of the group coils."""
        if address in {ALL, TOGGLE_ALL}:
            for channel in range(CHANNELS):
                self._set(channel, not self.on[channel] if address == TOGGLE_ALL else value == ON, now)
        elif address < CHANNELS:
            super().write_coil(address, value, now)
        elif FLASH_ON <= address < FLASH_ON + CHANNELS:
            self._flash(address - FLASH_ON, value, now)
        elif FLASH_OFF <= address < FLASH_OFF + CHANNELS:
            self._set(address - FLASH_OFF, False, now)
        else:
            raise Refusal

    def write_bits(self, address: int, values: Sequence[bool], now: float) -> None:
        """FC0F moves as many as it says."""
        if address + len(values) > CHANNELS:
            raise Refusal(ILLEGAL_VALUE)
        for channel, on in enumerate(values, start=address):
            self._set(channel, on, now)

    def power_lost(self, now: float) -> None:
        self.on = [False] * CHANNELS

    def state(self) -> dict[str, Any]:
        return {"on": list(self.on), "pulses": self.pulses}

    def snapshot(self) -> dict[str, Any]:
        """Relays stay as they are while this process is away; a pulse under way ends by then."""
        return {"pulses": self.pulses}

    def restore(self, saved: Mapping[str, Any], now: float) -> None:
        self.pulses = int(saved["pulses"])

    def _flash(self, channel: int, steps: int, now: float) -> None:
        """The board ends it itself. One that is on already is struck anew all the same: what hangs on it moves."""
        self.on[channel] = False
        self._set(channel, True, now, steps * 100)
        epoch = self._epochs[channel]
        self.agenda.at(now + steps * STEP_S, lambda at_s: self._end_flash(channel, epoch, at_s))

    def _end_flash(self, channel: int, epoch: int, now: float) -> None:
        if self._epochs[channel] == epoch and self.powered:
            self._set(channel, False, now)

    def _set(self, channel: int, on: bool, now: float, ms: int | None = None) -> None:  # noqa: FBT001 - a relay's state
        self._epochs[channel] += 1
        was, self.on[channel] = self.on[channel], on
        if on and not was:
            self.pulses += 1
            self.closed(channel, ms, now)
            self.count("pulse", self.pulses, now)


UNIT = Relay

"""One relay of a Waveshare Modbus RTU relay board, on for a time that the board keeps: which coil, which value.

Knows the board's own addresses; can name none that acts on more than one relay or board (PHY-3). Source: devices.md
section 2.4, vectors 3, 5, 7 and 9.
"""

from __future__ import annotations

from dataclasses import dataclass

from device_drivers.modbus.protocol import check_unit

CHANNELS = range(8)
STEP_MS = 100
PULSES_MS = range(STEP_MS, 0x7FFF * STEP_MS + 1)
FLASH_ON = 0x0200  # and the channel; 0400 is the opposite, 00FF and 01FF would be all of them


@dataclass(frozen=True, slots=True)
class Pulse:
    """One relay of one board, on for `ms`. Raises ValueError for anything else."""

    unit: int
    channel: int
    ms: int

    def __post_init__(self) -> None:
        check_unit(self.unit)
        if self.channel not in CHANNELS:
            raise ValueError(f"a board has channels 0 to 7, not {self.channel}")
        if self.ms not in PULSES_MS or self.ms % STEP_MS:
            raise ValueError(f"a pulse is a multiple of {STEP_MS} ms from {PULSES_MS[0]}, not {self.ms}")

    @property
    def coil(self) -> int:
        """The address that switches it on and, later, off again. A second writing is a second pulse."""
        return FLASH_ON + self.channel

    @property
    def steps(self) -> int:
        """The value to write there."""
        return self.ms // STEP_MS

"""The settings of one digit display: its address, its digits, and which of its two languages it is spoken to in.

Knows what a branch may configure; addresses that are everybody's cannot be written (PHY-3).
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from device_drivers.led485.protocol import DIGITS_MAX, UNITS
from device_drivers.modbus.settings import ModbusSettings
from device_drivers.screens.panels import Panel
from device_drivers.screens.settings import ScreenProfile


class Led485Profile(ScreenProfile):
    """A digit display above a window."""

    idle_text: str = Field(default="", max_length=DIGITS_MAX, description="A to Z, 0 to 9; empty: dark.")
    unit: int = Field(default=1, ge=UNITS[0], le=UNITS[-1], description="Its address; never 0.")
    digits: int = Field(default=6, ge=1, le=DIGITS_MAX, description="How many letters it has.")
    protocol: Literal["modbus", "ascii"] = Field(
        default="modbus", description="`modbus` acknowledges; `ascii` is never answered."
    )
    modbus: ModbusSettings = ModbusSettings(back_off_max_s=20.0)

    @property
    def panel(self) -> Panel:
        """One row of letters that need no words."""
        return Panel(self.digits, letters="segments")

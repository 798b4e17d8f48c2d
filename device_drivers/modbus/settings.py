"""How one Modbus unit is spoken to: framing, times and manners of its line, each with a safe default.

Knows what a branch may configure under a device; must not know which unit, nor where the configuration comes from.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from device_drivers.links.address import AddressError, parse_address
from device_drivers.links.modbus_address import ModbusTcpAddress
from device_drivers.links.serial import SerialAddress

CHARACTER_BITS = 11  # start, eight data bits, parity or second stop bit, stop (Modbus over Serial Line 1.02, 2.5.1)
FIXED_SILENCE_S = 0.00175  # above 19200 baud 3.5 characters are taken as 1.75 ms (1.02, 2.5.1.1)
Seconds = Annotated[float, Field(gt=0, le=60, allow_inf_nan=False)]


class ModbusSettings(BaseModel):
    """Of one unit. Units of one line share silences and back-off; give them the same values."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    framing: Literal["auto", "rtu", "tcp"] = Field(
        default="auto", description="auto: Modbus TCP for an address modbus://, RTU for every other."
    )
    baud: int = Field(
        default=9600,
        ge=300,
        le=1_000_000,
        description="Of the RS-485 side, for the silence between frames; a serial:// address says its own.",
    )
    answer_s: Seconds = Field(
        default=1.0,
        description="How long a unit may think; units need tens of milliseconds, serial servers hold bytes for 100."
        " The time of the bytes on the wire comes on top.",
    )
    gap_s: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] = Field(
        default=0.1, description="Silence after which a half answer to a question is given up."
    )
    late_s: Annotated[float, Field(ge=0, le=5, allow_inf_nan=False)] = Field(
        default=0.1, description="How long the line is left silent after an answer that did not come."
    )
    deadline_s: Seconds = Field(default=3.0, description="How long one question may take, with waiting and repeats.")
    back_off_s: Seconds = Field(
        default=0.5, description="How long a silent unit is left in peace, twice as long each further time."
    )
    back_off_max_s: Annotated[float, Field(gt=0, le=3600, allow_inf_nan=False)] = Field(
        default=60.0, description="The longest such time."
    )
    echo: bool | None = Field(
        default=None, description="Whether the RS-485 adapter brings back what it sends; unset: learned by a question."
    )

    @property
    def least_back_off_s(self) -> float:
        """Answers of two questions to a silent unit are so far apart that `RtuTalk.meet_again` can tell them apart."""
        return max(self.back_off_s, 3 * self.late_s)

    def is_tcp(self, address: str) -> bool:
        """Whether frames of Modbus TCP are meant on this address."""
        return isinstance(_parsed(address), ModbusTcpAddress) if self.framing == "auto" else self.framing == "tcp"

    def silence_s(self, address: str) -> float:
        """The silence before a frame on this address: 3.5 characters."""
        return silence_s(self._baud(address))

    def on_the_wire_s(self, address: str, characters: int) -> float:
        """How long so many characters take; they come on top of `answer_s`."""
        return characters * CHARACTER_BITS / self._baud(address)

    def _baud(self, address: str) -> int:
        parsed = _parsed(address)
        return parsed.baud if isinstance(parsed, SerialAddress) else self.baud


def silence_s(baud: int) -> float:
    """3.5 characters, as the standard counts them."""
    return FIXED_SILENCE_S if baud > 19200 else 3.5 * CHARACTER_BITS / baud


def _parsed(address: str) -> object:
    try:
        return parse_address(address)
    except AddressError:  # a test's link may call itself anything
        return None

"""The settings of a printer with a stamp: those of the printer, and which relay drives the stamp.

Knows what a branch may configure; a value that would move more than one relay is refused when it is loaded (PHY-3).
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic_core import PydanticCustomError

from device_drivers.ipp.profile import IppProfile
from device_drivers.kinds import BYTE_LINES
from device_drivers.links.address import parse_address
from device_drivers.modbus.settings import ModbusSettings


class StampProfile(BaseModel):
    """One relay of a Waveshare Modbus RTU relay board."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    address: str = Field(description="The board's line: serial:///dev/ttyUSB1?baud=9600 or tcp://192.0.2.11:4001.")
    unit: int = Field(default=1, ge=1, le=247, description="The board's Modbus address; never 0, which is all of them.")
    channel: int = Field(ge=0, le=7, description="The relay, counted from 0.")
    pulse_ms: int = Field(
        default=500, ge=100, le=5000, multiple_of=100, description="How long the board itself keeps the relay on."
    )
    act_max_s: Annotated[float, Field(gt=0, le=30, allow_inf_nan=False)] = Field(
        default=5.0,
        description="The longest that the stamp moves for one pulse; nothing is sent so long after a restart.",
    )
    drain_s: Annotated[float, Field(ge=0, le=60, allow_inf_nan=False)] = Field(
        default=3.0, description="How long a TCP serial server may still hold bytes of a dead connection."
    )
    modbus: ModbusSettings = Field(default_factory=ModbusSettings, description="How the board is spoken to.")

    @field_validator("address")
    @classmethod
    def _is_byte_line(cls, address: str) -> str:
        parse_address(address)
        if address.partition(":")[0] not in BYTE_LINES:
            raise PydanticCustomError("relay_line", "a relay board is reached by serial://, tcp:// or memory://")
        return address

    @property
    def settle_s(self) -> float:
        """The silence owed after a restart or a lost line (PHY-1)."""
        return self.act_max_s + (self.drain_s if self.address.startswith("tcp:") else 0.0)


class SealedProfile(IppProfile):
    """A document printer and the stamp that comes down on what lies in its tray."""

    stamp: StampProfile

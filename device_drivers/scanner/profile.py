"""The settings of one code scanner, each with its meaning, bounds and a safe default.

Knows what a branch may configure; scanners are set up by sheets of codes, so what they send is a setting here.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from device_drivers.scanner.protocol import BY_SILENCE, Decoder

Hex = Annotated[str, Field(pattern=r"^([0-9A-Fa-f]{2}( ?[0-9A-Fa-f]{2}){0,15})?$")]


class ScannerProfile(BaseModel):
    """A scanner on a serial line, as USB-CDC, or behind a TCP serial server."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    suffix_hex: Hex = Field(default="", description="The bytes behind each code; empty: CR, LF or both.")
    prefix_hex: Hex = Field(
        default="", description="Bytes before each code, no part of it; what lacks them is refused."
    )
    by_silence: bool = Field(default=False, description="It sends no suffix: a pause of gap_s ends a code.")
    gap_s: Annotated[float, Field(ge=0.05, le=5, allow_inf_nan=False)] = Field(
        default=0.3, description="Silence inside a code that breaks it; far longer than between two bytes."
    )
    max_bytes: int = Field(default=256, ge=4, le=4096, description="A longer line is no code.")
    encoding: Literal["utf-8", "gbk", "latin-1"] = Field(default="utf-8", description="Of letters beyond ASCII.")
    repeat_s: Annotated[float, Field(ge=0, le=60, allow_inf_nan=False)] = Field(
        default=2.0, description="The same code again within so long is the same scan: a scanner repeats what it sees."
    )
    shown: Literal["last4", "nothing", "whole"] = Field(
        default="last4", description="What people and the centre see of a code; whole only where none is personal."
    )
    serves: list[Annotated[str, Field(min_length=1, max_length=64)]] = Field(
        default_factory=list, max_length=32, description="Devices that a scan here may start; empty: all of the branch."
    )
    drain_s: Annotated[float, Field(ge=0, le=10, allow_inf_nan=False)] = Field(
        default=0.3, description="What comes within so long of opening the line was scanned while nobody listened."
    )

    def decoder(self) -> Decoder:
        """One for each opening of the line."""
        end = BY_SILENCE if self.by_silence else bytes.fromhex(self.suffix_hex)
        return Decoder(end, bytes.fromhex(self.prefix_hex), self.max_bytes)

"""The settings of one module of site inputs: which input is what, and the word for each of its two levels.

Knows what a branch may configure; must not know what anybody does about a door that is open.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic_core import PydanticCustomError

from device_drivers.modbus.settings import ModbusSettings
from device_drivers.site.words import WORDS, words_of

CHANNELS_MAX = 64


class Input(BaseModel):
    """One input: its number, and what it says while it is on and while it is off."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    channel: int = Field(ge=0, lt=CHANNELS_MAX, description="Counted from 0.")
    on: str = Field(description="What the input says while its bit is 1.")
    off: str = Field(description="What it says while its bit is 0.")


class SiteProfile(BaseModel):
    """A module with digital inputs, read by FC02 or FC01."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    unit: int = Field(default=1, ge=1, le=247, description="The module's Modbus address; never 0.")
    table: Literal["inputs", "coils"] = Field(default="inputs", description="FC02 reads inputs, FC01 coils.")
    first: int = Field(default=0, ge=0, le=0xFFFF - CHANNELS_MAX, description="Address of input 0.")
    inputs: dict[str, Input] = Field(min_length=1, max_length=CHANNELS_MAX, description="By XFS4IoT Auxiliaries name.")
    poll_s: Annotated[float, Field(ge=0.05, le=60, allow_inf_nan=False)] = Field(
        default=0.25, description="How often the inputs are looked at; a shorter press may be missed."
    )
    settle_s: Annotated[float, Field(ge=0, le=60, allow_inf_nan=False)] = Field(
        default=0.2, description="How long an input must hold still before its change is believed."
    )
    misses_max: int = Field(default=3, ge=1, le=100, description="Looks in a row without an answer until it is lost.")
    modbus: ModbusSettings = ModbusSettings()

    @field_validator("inputs")
    @classmethod
    def _says_known_words(cls, inputs: dict[str, Input]) -> dict[str, Input]:
        for name, one in inputs.items():
            known = words_of(name)
            if not known:
                text = "has an unknown name; known are {bound}, each also with _LABEL behind it"
                raise PydanticCustomError("input_name", text, {"bound": ", ".join(sorted(WORDS))})
            if one.on == one.off or not {one.on, one.off} <= known:
                text = "has an input whose two words are not two of {bound}"
                raise PydanticCustomError("input_words", text, {"bound": ", ".join(sorted(known))})
        if len({one.channel for one in inputs.values()}) < len(inputs):
            raise PydanticCustomError("input_shared", "has two names on one input: give each its own")
        return inputs

    @property
    def count(self) -> int:
        """How many inputs are read in one question."""
        return max(one.channel for one in self.inputs.values()) + 1

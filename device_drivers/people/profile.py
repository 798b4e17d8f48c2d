"""The settings of one people counter: which module, which inputs are which beam, and what is possible at the door.

Knows what a branch may configure; a direction that one beam alone would tell is refused when it is loaded.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from device_drivers.modbus.settings import ModbusSettings
from device_drivers.people.registers import MAPS, Map, WordOrder

CHANNELS_MAX = 32
_NAME = re.compile("(?:([a-z][a-z0-9_]{0,30})_)?(in|out|passages)")


class RegisterMap(BaseModel):
    """Counters of a module that is not among the known ones."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    table: Literal["holding", "input"] = Field(description="FC03 reads holding registers (4xxxx), FC04 input ones.")
    first: int = Field(ge=0, le=0xFFFF, description="Address of the first counter's first register, counted from 0.")
    words: Literal[1, 2] = Field(default=2, description="Registers of one counter: 1 is 16 bits, 2 are 32.")


class PeopleProfile(BaseModel):
    """Two beams at each door, counted by a pulse module."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    model: Literal["m7084", "adam605x", "other"] = Field(description="ICP DAS M-7084, Advantech ADAM-6050 or 6051.")
    registers: RegisterMap | None = Field(default=None, description="Where the counters of model other are.")
    unit: int = Field(default=1, ge=1, le=247, description="The module's Modbus address; never 0.")
    counts: dict[str, Annotated[int, Field(ge=0, lt=CHANNELS_MAX)]] = Field(
        min_length=1,
        max_length=16,
        description="Which input, from 0, counts what: in and out, or DOOR_in and DOOR_out, always both; passages or "
        "DOOR_passages where one beam stands alone.",
    )
    word_order: WordOrder = Field(
        default="low_first", description="Which word of 32 bits comes first; the module's setting, see commissioning."
    )
    preset: int = Field(default=0, ge=0, lt=1 << 32, description="What the module's counters show after a clearing.")
    max_per_s: Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)] = Field(
        default=5.0, description="How many can pass one beam in a second; more is no counting."
    )
    away_max_h: Annotated[float, Field(gt=0, le=2000, allow_inf_nan=False)] = Field(
        default=72.0, description="The longest that the gateway is expected to be away while people pass."
    )
    modbus: ModbusSettings = ModbusSettings()

    @field_validator("counts")
    @classmethod
    def _has_both_beams(cls, counts: dict[str, int]) -> dict[str, int]:
        for name in counts:
            match = _NAME.fullmatch(name)
            if match is None:
                text = "has {bound}, which is none of in, out, passages, DOOR_in, DOOR_out, DOOR_passages"
                raise PydanticCustomError("count_name", text, {"bound": repr(name)})
            other = name.removesuffix(match[2]) + {"in": "out", "out": "in"}.get(match[2], match[2])
            if other not in counts:
                text = "has one beam without {bound}: it tells no direction; add the other, or name it passages"
                raise PydanticCustomError("count_one_beam", text, {"bound": repr(other)})
        if len(set(counts.values())) < len(counts):
            raise PydanticCustomError("input_shared", "has two names on one input: give each its own")
        return counts

    @model_validator(mode="after")
    def _fits_the_module(self) -> PeopleProfile:
        if (self.model == "other") != (self.registers is not None):
            text = "has registers beside a known model, or model other without any: give one of the two"
            raise PydanticCustomError("registers_for_other", text)
        if max(self.counts.values()) >= self.map.channels:
            text = "names an input that this module lacks; its last one is {bound}"
            raise PydanticCustomError("input_missing", text, {"bound": self.map.channels - 1})
        return self

    @property
    def map(self) -> Map:
        """Where the counters are."""
        if self.registers is None:
            return MAPS[self.model]
        return Map(self.registers.table, self.registers.first, self.registers.words, CHANNELS_MAX)

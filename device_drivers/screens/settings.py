"""The settings that every kind of screen has, and the check that its idle text can be shown there.

Knows what a branch may configure; must not know wire protocols.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from device_drivers.screens.faces import Unshowable, face_of
from device_drivers.screens.notices import Board
from device_drivers.screens.panels import Panel

Seconds = Annotated[float, Field(gt=0, le=60, allow_inf_nan=False)]


class ScreenProfile(BaseModel):
    """What screens have in common."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    idle_text: str = Field(default="欢迎光临", max_length=400, description="What it shows while nothing is called.")
    drain_s: Annotated[float, Field(ge=0, le=60, allow_inf_nan=False)] = Field(
        default=3.0, description="How long a TCP serial server may still hold bytes of a dead connection."
    )

    @property
    @abstractmethod
    def panel(self) -> Panel:
        """The screen's limits."""

    @model_validator(mode="after")
    def _idle_text_fits(self) -> ScreenProfile:
        try:
            face_of(Board(), self.panel, self.idle_text)
        except Unshowable as no:
            raise PydanticCustomError(
                "idle_text_unshowable", "the screen cannot show its idle text: shorten it"
            ) from no
        return self

"""The settings of one screen behind a BX-6 controller: its address, the area that we write on, colours and answers.

Knows what a branch may configure; addresses that are everybody's cannot be written (PHY-3).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from device_drivers.bx6.commands import GREEN, IN_PIXELS, MAX_TEXT_BYTES, RED, YELLOW, Area
from device_drivers.bx6.protocol import ANY_TYPE, HOST, SCREENS
from device_drivers.screens.panels import Letters, Panel
from device_drivers.screens.settings import ScreenProfile

Measure = Annotated[int, Field(ge=0, le=4095)]
Byte = Annotated[int, Field(ge=0, le=255)]
Colour = Literal["red", "green", "yellow", "none"]
COLOURS = {"red": RED, "green": GREEN, "yellow": YELLOW, "none": b""}


class Bx6Profile(ScreenProfile):
    """A screen in the hall, or a large one above a window."""

    unit: int = Field(default=1, ge=SCREENS[0], le=SCREENS[-1], description="The screen's address.")
    sender: int = Field(default=HOST, ge=0, le=0xFFFF, description="What we call ourselves: 32768, or 32769.")
    device_type: Byte = Field(default=ANY_TYPE, description="254 is any controller, 97 a BX-6K1.")
    x: Measure = 0
    y: Measure = 0
    width: Annotated[int, Field(ge=1, le=4095)] = Field(default=16, description="Of the area that we write on.")
    height: Annotated[int, Field(ge=1, le=4095)] = Field(default=8, description="Of the area that we write on.")
    pixels: bool = Field(default=False, description="x, y, width and height count pixels, not units of eight.")
    area: Byte = Field(default=0, description="The number of the dynamic area.")
    letter_pixels: Literal[16, 24, 32] = Field(default=16, description="How high the controller's letters are.")
    letters: Letters = Field(default="gb2312", description="`gbk` where the controller's letters go that far.")
    calls: int = Field(default=1, ge=1, le=16, description="Calls at once, the newest on top: 1 above a window.")
    pages: int = Field(default=1, ge=1, le=8, description="Screens full that it may show in turn.")
    page_half_s: Byte = Field(default=5, description="How long each page stays, in half seconds.")
    effect: Byte = Field(default=1, description="1 stands still, 2 appears at once, 3 to 6 comes from a side.")
    colour: Colour = Field(default="green", description="`none` sends no colour.")
    urgent_colour: Colour = Field(default="red", description="Of an urgent call or text.")
    answers: bool = Field(default=True, description="Whether it answers; its answers say that it is there, no more.")
    answer_s: Annotated[float, Field(gt=0, le=5, allow_inf_nan=False)] = Field(
        default=1.0, description="How long an answer is waited for."
    )

    @property
    def panel(self) -> Panel:
        """As many letters as the area holds."""
        scale = 1 if self.pixels else 8
        columns, rows = self.width * scale * 2 // self.letter_pixels, self.height * scale // self.letter_pixels
        return Panel(columns, rows, self.letters, self.pages, calls=self.calls, without="\\")

    @property
    def dynamic_area(self) -> Area:
        """As the controller is told of it."""
        unit = IN_PIXELS if self.pixels else 0
        x, y, width, height = (value | unit for value in (self.x, self.y, self.width, self.height))
        many = self.panel.rows > 1 or self.pages > 1
        lines, wrap = (2, 2) if many else (1, 1)
        return Area(width, height, x, y, self.area, 0, lines, wrap, effect=self.effect, stay=self.page_half_s)

    @model_validator(mode="after")
    def _area_holds_something(self) -> Bx6Profile:
        panel = self.panel
        if panel.columns < 4 or panel.rows < self.calls:
            raise PydanticCustomError("area_too_small", "the area holds too few letters: make it larger")
        if (panel.columns + 3) * panel.rows * panel.pages > MAX_TEXT_BYTES:
            raise PydanticCustomError("area_too_large", "the area holds too many letters: make it smaller")
        return self

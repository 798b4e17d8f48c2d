"""The settings of one strip screen: its address, how many letters it has, and the bytes that no source names.

Knows what a branch may configure; the address of every screen cannot be written (PHY-3).
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from device_drivers.screens.panels import Letters, Panel
from device_drivers.screens.settings import ScreenProfile
from device_drivers.strip.protocol import MAX_TEXT_BYTES, Check, Style

Byte = Annotated[int, Field(ge=0, le=0xFE)]


class StripProfile(ScreenProfile):
    """A strip screen above a window."""

    unit: int = Field(default=1, ge=1, le=254, description="Its address on the line; 255 would be every screen.")
    columns: int = Field(default=16, ge=4, le=80, description="ASCII letters at once; Chinese ones are half as many.")
    letters: Letters = Field(default="gbk", description="`gb2312` where its letters end there.")
    check: Check = Field(
        default="sum_excludes_tail", description="How the check byte is added up; some screens want the tail in it."
    )
    play: Byte = Field(default=0x01, description="The play type of a text that stands still.")
    scroll_play: Byte | None = Field(
        default=None, description="The play type of one that runs through; unset: a text that is too wide is refused."
    )
    speed: Byte = Field(default=0x00, description="As captured from bank code, like the next three.")
    stop: Byte = Field(default=0x00, description="The stop time.")
    colour: Byte = Field(default=0x02, description="One-colour screens ignore it.")
    urgent_colour: Byte | None = Field(default=None, description="Of an urgent call or text; unset: as the others.")
    valid: Byte = Field(default=0x63, description="The valid time.")

    @property
    def panel(self) -> Panel:
        """One row, one call."""
        scroll_columns = 0 if self.scroll_play is None else MAX_TEXT_BYTES
        return Panel(self.columns, letters=self.letters, scroll_columns=scroll_columns)

    def style(self, *, scrolls: bool, urgent: bool) -> Style:
        """The bytes before the text."""
        play = self.scroll_play if scrolls and self.scroll_play is not None else self.play
        colour = self.urgent_colour if urgent and self.urgent_colour is not None else self.colour
        return Style(play, self.speed, self.stop, colour, self.valid)

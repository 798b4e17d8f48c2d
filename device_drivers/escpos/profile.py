"""The settings of one receipt printer: everything that manuals leave open, with safe defaults.

Knows what a branch may configure and refuses what would be dangerous; must not know where the configuration comes from.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from device_drivers.receipts.paper import Paper

Seconds = Annotated[float, Field(gt=0, le=600, allow_inf_nan=False)]
BAND_ROWS = 24  # an image goes as bands of at most so many dot rows: what a half-fed printer may still eat is bounded
RASTER_HEAD = 8
FORBIDDEN = (b"\x10\x04", b"\x10\x05", b"\x10\x14")  # executed on reception wherever they stand, in an image too


def _harmless_hex(text: str) -> str:
    try:
        data = bytes.fromhex(text)
    except ValueError:
        raise PydanticCustomError("no_hex", "is not bytes in hex: write them like 1D 65 03") from None
    # A 10 at the end, or the other half at the beginning, could become one of them with its neighbour.
    if any(pair in b"\x10" + data + b"\x05" for pair in FORBIDDEN if data):
        raise PydanticCustomError("hex_acts_at_once", "holds 10 04, 10 05 or 10 14, which act at once: leave it out")
    return text


Hex = Annotated[str, Field(max_length=120), AfterValidator(_harmless_hex)]


class EscPosProfile(BaseModel):
    """A receipt or ticket printer that speaks ESC/POS."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    columns: int = Field(default=48, ge=16, le=96, description="ASCII letters of size 1 on a line: 48 on 80 mm paper.")
    dots: int = Field(default=576, ge=128, le=1024, description="Dots that the head prints on a line.")
    process_id: Literal["probe", "yes", "no"] = Field(
        default="probe", description="Whether it answers process IDs, the proof of printing; `probe` finds out."
    )
    cutter_counter: bool = Field(
        default=False, description="Whether it counts its cuts (GS g 2, counter 178); only where its manual lists it."
    )
    asb_mask: int = Field(
        default=0x0E, ge=0, le=255, description="What it tells by itself (GS a): 14 online, error, paper; 0 nothing."
    )
    presenter: bool = Field(default=False, description="Whether it holds a ticket in its mouth and tells when taken.")
    pulse: bool = Field(
        default=True,
        description="Whether it is asked behind each chunk if it is still there; off only where it cannot answer then.",
    )
    xon_tells_power: bool = Field(
        default=True,
        description="Whether an XON that follows no XOFF says that its power came back; off where it repeats XON.",
    )
    port_status: bool = Field(
        default=True, description="Whether a USB port's status is to be believed; some always report an error."
    )
    near_end: bool = Field(default=True, description="Whether its paper near-end sensor is to be believed.")
    cut: Literal["full", "partial"] = Field(
        default="partial", description="The cut that it can do; `partial` also where a template asks for a full one."
    )
    feed_before_cut_lines: int = Field(default=4, ge=0, le=20, description="Lines from the head to the knife.")
    chinese_on_hex: Hex = Field(default="1C 26", min_length=2, description="What turns two-byte letters on (FS &).")
    eject_hex: Hex = Field(default="", description="Sent behind the cut of a sheet, where a presenter needs it.")
    retract_hex: Hex = Field(
        default="", description="Takes back what lies in the mouth: sent behind the cut of a void slip, and before it."
    )
    code_page: int | None = Field(default=None, ge=0, le=255, description="ESC t n; not sent unless given.")
    max_chunk_bytes: int = Field(
        default=2048, ge=256, le=65536, description="At most so many bytes between two looks at what the printer says."
    )
    resync_bytes: int = Field(
        default=3072,
        ge=256,
        le=16384,
        description="Zeros that end whatever a half-fed printer waits for. No command is longer than this.",
    )
    rows_per_s: int = Field(default=400, ge=50, le=4000, description="Dot rows that it prints in a second, at least.")
    # No one wait may outlast the round in which a lane must come back to its watchdog (120 s and some settlings).
    act_max_s: Annotated[float, Field(gt=0, le=120, allow_inf_nan=False)] = Field(
        default=20.0,
        description="The longest that one sheet takes from its last byte on, at most 120. Nothing is asked for so "
        "long after a restart or a lost line.",
    )
    drain_s: Annotated[float, Field(ge=0, le=60, allow_inf_nan=False)] = Field(
        default=3.0, description="How long a TCP serial server may still hold bytes of a dead connection, at most 60."
    )
    answer_s: Annotated[float, Field(gt=0, le=5, allow_inf_nan=False)] = Field(
        default=0.5, description="How long the answer to a question may take; what is silent longer does not know it."
    )
    quiet_s: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] = Field(
        default=0.02, description="Silence that makes the line count as drained before a question."
    )
    poll_s: Seconds = Field(default=0.5, description="How often it is asked while paper or customer is awaited.")
    take_min_s: Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)] = Field(
        default=20.0, description="The customer's least time to take a ticket when the wait is resumed, at most 100."
    )

    @model_validator(mode="after")
    def _a_band_fits(self) -> EscPosProfile:
        if self.band_bytes > self.resync_bytes:
            text = "a band of an image has {bound} bytes: make resync_bytes at least that"
            raise PydanticCustomError("resync_too_short", text, {"bound": self.band_bytes})
        return self

    @property
    def band_bytes(self) -> int:
        """The longest band of an image, its head included."""
        return RASTER_HEAD + BAND_ROWS * ((self.dots + 7) // 8)

    @property
    def paper(self) -> Paper:
        """What a sheet is composed for."""
        return Paper(self.columns, self.dots)

    def settle_s(self, *, is_tcp: bool) -> float:
        """The silence owed after a restart, a lost line or a timeout (PHY-1)."""
        return self.act_max_s + (self.drain_s if is_tcp else 0.0)

"""The settings of one banknote counter, each with its meaning, bounds and a safe default.

Knows what a branch may configure; what manuals leave open is a setting here.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

BATCH_MAX = 2000  # a batch is told in one event, whose notes must fit into 256 KiB


class BanknoteProfile(BaseModel):
    """A counter that sends the live frame `AE AE AE AE` for each note."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    currency: str = Field(default="CNY", pattern="^[A-Z]{3}$", description="What is paid out here.")
    batch_gap_s: Annotated[float, Field(ge=0.2, le=30, allow_inf_nan=False)] = Field(
        default=2.0, description="Silence that ends a batch; longer than the counter pauses between two notes."
    )
    numbered: bool = Field(
        default=True,
        description="The counter numbers the notes of a batch from 1 (the frame's count field): a gap is a lost note "
        "and makes the batch void. False only for a counter that writes something else there.",
    )
    batch_max: int = Field(default=1000, ge=1, le=BATCH_MAX, description="Notes of one batch; more make it void.")

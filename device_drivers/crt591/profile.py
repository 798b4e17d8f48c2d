"""The settings of one card dispenser, each with its meaning, bounds and a safe default.

Knows what a branch may configure; must not know where the configuration comes from.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from device_drivers.crt591.protocol import UNIT_MAX

Seconds = Annotated[float, Field(gt=0, le=600, allow_inf_nan=False)]


class Crt591Profile(BaseModel):
    """A CRT-591, CRT-571, Mingte F3 or MTK-F31 on one address of a line."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    unit: int = Field(
        default=0,
        ge=0,
        le=UNIT_MAX,
        description="Address set by the DIP switch (all ON is 0, all OFF is 15); one unit only.",
    )
    # No one wait may outlast the round in which a lane must come back to its watchdog (120 s and some settlings).
    act_max_s: Annotated[float, Field(gt=0, le=120, allow_inf_nan=False)] = Field(
        default=15.0,
        description="The longest the machine moves for one act, at most 120. Nothing is asked for so long after a "
        "restart or a lost line, and 'not done' is believed only from two equal readings this far apart. Too short "
        "costs cards.",
    )
    drain_s: Annotated[float, Field(ge=0, le=60, allow_inf_nan=False)] = Field(
        default=3.0,
        description="How long a TCP serial server may still hold bytes of a dead connection, at most 60; added to "
        "act_max_s.",
    )
    ack_timeout_s: Seconds = Field(
        default=0.3, description="Silence after which a question is sent again (manual: 300 ms)."
    )
    question_timeout_s: Seconds = Field(
        default=2.0, description="How long the answer to a question may take after its ACK."
    )
    quiet_s: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] = Field(
        default=0.02,
        description="Silence that makes the line count as drained before a request, and lets a half frame go.",
    )
    poll_s: Seconds = Field(default=0.5, description="How often the gate is looked at while the customer is awaited.")
    take_min_s: Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)] = Field(
        default=20.0,
        description="The customer's least time to take a card when the wait is resumed after a restart, at most 100; "
        "no card is captured sooner after one.",
    )
    bin_high_count: int = Field(
        default=20, ge=1, le=999, description="From this many retained cards on the error bin is told as 'high'."
    )

    def settle_s(self, *, is_tcp: bool) -> float:
        """The silence owed after a restart, a lost line or a timeout (PHY-1)."""
        return self.act_max_s + (self.drain_s if is_tcp else 0.0)

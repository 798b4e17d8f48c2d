"""The settings of one document printer, each with its meaning, bounds and a safe default.

Knows what a branch may configure; must not know where the configuration comes from.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Seconds = Annotated[float, Field(gt=0, le=60, allow_inf_nan=False)]
MIB = 1024 * 1024


class IppProfile(BaseModel):
    """A printer that speaks IPP 1.1 or 2.0 (IPP Everywhere, AirPrint, or a CUPS queue)."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    # An act and the asking after it must both fit into the round in which a lane comes back to its watchdog (120 s).
    act_max_s: Annotated[float, Field(gt=0, le=50, allow_inf_nan=False)] = Field(
        default=40.0,
        description="How long one job is waited for, at most 50, and once more as long when it is asked after. A job "
        "that takes longer is in doubt until the printer tells its end; it is never sent twice.",
    )
    settle_s: Seconds = Field(
        default=2.0,
        description="Silence after a restart or a lost line. It may be short: a job outlives the connection, and "
        "asking disturbs no printer.",
    )
    incoming_s: Seconds = Field(
        default=5.0,
        description="A job that still waits for its document so long after it was found is cancelled: nobody sends "
        "the rest.",
    )
    answer_s: Seconds = Field(default=5.0, description="How long an answer may take.")
    poll_s: Seconds = Field(default=1.0, description="How often a job under way is asked after.")
    history_s: Annotated[float, Field(ge=0, le=31_536_000, allow_inf_nan=False)] = Field(
        default=0.0,
        description="How long the printer surely lists jobs that ended. Only within it does a job's absence prove that "
        "nothing was printed; 0: it never does, and people decide.",
    )
    queue_max: int = Field(
        default=0,
        ge=0,
        le=1000,
        description="As many jobs of others may wait before ours; 0: the printer must be idle.",
    )
    jobs_max: int = Field(
        default=500, ge=10, le=5000, description="So many jobs are asked for at once when one is looked for by name."
    )
    document_max_mib: int = Field(default=32, ge=1, le=256, description="A larger document is refused.")
    sides: str | None = Field(
        default=None,
        pattern=r"^(one-sided|two-sided-long-edge|two-sided-short-edge)$",
        description="IPP `sides`; the printer's own default unless given.",
    )
    media: str | None = Field(
        default=None,
        pattern=r"^[a-z0-9][a-z0-9_.-]{0,120}$",
        description="IPP `media`, such as iso_a4_210x297mm; the printer's own default unless given.",
    )

    @property
    def document_bytes_max(self) -> int:
        """`document_max_mib` in bytes."""
        return self.document_max_mib * MIB

    @property
    def template(self) -> dict[str, str]:
        """The job attributes that every job is created with."""
        return {key: value for key, value in (("sides", self.sides), ("media", self.media)) if value is not None}

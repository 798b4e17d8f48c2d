"""What a step is made from and a driver must be handed: the sheet to print, or a document that was fetched for it.

Declares who brings it, so that a lane need not know where it comes from; knows no template, no file and no address.
"""

from __future__ import annotations

from typing import Any, Protocol

from edge_agent.orders.rows import OrderRow, StepRow


class NotReady(Exception):
    """It cannot be brought now. `waits_for`: "remote" (it is still being fetched), or "never": the step is given up."""

    def __init__(self, reason: str, detail: str = "", *, waits_for: str = "remote") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail
        self.waits_for = waits_for


class Materials(Protocol):
    """Handed to each lane. What it returns joins the params of `arm` and `act` (see `device.Driver`)."""

    async def gather(self, order: OrderRow, step: StepRow, attempt: str, reprint: int) -> dict[str, Any]:
        """{"sheet": ...}, {"document": ...} or {} for that attempt. Raises NotReady."""
        ...


class NoMaterials:
    """A lane whose steps need nothing brought."""

    async def gather(self, order: OrderRow, step: StepRow, attempt: str, reprint: int) -> dict[str, Any]:
        return {}

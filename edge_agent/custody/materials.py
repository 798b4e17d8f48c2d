"""What a printing step is handed: the sheet's template with its values, or the document that was fetched for it.

Knows steps, orders and the branch; must not know how anything is laid out, fetched or printed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edge_agent.clock import Clock
from edge_agent.custody.documents import Documents
from edge_agent.journal.journal import Journal, Tx
from edge_agent.orders.forms import form
from edge_agent.orders.rows import OrderRow, StepRow


class PrintMaterials:
    """Implements `fleet.materials.Materials` for all lanes of a branch."""

    def __init__(self, journal: Journal, clock: Clock, documents: Documents, branch: str, branch_name: str) -> None:
        self._journal = journal
        self._clock = clock
        self._documents = documents
        self._branch = {"branch": branch, "branch_name": branch_name or branch}

    async def gather(self, order: OrderRow, step: StepRow, attempt: str, reprint: int) -> dict[str, Any]:
        """Raises NotReady."""
        if step.document is not None:
            return {"document": await self._documents.bring(order.id, step.document)}
        if (number := step.template_form) is None:
            return {}
        customer, template = self._journal.glance(lambda tx: (_customer(tx, order.id), form(tx, number)))
        values = as_values(order.parameters) | self._branch | self._now()
        values |= {"order": order.id, "attempt": attempt, "customer": customer}
        return {"sheet": {"template": template, "values": values}}

    def _now(self) -> dict[str, str]:
        """The wall's time where the branch stands."""
        date, time = self._clock.now().astimezone().isoformat("T", "seconds")[:19].split("T")
        return {"date": date, "time": time}


def _customer(tx: Tx, order_id: str) -> str:
    row = tx.one("SELECT customer FROM orders WHERE id = ?", order_id)
    return str(row[0]) if row else ""


def as_values(parameters: Mapping[str, Any]) -> dict[str, str]:
    """Parameters as a template takes them: text as it is, flags "true" or "false", numbers without a needless part."""
    return {name: _as_text(value) for name, value in parameters.items()}


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)

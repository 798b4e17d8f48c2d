"""The audit chain over the local API: for whoever may read who did what, and wants to prove it elsewhere.

Knows routes; how rows are chained is the audit's affair.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import Query

from edge_agent.audit import chain, paging
from edge_agent.panel.branch import House
from edge_agent.panel.gate import Table
from edge_agent.people.roles import Right


def routes(table: Table, house: House) -> None:
    """Declares them."""

    @table.route("GET", "/audit", Right.AUDIT)
    async def rows(
        after: Annotated[int, Query(ge=0, le=2**53)] = 0, limit: Annotated[int, Query(ge=1, le=500)] = 100
    ) -> dict[str, Any]:
        """Rows behind `after`, oldest first, each with its hash; `next` is the `after` of the page behind.

        `before` is what the first row hangs on: whoever kept the last row of an earlier page compares it.
        """
        return await house.journal.read(lambda tx: paging.page(tx, after, limit))

    @table.route("GET", "/audit/head", Right.AUDIT)
    async def head() -> dict[str, Any]:
        """The newest row's number and hash: worth keeping elsewhere."""
        found = await house.journal.read(chain.head)
        return {"journal": house.journal.id, "head": asdict(found)}

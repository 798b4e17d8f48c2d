"""Adopting a branch's new journal (ORD-12): the centre says which orders it holds for the branch.

Knows the retained birth, where the journal's id stands; the count at the machines is people's work.
"""

from __future__ import annotations

from collections.abc import Sequence

from central_scheduler.console import values
from central_scheduler.console.desk import Desk, answered, branch_line
from central_scheduler.console.orders import reply_json
from central_scheduler.console.problem import Exit, Problem
from cloud_bridge.messages.reports import Death, Session


async def adopt(desk: Desk, orders: Sequence[str]) -> int:
    """Adopts the journal of the branch's last birth; adopted already is fine too."""
    for order in orders:
        values.order_id(order, desk.words("label.order"))
    async with branch_line(desk, {"session"}) as scheduler:
        sessions = [heard.data for heard in await scheduler.kept() if isinstance(heard.data, Session | Death)]
        if not sessions:
            raise Problem(Exit.NOT_FOUND, "no_adoption", branch=scheduler.branch)
        session = sessions[-1]
        places = {"journal": session.journal, "branch": scheduler.branch}
        if isinstance(session, Session) and session.adopted:
            desk.screen.say(desk.words("console.already_adopted", **places))
            if desk.screen.as_json:
                desk.screen.json({"journal": session.journal, "adopted": True, "already": True})
            return Exit.OK
        asking = scheduler.adopt(session.journal, list(orders), **desk.how())
        reply = await answered(desk, scheduler, asking)
    desk.screen.say(desk.words("console.adopted", count=len(orders), **places))
    if desk.screen.as_json:
        desk.screen.json(reply_json(reply))
    return Exit.OK

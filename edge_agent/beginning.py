"""What a start writes into its journal before anything runs: that it began, and what it found there.

Knows what must be told and shut at once; must not know lanes, links nor who is started afterwards.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from edge_agent.clock import Clock
from edge_agent.journal.journal import Journal
from edge_agent.journal.tx import Tx
from edge_agent.orders import course
from edge_agent.orders.adopting import adopt
from edge_agent.orders.attesting import attested, newest_trusted
from edge_agent.orders.desk import JOURNAL_CHANGED
from edge_agent.orders.lost_end import doubt_all
from edge_agent.orders.reading import open_orders, orders_at
from edge_agent.orders.record import remember, set_lane
from edge_agent.orders.rows import LaneRow
from edge_agent.settings import Settings


def begin(tx: Tx, journal: Journal, clock: Clock, settings: Settings) -> None:
    """Tells that the agent started; adopts a first journal where the configuration says so (ORD-12)."""
    clock.begin_after(newest_trusted(tx))
    clock.believe(attested(tx))
    what = "created" if journal.is_new else "started"
    facts: dict[str, Any] = {"epoch": journal.epoch, "clock": clock.grade().value}
    if journal.orphans:
        facts["orphans"] = journal.orphans
    if journal.quarantined:
        facts["quarantined"] = True
    if journal.lost_end:
        facts["lost_end"] = True
        doubt_all(tx)
    tx.emit(JOURNAL_CHANGED, None, {"what": what, "facts": facts})
    served = {device.id for device in settings.device}
    say_removed(tx, {order.device for order in open_orders(tx) if order.device and order.device not in served})
    for orphan in sorted(journal.orphans, key=lambda entry: int(entry.get("after", 0))):
        remember(tx, orphan["device"], orphan.get("memory") or {})
        set_lane(tx, LaneRow(orphan["device"], shut=True, reason="journal_lost", attempt=orphan["attempt"]))
    if journal.is_new and settings.journal.adoption == "automatic" and not journal.orphans and not journal.quarantined:
        adopt(tx, [], "/configuration")


def say_removed(tx: Tx, devices: Collection[str]) -> None:
    """Of orders whose turn is at a device that was taken out of the configuration, or renamed: no lane says it."""
    for device in devices:
        for order in orders_at(tx, device):
            course.wait(tx, order, "device", "device_removed")

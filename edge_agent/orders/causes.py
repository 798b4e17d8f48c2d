"""Why a doubt arose: what people are told where the device itself can only say that nothing proves the outcome.

Knows reasons of steps and orders; must not know what a verdict makes of either.
"""

from __future__ import annotations

from dataclasses import replace

from device_drivers.device import Verdict
from edge_agent.orders.rows import OrderRow, StepRow
from edge_agent.orders.states import Order, Step

UNPROVEN = "unproven"
_NO_CAUSE = frozenset({"", UNPROVEN, "restarted"})  # that the agent was away is none of the device's troubles


def named(order: OrderRow, step: StepRow, verdict: Verdict) -> Verdict:
    """The verdict with the doubt's cause as its reason, and its own word among the facts, where the cause is known.

    That is what the device told when the doubt arose, else why it was waited for since.
    """
    if step.state is not Step.IN_DOUBT or verdict.reason != UNPROVEN:
        return verdict
    away = order.reason if order.state is Order.WAITING and order.waiting_for == "device" else ""
    cause = next((reason for reason in (step.reason, away) if reason not in _NO_CAUSE), "")
    if not cause or step.reason == "restarted":
        return verdict
    return replace(verdict, reason=cause, facts={**verdict.facts, "verdict": UNPROVEN})

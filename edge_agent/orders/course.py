"""The course of an order in one place: every decision that a lane, the door or the clock may ask for.

Each is one function inside a caller's transaction; what each decides stands in the module that it comes from.
"""

from __future__ import annotations

from edge_agent.orders.arming import NotNow, arm
from edge_agent.orders.commands import expire, hold, release, stop
from edge_agent.orders.lacking import can_lack, go_without
from edge_agent.orders.outcomes import acting, doubt, give_up, prove, settle, settle_attempt, unneeded
from edge_agent.orders.people import asks, choices_for, decide
from edge_agent.orders.turns import advance, go_on, next_step, past_return, tell_queue, wait, wait_before

__all__ = [
    "NotNow",
    "acting",
    "advance",
    "arm",
    "asks",
    "can_lack",
    "choices_for",
    "decide",
    "doubt",
    "expire",
    "give_up",
    "go_on",
    "go_without",
    "hold",
    "next_step",
    "past_return",
    "prove",
    "release",
    "settle",
    "settle_attempt",
    "stop",
    "tell_queue",
    "unneeded",
    "wait",
    "wait_before",
]

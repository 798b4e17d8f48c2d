"""What the events of orders say, one after another: which state each order, step and attempt was told to be in.

Knows the tables of states and the form of three events; must not know the rows that they tell of.
"""

from __future__ import annotations

import json
from typing import Any

from edge_agent.orders.record import ORDER_CHANGED, STEP_CHANGED
from edge_agent.orders.states import ForbiddenChange, Order, Step, order_change, step_change

_KEEPS_ATTEMPT = frozenset({Step.SKIPPED, Step.COMPENSATED})


class History:
    """Hand it every row in order."""

    def __init__(self) -> None:
        self.orders: dict[str, str] = {}
        self.steps: dict[str, str] = {}
        self.attempts: dict[str, str] = {}

    def take(self, type_: str, text: str) -> str:
        """Why it does not follow from what was told before, or an empty string."""
        try:
            data = json.loads(text)
            if type_ == ORDER_CHANGED:
                return self._order(data)
            return self._step(data) if type_ == STEP_CHANGED else ""
        except (ValueError, KeyError, TypeError) as error:
            return f"{type(error).__name__}: {error}"

    def _order(self, data: dict[str, Any]) -> str:
        key, was, to = data["order"], data.get("from"), data["to"]
        told, self.orders[key] = self.orders.get(key), to
        if told is not None and was != told:
            return f"{key}: {was}, told {told}"
        return _allowed(lambda: order_change(Order(was), Order(to))) if was is not None else ""

    def _step(self, data: dict[str, Any]) -> str:
        key, was, to = f"{data['order']}/{data['step']}", data["from"], data["to"]
        told, self.steps[key] = self.steps.get(key), to
        if "attempt" in data and to not in _KEEPS_ATTEMPT:
            self.attempts[data["attempt"]] = to
        if told is not None and was != told:
            return f"{key}: {was}, told {told}"
        return _allowed(lambda: step_change(Step(was), Step(to)))


def _allowed(change: Any) -> str:
    try:
        change()
    except ForbiddenChange as forbidden:
        return str(forbidden)
    return ""

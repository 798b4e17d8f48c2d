"""The people of the demo's branch: asked about an act, they look at the machine itself and say what they see there.

Knows machines as eyes know them (where a card is, which sheets came out); must not know the plan, nor what was told.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

from central_scheduler.demo.house import House
from central_scheduler.demo.machines import RECEIPT
from central_scheduler.orderbook import OrderView, Question
from cloud_bridge.messages.words import Choice

LOOKS, BETWEEN_S = 5, 1.0  # paper may still be coming out, a card still be moving
PRINTS = "print_receipt"
# The act that is in doubt -> where the card then is -> what that shows; nowhere is None.
SEEN: dict[str, dict[str | None, Choice]] = {
    "draw_card": {None: Choice.NO_EFFECT, "ic": Choice.DONE, "rf": Choice.DONE},
    "present_card": {None: Choice.DONE, "gate": Choice.DONE, "ic": Choice.NO_EFFECT, "rf": Choice.NO_EFFECT},
}
# What people say of anything else: it is done by hand, or kept from being repeated.
OTHERWISE = (Choice.BY_HAND, Choice.FAILED, Choice.SKIP)


class Staff:
    """`look` gives a choice that the question offers; None when it offers none that eyes could tell."""

    def __init__(self, house: House) -> None:
        self._house = house

    async def look(self, order: OrderView, question: Question) -> Choice | None:
        """What is seen of the attempt in question."""
        act = order.steps[question.step].act if question.step in order.steps else ""
        seen = await (self._paper(question.attempt) if act == PRINTS else self._card(act))
        offered = (choice for choice in (seen, *OTHERWISE) if choice is not None and choice.value in question.choices)
        return next(offered, None)

    async def _card(self, act: str) -> Choice | None:
        state: dict[str, Any] = {}
        for _ in range(LOOKS):
            state = await self._house.machine("state")
            if state["moving"] is None:
                break
            await asyncio.sleep(BETWEEN_S)
        return SEEN.get(act, {}).get(state["place"])

    async def _paper(self, attempt: str) -> Choice | None:
        """The sheet bears the number of its attempt."""
        for _ in range(LOOKS):
            if attempt in self._sheets():
                return Choice.DONE
            await asyncio.sleep(BETWEEN_S)
        return None

    def _sheets(self) -> set[str]:
        lines = RECEIPT.ledger(self._house.folder).read_text(encoding="utf-8").splitlines()
        entries = (json.loads(line) for line in lines if line.endswith("}"))  # the last may still be being written
        details = (entry["detail"] for entry in entries if entry["act"] == "sheet_out")
        return {attempt for detail in details if not detail["void"] for attempt in detail["attempts"]}

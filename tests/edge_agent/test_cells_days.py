"""Random days at a cabinet, in memory: any customers, faults, restarts and cancels; the checker judges each day."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from tests.edge_agent.cabinet import CELL_IDS, CellBranch, with_cabinet

FAULTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("silence", {}),
    ("silence", {"executes": False}),
    ("late_answer", {"delay_s": 1.5}),
    ("wrong_bcc", {}),
    ("half_frame", {}),
    ("stuck_lock", {}),
    ("unplug", {"for_s": 1.0}),
    ("bouncing", {"for_s": 1.0}),
    ("garbage", {"where": "now"}),
    ("power_loss", {"off_s": 3.0}),
)
ORDERS = 4


async def _settle(b: CellBranch, order: str) -> None:
    """People close the door and keep what lies there, until the order has ended."""
    while not b.order(order).ended:
        if b.order(order).state == "needs_attention":
            for cell in CELL_IDS:
                if b.it.control("state")["cells"][cell]["open"]:
                    b.it.control("close", cell=cell)
            step = b.step(b.order(order).step or "", order)
            reply = await b.resolve(order, step.name, "failed", "zhang", k=step.armings)
            assert reply["status"] == "accepted", reply
        elif b.order(order).reason == "door_open":  # staff see an open door before they see an order
            for cell in CELL_IDS:
                if b.it.control("state")["cells"][cell]["open"]:
                    b.it.control("close", cell=cell)
        await b.while_s(1.0)


@pytest.mark.rule("ORD-9")
@pytest.mark.parametrize("seed", [3, 7, 8, 165, 180, 211, 236, 247])
def test_a_random_day(tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)

    async def test(b: CellBranch) -> None:
        placed: list[str] = []
        for number in range(ORDERS):
            order = f"o{number}"
            reply = await b.ask(
                "order.submit", {"scene": "collect_token", "parameters": {"take_s": dice.randint(1, 6)}}, subject=order
            )
            if reply["status"] == "accepted":
                placed.append(order)
                b.submitted.add(order)
            else:
                assert reply["code"] == "no_stock"
            await b.while_s(dice.uniform(0.0, 2.0))
            for name, args in dice.sample(FAULTS, dice.randint(0, 2)):
                b.it.fault(name, **args)
            if dice.random() < 0.4:
                await b._end_tasks()
                await b.restart()
            if dice.random() < 0.2:
                await b.ask("order.cancel", subject=order)
        for order in placed:
            await _settle(b, order)
        await b.while_s(15.0)
        b.verdict()
        truth = {cell: state["serial"] is not None for cell, state in b.it.control("state")["cells"].items()}
        books = {cell: shelf in {"sealed", "inoperative"} for cell, shelf in b.shelf().items()}
        assert books == truth, "the books are what lies there"

    with_cabinet(tmp_path, test, options={"customer": {"policy": "random", "after_s": 0.8, "seed": seed}})

"""Cabinets of cells for scenarios: one with two cells on lock boards, loaded by two people before anything is ordered.

Knows how such a branch is put together and served; what becomes of doors and items is judged by the checker.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.harness.branch import ACT_MAX_S, ACT_S, Branch
from tests.harness.machines import Machine
from tests.harness.matrix import Scene

CABINET = "token-1"
CELLS = ("01", "02")
PROFILE: Mapping[str, Any] = {
    "locked_feedback": "00",
    "act_max_s": ACT_MAX_S,
    "drain_s": 0.1,
    "answer_s": 0.4,
    "steady_s": 0.05,
    "poll_s": 0.1,
    "close_s": 3.0,
    "cell": [
        {"id": cell, "lock": {"board": 1, "lock": number}, "item": {"board": 2, "lock": number}}
        for number, cell in enumerate(CELLS, start=1)
    ],
}
TAKES: Mapping[str, Any] = {"policy": "take", "after_s": 0.3, "each_s": 0.1}
LEAVES: Mapping[str, Any] = {"policy": "leave", "after_s": 1.5}
PEOPLE = ("/people/li", "/people/wang")


def cabinet(
    role: str = "token-cabinet",
    *,
    customer: Mapping[str, Any] = TAKES,
    profile: Mapping[str, Any] | None = None,
    faults: tuple[Mapping[str, Any], ...] = (),
) -> Machine:
    """Two cells, each with something in it."""
    options = {"cells": len(CELLS), "act_s": ACT_S, "customer": dict(customer)}
    return Machine(CABINET, "cells", role, "pty", options, {**PROFILE, **(profile or {})}, faults=faults)


async def load(branch: Branch, article: str = "u_shield") -> None:
    """Two people say what lies in the cells, and the cells confirm it; said again until the branch has answered."""
    loads = [{"cell": cell, "article": article, "serial": f"{CABINET}-{cell}"} for cell in CELLS]
    words = {"cells": loads, "people": list(PEOPLE)}
    message = branch.scheduler.envelope(branch.name, "stock.replenish", words, subject=CABINET, id_="load")
    reply = await branch.scheduler.instruct(message)
    assert reply["status"] == "accepted", reply
    await branch.heard.until(lambda: set(shelves(branch).values()) == {"sealed"}, "both cells are sealed")


def shelves(branch: Branch) -> dict[str, str]:
    """How each cell stands in the books, as it was told."""
    told = [event["data"] for event in branch.heard.events if event["type"] == "branchgate.stock.changed.v1"]
    return {data["cell"]: data["to"] for data in sorted(told, key=lambda data: int(data["seq"]))}


async def load_cheques(branch: Branch) -> None:
    await load(branch, "cheque_book")


async def released(branch: Branch, order: str, words: Mapping[str, Any]) -> str:
    """Two people release it before its cell opens; its state when it is settled."""
    reply = await branch.submit(order, **words)
    assert reply["status"] == "accepted", reply
    heard = branch.heard
    await heard.until(lambda: heard.orders.get(order, {}).get("reason") == "release_needed", f"{order} asks")
    answer = await branch.resolve(order, "release", "li", "wang")
    assert answer["status"] == "accepted", answer
    return await branch.settled(order)


async def next_takes(branch: Branch) -> None:
    """The one who comes next takes what is there."""
    await branch.machines[CABINET].request("customer", policy="take", after_s=0.1, each_s=0.1)


_TOKEN = {"scene": "collect_token", "parameters": {"take_s": 30}}
_CHEQUE = {"scene": "collect_cheque_book", "parameters": {"take_s": 30}}
_WAYS: Mapping[str, Any] = {"begin": load, "between": next_takes}
TOKEN = Scene(
    "token", {"others": (cabinet(),), "card": False}, _TOKEN, _TOKEN, "completed", "", {"cell_opened": 2}, **_WAYS
)
TOKEN_LEFT = Scene(
    "token left", {"others": (cabinet(customer=LEAVES),), "card": False}, _TOKEN, _TOKEN, "failed", "not_taken", None,
    or_reason="not_opened",  # unanswered, and the door was shut on the item again before anybody looked
    **_WAYS,
)  # fmt: skip
CHEQUE_BOOK = Scene(
    "cheque book", {"others": (cabinet("cheque-cabinet"),), "card": False}, _CHEQUE, _CHEQUE, "completed", "",
    {"cell_opened": 2}, **{**_WAYS, "begin": load_cheques, "serve": released},
)  # fmt: skip

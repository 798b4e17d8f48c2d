"""A random day of a branch, made of one seed: orders, customers, commands, faults of machine and line, deaths.

Knows how trouble is made and what an honest person at the machine would decide; the judge is the checker.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from simulators.checker import Report
from tests.harness.branch import Branch, agent_kept
from tests.harness.scheduler import ENDS, REACH_S

TROUBLE: tuple[tuple[str, dict[str, Any]], ...] = (
    ("silence", {"executes": True}),
    ("silence", {"executes": False}),
    ("late_answer", {"delay_s": 1.0}),
    ("garbage", {"where": "before"}),
    ("garbage", {"where": "inside"}),
    ("garbage", {"where": "after"}),
    ("half_frame", {}),
    ("wrong_bcc", {}),
    ("nak_storm", {"count": 3}),
    ("no_ack", {}),
    ("unplug", {"for_s": 0.3}),
    ("flood", {"for_s": 0.4}),
)
METAL: tuple[tuple[str, dict[str, Any]], ...] = (
    ("jam", {}),
    ("motor_error", {}),
    ("sensor_error", {}),
    ("power_loss", {"at_fraction": 0.1, "off_s": 0.3}),
    ("power_loss", {"at_fraction": 0.6, "off_s": 0.3}),
    ("power_loss", {"at_fraction": 0.95, "off_s": 0.3}),
)
ORDERS = ("a", "b", "c")
DAY_S = 8.0  # roughly how long three orders take; instants of trouble are drawn from it
END_S = REACH_S  # no verdict depends on it


@dataclass(frozen=True)
class Day:
    """Everything that a seed decides."""

    seed: int
    line: str
    customer: dict[str, Any]
    faults: list[dict[str, Any]]
    lives_s: list[float]
    commands: list[tuple[float, str, str]]  # (after so many seconds, noun, order)


def make_day(seed: int) -> Day:
    dice = random.Random(seed)
    faults = []
    for _ in range(dice.randint(0, 3)):
        name, args = dice.choice(TROUBLE)
        faults.append({"at": f"{dice.randint(1, 60)}th frame", "fault": name, "args": args})
    for _ in range(dice.choice((0, 0, 1))):
        name, args = dice.choice(METAL)
        faults.append({"at": f"{dice.randint(1, 6)}th motion", "fault": name, "args": args})
    customer = {"policy": "random", "after_s": 0.8, "chance": 0.7, "seed": seed}
    if dice.random() < 0.2:
        customer = {"policy": "last_moment"}
    lives_s = [round(dice.uniform(0.1, DAY_S / 2), 3) for _ in range(dice.randint(0, 3))]
    nouns = ("order.cancel", "order.hold", "order.release")
    commands = [
        (dice.uniform(0, DAY_S), dice.choice(nouns), dice.choice(ORDERS)) for _ in range(dice.choice((0, 0, 1, 2)))
    ]
    return Day(seed, dice.choice(("pty", "tcp")), customer, faults, lives_s, sorted(commands))


async def live(make: Callable[..., Awaitable[Branch]], day: Day) -> Report:
    """Lives the day to its end; AssertionError with the checker's table when anything is wrong."""
    branch = await make(line=day.line, customer=day.customer, faults=day.faults)
    async with branch.closing(), agent_kept(branch, lives_s=day.lives_s):
        await branch.born()
        commander = asyncio.create_task(_command(branch, day), name="commander")
        try:
            for order in ORDERS:
                await branch.submit(order, take_s=1)
            async with asyncio.timeout(END_S):
                await _until_all_ended(branch, commander)
        except TimeoutError:
            raise AssertionError(f"{branch.folder}: the day does not end\n{branch.judge().table()}") from None
        finally:
            commander.cancel()
            await asyncio.wait([commander])
        return await branch.verdict()


async def _command(branch: Branch, day: Day) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    for after_s, noun, order in day.commands:
        await asyncio.sleep(max(0.0, began + after_s - loop.time()))
        await branch.scheduler.instruct(branch.scheduler.envelope(branch.name, noun, {}, subject=order))
    for order in ORDERS:  # whatever was held may go on
        await branch.scheduler.instruct(branch.scheduler.envelope(branch.name, "order.release", {}, subject=order))


async def _until_all_ended(branch: Branch, commander: asyncio.Task[None]) -> None:
    heard = branch.heard
    decided: set[int] = set()

    def open_orders() -> list[str]:
        return [order for order in ORDERS if heard.state(order) not in ENDS]

    def asking() -> list[str]:
        return [
            o for o in open_orders() if heard.state(o) == "needs_attention" and heard.orders[o]["seq"] not in decided
        ]

    while open_orders():
        await heard.until(lambda: bool(asking()) or not open_orders(), "orders end or ask", END_S)
        for order in asking():
            decided.add(heard.orders[order]["seq"])
            await decide(branch, order)
    await commander


async def decide(branch: Branch, order: str) -> None:
    """An honest person: looks where the card is, takes out what is stuck, says what happened."""
    asked = branch.heard.orders[order]["facts"]
    async with branch.control() as control:
        await control.request("clear")
        state = await control.state()
        serial = _card_of(branch, asked["step"])
        gone = serial in {line["detail"]["serial"] for line in branch.shown("card_taken")}
        captured = serial in {line["detail"]["serial"] for line in branch.shown("card_captured")}
        happened = gone if asked["step"] in {"present", "take"} else captured and asked["step"] == "draw.undo"
        if not happened and state["place"] is not None:
            await control.fault("card_moved_by_hand")
    if happened and "done" in asked["choices"]:
        await branch.resolve(order, "done", "li", "wang")
    elif gone and asked["step"] == "draw.undo":  # nothing was captured: the machine may look once more
        await branch.resolve(order, "no_effect", "li", "wang")
    else:
        await branch.resolve(order, "failed", "li")


def _card_of(branch: Branch, step: str) -> str | None:
    """The card in this order's hands: the one drawn last, because one lane serves one order at a time."""
    drawn = branch.shown("card_drawn")
    return drawn[-1]["detail"]["serial"] if drawn and step != "draw" else None

"""Receipt printers for scenarios, what they print, and an honest person who looks at the paper before deciding.

Knows how a branch with printers is put together; what becomes of the paper is judged by the checker.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tests.harness.branch import Branch
from tests.harness.machines import Machine
from tests.harness.matrix import Make, Scene
from tests.harness.scheduler import ENDS

LINE_S = 0.01  # for 24 dot rows: the sheet of a card takes about as long as a motion of the card
SHEET_MAX_S = 3.0  # longer than a sheet with a slip before it takes, also on a box that lets nobody run for two seconds
BUFFER = 65536  # a whole receipt; a smaller one ends in the middle of an image, which is a scenario of its own
PAPER: Mapping[str, Any] = {
    "act_max_s": SHEET_MAX_S,
    "rows_per_s": 2000,
    "drain_s": 0.1,
    "poll_s": 0.1,
    "answer_s": 0.5,
}
NO_RECEIPT: Mapping[str, Any] = {"receipt": False}
PEOPLE = ("li", "wang")


def printer(
    device: str = "receipt-1",
    role: str = "receipt-printer",
    line: str = "pty",
    *,
    faults: Iterable[Mapping[str, Any]] = (),
    options: Mapping[str, Any] | None = None,
    profile: Mapping[str, Any] | None = None,
) -> Machine:
    """A receipt printer."""
    own = {"line_s": LINE_S, "buffer_bytes": BUFFER, **(options or {})}
    return Machine(device, "escpos", role, line, own, {**PAPER, **(profile or {})}, faults=tuple(faults))


def receipt(text: str, **more: Any) -> dict[str, Any]:
    """The words of an order that prints a receipt with these lines."""
    return {"scene": "print_receipt", "parameters": {"title": "Receipt", "lines": text, "language": "en", **more}}


def ticket(number: str, **more: Any) -> dict[str, Any]:
    """The words of an order for a queue ticket."""
    return {"scene": "print_ticket", "parameters": {"number": number, "queue": "Cash", **more}}


async def begun(make: Make, *devices: Machine, **words: Any) -> Branch:
    """A branch with these machines (one receipt printer unless told) beside its card dispenser, its agent born."""
    branch: Branch = await make(others=devices or (printer(),), **words)
    await branch.start_agent()
    await branch.born()
    return branch


async def asked(branch: Branch, order: str, **words: Any) -> dict[str, Any]:
    """Serves until people are asked; what they are told."""
    assert await branch.serve(order, **words) == "needs_attention"
    facts: dict[str, Any] = branch.heard.orders[order]["facts"]
    return facts


async def asked_after_outage(branch: Branch, order: str, device: str = "receipt-1", **words: Any) -> dict[str, Any]:
    """The same where the printer loses its power: it comes back when the sheet is in doubt, however late that is."""
    await branch.submit(order, **words)
    await power_back(branch, order, device)
    assert await branch.settled(order) == "needs_attention"
    facts: dict[str, Any] = branch.heard.orders[order]["facts"]
    return facts


async def power_back(branch: Branch, order: str, device: str = "receipt-1") -> None:
    """Somebody finds the switch once a step of the order is in doubt: not while the agent still writes the sheet."""
    steps = branch.heard.steps
    await branch.heard.until(
        lambda: any(of == order and told["to"] == "in_doubt" for (of, _), told in steps.items()), f"{order} in doubt"
    )
    await branch.machines[device].request("power", on=True)


async def ended(branch: Branch, order: str, state: str) -> None:
    """Waits until the order has this state."""
    await branch.heard.until(lambda: branch.heard.state(order) == state, f"order {order} is {state}")


def proof(branch: Branch, order: str, step: str) -> dict[str, Any]:
    """What was told of the step last."""
    facts: dict[str, Any] = branch.heard.steps[order, step]["facts"]
    return facts


def names_on(branch: Branch, attempt: str) -> int:
    """How many sheets of any printer say that they are this attempt's and count."""
    sheets = [sheet for machine in branch.machines.values() for sheet in machine.sheets()]
    return sum(attempt in sheet["attempts"] for sheet in sheets if "作废 VOID" not in _words(sheet))


def _words(sheet: Mapping[str, Any]) -> list[str]:
    return [line.strip() for line in sheet.get("lines", ())]


async def by_person(branch: Branch, order: str) -> str:
    """Decides as an honest person would, as often as the order asks, until it has ended; its state."""
    heard = branch.heard

    def asks() -> bool:
        return heard.state(order) == "needs_attention" and heard.orders[order]["seq"] not in decided

    decided: set[int] = set()
    while heard.state(order) not in ENDS:
        await heard.until(lambda: asks() or heard.state(order) in ENDS, f"order {order} asks or ends")
        if asks():
            decided.add(heard.orders[order]["seq"])
            reply = await decide(branch, order)
            assert reply["status"] == "accepted", reply
    return heard.state(order)


async def decide(branch: Branch, order: str) -> dict[str, Any]:
    """Looks at the paper: what lies there is done; what does not is printed again, marked."""
    facts = branch.heard.orders[order]["facts"]
    choices, attempt = facts["choices"], str(facts["attempt"])
    if names_on(branch, attempt) and "done" in choices:
        return await branch.resolve(order, "done", *PEOPLE)
    again = "again" if "again" in choices else "no_effect"
    return await branch.resolve(order, again if again in choices else "failed", *PEOPLE)


# Scenes of the kill matrix. A receipt whose proof died with the agent is for people, who look at the paper.
_NAMES = ("o-100", "o-200")
RECEIPT = Scene(
    "receipt", {"others": (printer(),), "card": False}, receipt("of o-100"), receipt("of o-200"),
    "completed", None, None, by_person, _NAMES,
)  # fmt: skip
CARD_RECEIPT = Scene(
    "card and receipt", {"others": (printer(),)}, {"take_s": 30}, {"take_s": 30},
    "completed", None, None, by_person, _NAMES,
)  # fmt: skip

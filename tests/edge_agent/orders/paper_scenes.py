"""Scenes with a card and a sheet, in the orders that a branch may wish for; and the way through each.

Knows recipes and the doors of the engine; what must hold on the way is for the tests.
"""

from __future__ import annotations

from pathlib import Path

from edge_agent.orders.desk import Place
from edge_agent.orders.recipe import Scene
from edge_agent.orders.rows import AttemptRow
from edge_agent.orders.scenes import parse_scene
from tests.edge_agent.orders.points import GOOD
from tests.edge_agent.parts import ACTS, Book
from tests.edge_agent.printer import PAPER, ROLE

HEAD = """
[scene]
name = "{name}"
version = 1
class = "physical"
title = {{ zh = "试", en = "Test" }}

[parameters.take_s]
type = "number"
default = 30

[parameters.language]
type = "text"
default = "zh"
"""
STEPS = {
    "draw": 'role = "card-dispenser"\nact = "draw_card"\nundo = "capture_card"',
    "present": 'role = "card-dispenser"\nact = "present_card"\nno_return = true',
    "take": 'role = "card-dispenser"\nact = "await_taken"\nlimit = "take_s"\nwaits_for = "customer"',
    "receipt": (
        'role = "receipt-printer"\nact = "print_receipt"\ntemplate = "card_receipt"\n'
        'undo = "void_receipt"\nundo_always = true'
    ),
    "ticket": 'role = "receipt-printer"\nact = "print_ticket"\ntemplate = "card_receipt"',
}
WAYS = {
    "paper_first": ("receipt", "draw", "present", "take"),
    "paper_between": ("draw", "receipt", "present", "take"),
    "paper_last": ("draw", "present", "take", "receipt"),
    "ticket_last": ("draw", "present", "take", "ticket"),
    "ticket_first": ("ticket", "draw", "present", "take"),
    "two_sheets": ("draw", "present", "take", "receipt", "ticket"),
}
PRINTERS = ("paper-1", "paper-2")


def _scene(name: str, steps: tuple[str, ...]) -> Scene:
    text = HEAD.format(name=name) + "".join(f'\n[[step]]\nname = "{step}"\n{STEPS[step]}\n' for step in steps)
    return parse_scene(text, f"{name}.toml")


SCENES = {name: _scene(name, steps) for name, steps in WAYS.items()}
PLACES = (
    Place("card-1", "card-dispenser", ACTS),
    *(Place(printer, ROLE, PAPER) for printer in PRINTERS),
)


def paper_book(folder: Path, scene: str) -> Book:
    """A branch with a dispenser and two printers, whose orders are of one scene."""
    book = Book(folder, places=PLACES, given={"scene": scene})
    book.scenes = book.scenes | SCENES
    return book


async def play_until(book: Book, step: str, order: str = "o1") -> None:
    """A healthy branch up to the arming of that step."""
    for _ in range(30):
        name = book.order(order).step
        assert name is not None, book.order(order)
        if name == step and book.step(name, order).state in ("pending", "no_effect", "failed"):
            return
        if book.step(name, order).state in ("armed", "acting", "waiting", "in_doubt"):
            outcome, item = GOOD[book.step(name, order).act]
            await book.settle(outcome, item, order=order)
        else:
            assert isinstance(await book.arm(order), AttemptRow), book.order(order)
    raise AssertionError(f"step {step} never came: {book.order(order)}")

"""Orders in a journal of the version before, which knew no paper, are brought to the same ends by this one."""

from __future__ import annotations

import sqlite3
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from edge_agent.journal import opening
from edge_agent.orders.forms import form
from tests.edge_agent.orders.points import ASKING, OPEN, Way, play_on
from tests.edge_agent.parts import Book

COLUMNS = {
    "orders": ("boot", "begins_s", "ends_s", "vouched"),
    "steps": (
        "role",
        "repeatable",
        "undo_repeatable",
        "undo_always",
        "template_form",
        "document",
        "article",
        "two_people",
        "undo_watch",
        "awaits_code",
    ),
    "attempts": ("decided",),
}


def take_back(folder: Path) -> None:
    """What all later migrations added is gone, as if they had never run."""
    with sqlite3.connect(folder / "journal.sqlite3", isolation_level=None) as db:
        db.execute("DROP INDEX IF EXISTS inbox_by_deadline")
        db.execute("ALTER TABLE orders ADD COLUMN recipe TEXT NOT NULL DEFAULT ''")
        db.execute("UPDATE orders SET recipe = (SELECT body FROM forms WHERE n = recipe_form)")
        db.execute("ALTER TABLE orders DROP COLUMN recipe_form")
        for table, columns in COLUMNS.items():
            for column in columns:
                db.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
        later: tuple[str, ...] = (
            "documents",
            "memories",
            "audit",
            "tallies",
            "inputs",
            "forms",
            "failures",
            "approvals",
            "cells",
        )
        later += ("codes", "scans")
        for table in later:
            db.execute(f"DROP TABLE {table}")
        db.execute("PRAGMA user_version = 1")
    db.close()


async def lived(folder: Path, way: Way, noun: str, choice: str, *, updated: bool) -> list[Any]:
    """What one order came to, and all that was told of it."""
    async with Book(folder, fast=True) as book:
        await way(book)
        await book.close()
        if updated:
            take_back(folder)
        await book.open()
        if noun:
            await book.ask(noun, subject="o1")
        state = await play_on(book)
        if state == "needs_attention":
            step = book.step(book.order().step or "")
            reply = await book.resolve("o1", step.name, choice, k=step.armings)
            state = f"{reply['status']} {await play_on(book)}"
        return [state, book.states(), book.told("changed", "step", "from", "to", "reason", order="o1")]


async def test_what_an_order_prints_is_found_again_where_it_was_kept_with_each_order(tmp_path: Path) -> None:
    """Before forms, recipe and template stood in the rows of every order."""
    with sqlite3.connect(tmp_path / "journal.sqlite3", isolation_level=None) as db:
        for sql in opening.migrations()[:5]:
            db.executescript(sql)
        for n in (1, 2):
            head = (
                "INSERT INTO orders (id, n, scene, recipe, parameters, customer, source, instruction, priority, state)"
            )
            db.execute(
                f"{head} VALUES (?, ?, 's', '{{\"recipe\":1}}', '{{}}', '', '', '', 0, 'accepted')", (f"o{n}", n)
            )
            head = "INSERT INTO steps (order_id, name, position, act, device, state, template)"
            db.execute(f"{head} VALUES (?, 'print', 0, 'print', 'p', 'pending', ?)", (f"o{n}", f'{{"block":{n}}}'))
            db.execute(f"{head} VALUES (?, 'draw', 1, 'draw', 'c', 'pending', NULL)", (f"o{n}",))
        db.execute("PRAGMA user_version = 5")
    db.close()
    async with Book(tmp_path, adopted=False) as book:
        numbers = [book.step("print", f"o{n}").template_form or 0 for n in (1, 2)]
        assert [book.journal.look(partial(form, number=n)) for n in numbers] == [{"block": 1}, {"block": 2}]
        assert book.step("draw", "o1").template_form is None
        sql = "SELECT body FROM orders JOIN forms ON forms.n = recipe_form"
        assert [row[0] for row in book.journal.look(lambda tx: tx.all(sql))] == ['{"recipe":1}'] * 2


@pytest.mark.parametrize("noun", ["", "order.cancel"])
@pytest.mark.parametrize("way", OPEN)
async def test_an_open_order_ends_as_it_would_have(tmp_path: Path, way: Way, noun: str) -> None:
    ends = [await lived(tmp_path / str(updated), way, noun, "failed", updated=updated) for updated in (False, True)]
    assert ends[0] == ends[1]


@pytest.mark.parametrize("choice", ["done", "no_effect", "capture"])
@pytest.mark.parametrize("way", ASKING)
async def test_what_people_are_asked_is_decided_as_it_would_have_been(tmp_path: Path, way: Way, choice: str) -> None:
    ends = [await lived(tmp_path / str(updated), way, "", choice, updated=updated) for updated in (False, True)]
    assert ends[0] == ends[1]

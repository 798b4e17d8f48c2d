"""Orders in a journal of the version before, which knew no paper, are brought to the same ends by this one."""

from __future__ import annotations

import sqlite3
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from edge_agent.journal import opening
from edge_agent.orders.forms import form
from edge_agent.orders.listing import story
from edge_agent.orders.reading import get_order
from edge_agent.orders.record import add_note
from tests.edge_agent.orders.points import ASKING, OPEN, Way, play_on
from tests.edge_agent.parts import DEVICE, Book

FIRST = ("orders", "steps", "attempts")  # the tables of the first version that later ones made anew
LATER = (
    "documents",
    "memories",
    "audit",
    "tallies",
    "inputs",
    "forms",
    "failures",
    "approvals",
    "cells",
    "codes",
    "scans",
)


def first_sql(kind: str, name: str) -> str:
    """How the first version made it."""
    made = opening.migrations()[0]
    return next(sql for sql in made.split("\n\n") if f"CREATE {kind} {name} " in sql)


def take_back(folder: Path) -> None:
    """What all later migrations added is gone, as if they had never run."""
    with sqlite3.connect(folder / "journal.sqlite3", isolation_level=None) as db:
        for name in ("inbox_by_deadline", "outbox_of_orders", "outbox_of_others"):
            db.execute(f"DROP INDEX {name}")
        db.execute("DROP VIEW history")
        db.execute("ALTER TABLE outbox DROP COLUMN order_n")
        db.execute("CREATE INDEX outbox_by_subject ON outbox (subject, seq)")
        for table in FIRST:
            indexes = "SELECT name FROM sqlite_master WHERE type = 'index' AND sql NOT NULL AND tbl_name = ?"
            for (index,) in db.execute(indexes, (table,)).fetchall():
                db.execute(f"DROP INDEX {index}")
            db.execute(f"ALTER TABLE {table} RENAME TO {table}_now")
            db.executescript(first_sql("TABLE", table))
            columns = ", ".join(row[1] for row in db.execute(f"PRAGMA table_info({table})"))
            now = columns.replace("recipe", "(SELECT body FROM forms WHERE n = recipe_form)")
            db.execute(f"INSERT INTO {table} ({columns}) SELECT {now} FROM {table}_now")  # noqa: S608  # names alone
        for table in (*LATER, *(f"{table}_now" for table in reversed(FIRST))):
            db.execute(f"DROP TABLE {table}")
        db.executescript(first_sql("VIEW", "history"))
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


async def test_what_stood_under_ids_stands_under_numbers(tmp_path: Path) -> None:
    """Whoever asks for an order's steps, attempts and history gets what there was; what is told of others is apart."""
    async with Book(tmp_path, fast=True) as book:
        for order in ("o2", "o1", "o10"):
            await book.submit(order)
            await book.act(order)
            await book.settle("no_effect", order=order)
        await book.do(lambda tx: add_note(tx, DEVICE, "power_lost", {}))
        before = [seen(book, order) for order in ("o1", "o2", "o10")]
        assert [len(one["attempts"]) for one in before] == [1, 1, 1]
        assert len(before[0]["history"]) > 3
        await book.close()
        take_back(tmp_path)
        await book.open()
        assert [seen(book, order) for order in ("o1", "o2", "o10")] == before
        rows = book.look(lambda tx: tx.all("SELECT subject, order_n FROM outbox"))
        numbers = {order: book.order(order).n for order in ("o1", "o2", "o10")}
        assert {tuple(row) for row in rows} == {*numbers.items(), (DEVICE, None), (None, None)}


def seen(book: Book, order: str) -> dict[str, Any]:
    return book.look(lambda tx: story(tx, get_order(tx, order)))


def scans(book: Book, sql: str, *values: object) -> list[str]:
    """What SQLite would read from one end to the other, or sort, to answer."""
    plan = book.look(lambda tx: tx.all(f"EXPLAIN QUERY PLAN {sql}", *values))
    return [row["detail"] for row in plan if row["detail"].startswith("SCAN") or "TEMP" in row["detail"]]


async def test_what_is_asked_for_each_order_is_found_by_a_key(tmp_path: Path) -> None:
    """However many orders the journal holds."""
    asked: list[str] = []
    async with Book(tmp_path, fast=True) as book:
        await book.submit("o0")
        assert book.journal._eyes is not None
        connections = (book.journal._db, book.journal._eyes)
        for db in connections:
            db.set_trace_callback(asked.append)
        await book.submit("o1")
        await play_on(book)
        seen(book, "o1")
        for db in connections:
            db.set_trace_callback(None)
        tables = ("steps", "attempts", "outbox", "inbox", "orders o")
        found = {sql: scans(book, sql) for sql in asked if sql.startswith(("SELECT", "UPDATE"))}
    assert len(found) > 10
    slow = {sql: plan for sql, plan in found.items() if any(f"SCAN {table}" in one for table in tables for one in plan)}
    assert slow == {}


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

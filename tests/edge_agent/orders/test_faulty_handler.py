"""A handler of ours that fails: the instruction is answered, nothing of it is done, what stands behind it goes on."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from cloud_bridge.messages.instructions import OrderHold
from cloud_bridge.messages.words import Code
from cloud_bridge.ports import StoreFailed
from edge_agent.orders import intake
from edge_agent.orders.desk import Rejected
from tests.edge_agent.parts import Book


def break_hold(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def broken(desk: Any, tx: Any, envelope: Any, data: Any) -> dict[str, Any]:
        tx.do("UPDATE orders SET held = 1")
        raise error

    handlers: dict[Any, Any] = {**intake._HANDLERS, OrderHold: broken}
    monkeypatch.setattr(intake, "_HANDLERS", handlers)


async def test_a_fault_of_ours_is_answered_and_undone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with Book(tmp_path) as book:
        await book.submit("o1")
        break_hold(monkeypatch, KeyError("ours"))
        reply = await book.ask("order.hold", subject="o1")
        assert (reply["status"], reply["code"]) == ("rejected", "invalid")
        assert book.intake.faults == 1
        assert not book.order("o1").held
        await book.submit("o2")


async def test_a_disk_that_fails_keeps_the_instruction_with_the_broker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Book(tmp_path) as book:
        await book.submit("o1")
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR
        break_hold(monkeypatch, error)
        with pytest.raises(StoreFailed):
            await book.ask("order.hold", subject="o1")
        assert book.intake.faults == 0


async def test_what_a_handler_did_before_it_refused_is_undone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with Book(tmp_path) as book:
        await book.submit("o1")
        break_hold(monkeypatch, Rejected(Code.CONFLICT, "not_held", order="o1"))
        assert (await book.ask("order.hold", subject="o1"))["code"] == "conflict"
        assert not book.order("o1").held

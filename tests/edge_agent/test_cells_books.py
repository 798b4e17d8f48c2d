"""The books of a cabinet under contacts that bounce and hands that steal: what they say is what was seen twice."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from device_drivers.device import Outcome, Twin, Verdict
from edge_agent.journal.tx import Tx
from edge_agent.orders import shelving
from edge_agent.orders.rows import MACHINE
from tests.edge_agent.cabinet import DEVICE, CellBranch, with_cabinet

DOOR_OF_3 = bytes.fromhex("80 01 03 33 B1")


async def _stolen_from(b: CellBranch) -> None:
    """An order keeps cell 01 and waits for two people; meanwhile somebody steals its item."""
    await b.submit("o1", scene="collect_cheque_book", parameters={"article": "u_shield"})
    await b.when(lambda: b.order().reason == "release_needed")
    b.it.control("force", cell="01", takes=True)
    b.it.control("close", cell="01")
    await b.when(lambda: b.shelf()["01"] == "manipulated")


@pytest.mark.rule("STO-4")
def test_a_contact_that_bounces_moves_nothing_in_the_books(tmp_path: Path) -> None:
    """Single looks would find items gone, and a cell that was just declared empty."""

    async def test(b: CellBranch) -> None:
        for _ in range(6):
            b.it.fault("bouncing", for_s=3.0)
            b.it.machine.receive(DOOR_OF_3, asyncio.get_running_loop().time())  # so that it bounces before its item
            reply = await b.replenish({"cell": "03", "article": "u_shield", "serial": "cells-1-03"})
            assert reply["status"] == "accepted", reply
            await b.while_s(5.0)
        await b.when(lambda: set(b.shelf().values()) == {"sealed"})
        assert {to for _, _, to, _ in b.stock_told()} == {"declared", "sealed"}

    with_cabinet(tmp_path, test)


@pytest.mark.rule("STO-4")
def test_what_was_stolen_from_an_order_stays_missing_when_the_order_ends(tmp_path: Path) -> None:
    async def test(b: CellBranch) -> None:
        await _stolen_from(b)
        await b.ask("order.cancel", subject="o1")
        await b.until("cancelled")
        await b.while_s(60.0)
        assert b.shelf() == {"01": "manipulated", "02": "sealed", "03": "sealed"}
        lot = b.lots()[0]
        assert (lot.serial, lot.order_id, lot.reason) == ("cells-1-01", None, "item_gone")
        b.verdict()

    with_cabinet(tmp_path, test, role="cheque-cabinet")


@pytest.mark.rule("STO-3")
def test_a_robbed_cell_is_loaded_anew_only_when_its_order_has_ended(tmp_path: Path) -> None:
    async def test(b: CellBranch) -> None:
        await _stolen_from(b)
        load = {"cell": "01", "article": "u_shield", "serial": "new-01"}
        reply = await b.replenish(load)
        assert (reply["code"], reply["facts"]["order"]) == ("conflict", "o1")
        assert b.shelf()["01"] == "manipulated"
        await b.ask("order.cancel", subject="o1")
        await b.until("cancelled")
        b.it.control("load", cell="01", serial="new-01")
        assert (await b.replenish(load))["status"] == "accepted"
        await b.when(lambda: b.shelf()["01"] == "sealed")
        b.verdict()

    with_cabinet(tmp_path, test, role="cheque-cabinet")


@pytest.mark.rule("STO-4")
def test_what_somebody_put_into_a_robbed_cell_is_handed_to_nobody(tmp_path: Path) -> None:
    async def test(b: CellBranch) -> None:
        await _stolen_from(b)
        b.it.control("load", cell="01", serial="nobody-knows")
        await b.while_s(60.0)
        await b.resolve("o1", "open", "release", k=0)
        await b.until("failed")
        assert b.order().reason == "item_missing"
        assert b.it.opening_frames == []
        assert b.shelf() == {"01": "manipulated", "02": "sealed", "03": "sealed"}
        b.verdict()

    with_cabinet(tmp_path, test, role="cheque-cabinet")


@pytest.mark.rule("STO-1")
def test_a_cell_that_an_order_keeps_is_not_loaded_for_another(tmp_path: Path) -> None:
    async def test(b: CellBranch) -> None:
        await _stolen_from(b)
        b.it.control("load", cell="01", serial="new")
        reply = await b.replenish({"cell": "01", "article": "u_shield", "serial": "new"})
        assert (reply["status"], reply["code"]) == ("rejected", "conflict")
        await b.ask("order.cancel", subject="o1")
        await b.until("cancelled")
        assert (await b.replenish({"cell": "01", "article": "u_shield", "serial": "new"}))["status"] == "accepted"
        await b.when(lambda: b.shelf()["01"] == "sealed")
        await b.submit("o2", scene="collect_cheque_book", parameters={"article": "u_shield"})
        await b.when(lambda: b.order("o2").reason == "release_needed")
        await b.resolve("o2", "open", "release", k=0)
        await b.until("completed", order="o2")
        assert b.step("open", "o2").facts["serial"] == "new"
        b.verdict()

    with_cabinet(tmp_path, test, role="cheque-cabinet")


def test_an_opening_that_people_let_be_tried_again_has_its_cell_still(tmp_path: Path) -> None:
    async def test(b: CellBranch) -> None:
        await b.submit("o1", scene="collect_cheque_book", parameters={"article": "u_shield"})
        await b.when(lambda: b.order().reason == "release_needed")

        def asked_and_decided(tx: Tx) -> bool:
            step = b.step("open")
            shelving.armed(tx, step)
            shelving.shut(tx, step, Verdict(Outcome.UNKNOWN, "cell_blind"), "o1/open/1")
            shelving.decided(tx, step, "again", MACHINE)
            return shelving.keeps(tx, step)

        assert await b.journal.write(asked_and_decided)
        await b.ask("order.cancel", subject="o1")
        await b.until("cancelled")
        assert set(b.shelf().values()) == {"sealed"}

    with_cabinet(tmp_path, test, role="cheque-cabinet")


@pytest.mark.rule("STO-3")
def test_a_look_that_was_begun_before_people_loaded_says_nothing_of_what_they_loaded(tmp_path: Path) -> None:
    async def test(b: CellBranch) -> None:
        b.it.control("load", cell="01", serial=None)
        driver = b.lanes[DEVICE]._driver
        look, loaded = driver.probe, list[str]()

        async def slow_look() -> Twin:
            twin = await look()
            if not loaded:  # many cells take a while: this one was read before its door was opened and shut again
                loaded.append("01")
                b.it.control("load", cell="01", serial="cells-1-01")
                await b.load("01", confirmed=False)
            return twin

        driver.probe = slow_look  # type: ignore[method-assign]
        await b.when(lambda: b.shelf().get("01") in {"empty", "sealed"})
        assert b.stock_told() == [("01", "empty", "declared", "loaded"), ("01", "declared", "sealed", "confirmed")]

    with_cabinet(tmp_path, test, loaded=False)


@pytest.mark.rule("STO-4")
def test_a_robbed_cell_is_told_also_where_its_lock_is_broken(tmp_path: Path) -> None:
    async def test(b: CellBranch) -> None:
        b.it.fault("stuck_lock", count=2)
        await b.token(take_s=20)
        await b.until("failed")
        assert b.shelf()["01"] == "inoperative"
        b.it.control("force", cell="01", takes=True)
        b.it.control("close", cell="01")
        await b.when(lambda: b.shelf()["01"] == "manipulated")
        b.verdict()

    with_cabinet(tmp_path, test)

"""Tokens and cheque books out of cells, in memory: one opening, the item is the truth, a doubt shuts its cell alone."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.device_drivers.cells.bench import profile_of
from tests.edge_agent.cabinet import DEVICE, CellBranch, with_cabinet

PULSE_1, PULSE_2 = "8A 01 01 11 9B", "8A 01 02 11 98"


@pytest.mark.rule("STO-1")
@pytest.mark.rule("ORD-11")
def test_a_token_is_kept_opened_taken_and_gone_from_the_books(tmp_path: Path) -> None:
    async def test(b: CellBranch) -> None:
        await b.token(take_s=20)
        assert b.shelf()["01"] == "reserved"
        await b.until("completed")
        report = b.verdict()
        assert dict(report.acts) == {"cell_opened": 1}
        assert b.it.opening_frames == [PULSE_1]
        assert b.shelf() == {"01": "empty", "02": "sealed", "03": "sealed"}
        facts = b.step("open").facts
        assert (facts["cell"], facts["article"], facts["serial"]) == ("01", "u_shield", "cells-1-01")
        assert b.step("take").facts["taken"] == "witnessed"
        assert b.stock_told()[6:] == [
            ("01", "sealed", "reserved", "reserved"),
            ("01", "reserved", "opened", "armed"),
            ("01", "opened", "empty", "taken"),
        ]
        armed = next(e["data"] for e in b.events("step.changed") if e["data"]["to"] == "armed")
        assert armed["facts"] == {"cell": "01", "article": "u_shield", "serial": "cells-1-01"}

    with_cabinet(tmp_path, test)


@pytest.mark.rule("STO-1")
def test_the_twin_tells_what_lies_where_in_the_words_of_xfs(tmp_path: Path) -> None:
    async def test(b: CellBranch) -> None:
        await b.token(take_s=20)
        await b.until("completed")
        await b.while_s(6)
        units = b.twins[-1]["storage"]
        assert units["01"]["count"] == 0
        assert units["01"]["replenishmentStatus"] == "empty"
        assert "serialNumber" not in units["01"]
        known = {"type": "dispense", "capacity": 1, "status": "ok", "count": 1, "serialNumber": "cells-1-02"}
        assert (known | {"cardID": "u_shield", "door": "closed", "shelf": "sealed"}).items() <= units["02"].items()

    with_cabinet(tmp_path, test)


@pytest.mark.rule("STO-2")
@pytest.mark.rule("ORD-1")
def test_no_stock_is_refused_and_the_last_one_is_not_sold_twice(tmp_path: Path) -> None:
    async def test(b: CellBranch) -> None:
        for number in range(3):
            await b.token(f"o{number}", take_s=20)
        reply = await b.ask("order.submit", {"scene": "collect_token"}, subject="late")
        assert (reply["status"], reply["code"]) == ("rejected", "no_stock")
        reply = await b.ask("order.submit", {"scene": "collect_token", "parameters": {"article": "x"}}, subject="x")
        assert reply["code"] == "no_stock"
        for number in range(3):
            await b.until("completed", order=f"o{number}")
        serials = [b.step("open", f"o{number}").facts["serial"] for number in range(3)]
        assert sorted(serials) == ["cells-1-01", "cells-1-02", "cells-1-03"]
        b.verdict()

    with_cabinet(tmp_path, test)


@pytest.mark.rule("STO-2")
@pytest.mark.rule("ORD-7")
def test_a_cancelled_order_gives_its_cell_back(tmp_path: Path) -> None:
    async def test(b: CellBranch) -> None:
        b.it.control("power", on=False)
        await b.token()
        assert (await b.ask("order.cancel", subject="o1"))["status"] == "accepted"
        await b.until("cancelled")
        assert b.shelf()["01"] == "sealed"
        assert b.it.opening_frames == []

    with_cabinet(tmp_path, test)


@pytest.mark.rule("ORD-7")
@pytest.mark.parametrize("policy", ["leave", "put_back"])
def test_what_the_customer_left_behind_a_closed_door_is_back_in_stock(tmp_path: Path, policy: str) -> None:
    async def test(b: CellBranch) -> None:
        await b.token(take_s=20)
        await b.until("failed")
        assert b.order().reason == "not_taken"
        assert b.states() == {"open": "compensated", "take": "failed", "open.undo": "done"}
        assert b.step("open.undo").item == "stock"
        assert b.shelf()["01"] == "sealed"
        b.verdict()
        b.it.control("customer", policy="take", after_s=0.5)
        await b.token("o2", take_s=20)
        await b.until("completed", order="o2")
        assert b.step("open", "o2").facts["serial"] == "cells-1-01"
        b.verdict()

    with_cabinet(tmp_path, test, options={"customer": {"policy": policy, "after_s": 1.0}})


@pytest.mark.rule("ORD-7")
def test_who_comes_at_the_last_moment_has_it(tmp_path: Path) -> None:
    async def test(b: CellBranch) -> None:
        await b.token(take_s=2)
        await b.until("waiting")
        await b.when(lambda: b.order().waiting_for == "staff")
        b.it.control("take", cell="01")
        b.it.control("close", cell="01")
        await b.until("completed")
        assert b.order().reason == "taken_late"
        assert b.shelf()["01"] == "empty"
        b.verdict()

    with_cabinet(tmp_path, test, options={"customer": {"policy": "forget"}})


@pytest.mark.rule("PHY-7")
def test_a_door_that_nobody_closes_is_for_people_and_its_cell_alone_is_shut(tmp_path: Path) -> None:
    async def test(b: CellBranch) -> None:
        await b.token(take_s=2)
        await b.until("needs_attention")
        facts = b.told("order.changed", "facts")[-1]
        assert (facts["step"], facts["choices"]) == ("open.undo", ["done", "no_effect", "failed"])
        assert b.shelf()["01"] == "shut"
        assert b.lane(DEVICE).shut is False
        assert b.lane(DEVICE).holder is None
        assert "door_left_open" in [kind for (kind,) in b.look(lambda tx: tx.all("SELECT kind FROM notes"))]
        await b.token("o2", take_s=20)
        await b.until("waiting", order="o2")
        assert b.order("o2").reason == "door_open"  # evidence.md: no other door open
        b.it.control("close", cell="01")
        b.it.control("customer", policy="take", after_s=0.5)
        await b.until("completed", order="o2")
        assert b.step("open", "o2").facts["cell"] == "02"
        reply = await b.resolve("o1", "open.undo", "done", "zhang", "li")
        assert reply["status"] == "accepted"
        await b.until("failed")
        await b.when(lambda: b.shelf()["01"] == "sealed")
        b.verdict()

    with_cabinet(tmp_path, test, options={"customer": {"policy": "forget"}})


@pytest.mark.rule("PHY-7")
def test_a_cabinet_with_one_doubtful_cell_goes_on_with_the_others(tmp_path: Path) -> None:
    async def test(b: CellBranch) -> None:
        await b.token(take_s=20)
        await b.when(lambda: bool(b.it.opening_frames))
        b.it.fault("dead_board", board=2, for_s=120.0)
        await b.until("needs_attention")
        assert b.order().reason == "cell_unreadable"
        await b.token("o2", take_s=20)
        await b.until("completed", order="o2")
        assert b.shelf() == {"01": "shut", "02": "empty", "03": "sealed"}
        report = b.verdict()
        assert report.acts["cell_opened"] == 2
        await b.resolve("o1", b.order().step or "", "failed", "zhang", k=1)
        await b.until("failed")
        await b.when(lambda: b.shelf()["01"] == "empty")
        b.judged()

    with_cabinet(tmp_path, test, profile=profile_of(apart=True), options={"items_per_board": 1})


@pytest.mark.rule("PHY-2")
@pytest.mark.parametrize("fault", ["silence", "wrong_bcc", "late_answer", "half_frame"])
def test_a_lost_reply_is_exactly_one_pulse(tmp_path: Path, fault: str) -> None:
    async def test(b: CellBranch) -> None:
        b.it.fault(fault)
        await b.token(take_s=20)
        await b.until("completed")
        assert b.it.opening_frames == [PULSE_1]
        assert b.step("open").state == "done"
        b.verdict()

    with_cabinet(tmp_path, test)


def test_a_lock_that_sticks_twice_takes_its_cell_out_and_the_next_order_gets_another(tmp_path: Path) -> None:
    async def test(b: CellBranch) -> None:
        b.it.fault("stuck_lock", count=2)
        await b.token(take_s=20)
        await b.until("failed")
        assert b.order().reason == "not_opened"
        assert b.it.opening_frames == [PULSE_1, PULSE_1]  # two attempts, each with an id of its own
        assert b.shelf()["01"] == "inoperative"
        await b.token("o2", take_s=20)
        await b.until("completed", order="o2")
        assert b.it.opening_frames[2:] == [PULSE_2]
        b.verdict()

    with_cabinet(tmp_path, test)


@pytest.mark.rule("STO-4")
def test_a_cell_whose_item_is_gone_is_not_opened_and_is_told(tmp_path: Path) -> None:
    async def test(b: CellBranch) -> None:
        b.it.control("force", cell="01", takes=True)
        b.it.control("close", cell="01")
        await b.token(take_s=20)
        await b.until("failed")
        assert b.order().reason == "item_missing"
        await b.when(lambda: b.shelf()["01"] == "manipulated")
        assert b.it.opening_frames == []
        b.verdict()

    with_cabinet(tmp_path, test)


@pytest.mark.rule("ORD-5")
@pytest.mark.parametrize("policy", ["take", "leave", "forget", "put_back"])
@pytest.mark.parametrize("after_s", [0.05, 0.3, 0.8, 2.0])
def test_a_restart_at_any_time_settles_by_the_item(tmp_path: Path, policy: str, after_s: float) -> None:
    async def test(b: CellBranch) -> None:
        await b.token(take_s=4)
        await b.when(lambda: bool(b.it.opening_frames))
        await b.while_s(after_s)
        await b._end_tasks()
        await b.restart()
        await b.until("completed", "failed", "needs_attention")
        if b.order().state == "needs_attention":
            b.it.control("close", cell="01")
            await b.resolve("o1", b.order().step or "", "done", k=b.step(b.order().step or "").armings)
            await b.until("completed", "failed")
        assert (b.order().state == "completed") == (policy == "take")
        await b.while_s(10)
        report = b.judged()
        assert report.ok, report.table()
        assert b.shelf()["01"] == ("empty" if policy == "take" else "sealed")

    with_cabinet(tmp_path, test, options={"customer": {"policy": policy, "after_s": 1.0}})


@pytest.mark.rule("ORD-5")
def test_what_people_were_asked_about_is_theirs_after_a_restart_too(tmp_path: Path) -> None:
    async def test(b: CellBranch) -> None:
        await b.token(take_s=2)
        await b.until("needs_attention")
        b.it.control("take", cell="01")  # staff take it out, to be kept elsewhere: no customer has it
        b.it.control("close", cell="01")
        await b._end_tasks()
        await b.restart()
        await b.while_s(30)
        assert b.order().state == "needs_attention"
        await b.resolve("o1", "open.undo", "failed", "zhang")
        await b.until("failed")
        await b.when(lambda: b.shelf()["01"] == "empty")
        assert ("01", "declared", "empty", "secured_by_hand") in b.stock_told()

    with_cabinet(tmp_path, test, options={"customer": {"policy": "forget"}})


# -- loading -----------------------------------------------------------------------------------------------------------


@pytest.mark.rule("ORD-6")
def test_one_person_loads_nothing_and_a_scheduler_is_nobody(tmp_path: Path) -> None:
    async def test(b: CellBranch) -> None:
        load = {"cell": "01", "article": "u_shield", "serial": "S1"}
        assert (await b.replenish(load, people=("zhang", "Zhang ")))["code"] == "unauthorized"
        assert (await b.replenish(load, people=("zhang", "centre")))["code"] == "invalid"
        assert b.lots() == []

    with_cabinet(tmp_path, test, loaded=False)


@pytest.mark.rule("STO-3")
def test_a_cell_that_shows_no_item_is_refused(tmp_path: Path) -> None:
    async def test(b: CellBranch) -> None:
        b.it.control("load", cell="02", serial=None)
        await b.load(confirmed=False)
        await b.when(lambda: b.shelf() == {"01": "sealed", "02": "empty", "03": "sealed"}, lambda: repr(b.shelf()))
        assert ("02", "declared", "empty", "item_missing") in b.stock_told()

    with_cabinet(tmp_path, test, loaded=False)


@pytest.mark.rule("STO-3")
@pytest.mark.parametrize(
    ("loads", "code"),
    [
        ([{"cell": "99", "article": "a", "serial": "S"}], "invalid"),
        ([{"cell": "01", "article": "a"}], "invalid"),
        ([{"cell": "01", "article": "a", "serial": "S"}, {"cell": "01"}], "invalid"),
        ([{"cell": "01", "article": "a", "serial": "cells-1-02"}], "conflict"),
        ([{"cell": "00; drop table", "article": "a", "serial": "S"}], "invalid"),
    ],
)
def test_what_cannot_be_loaded_is_refused_as_a_whole(tmp_path: Path, loads: list[dict[str, str]], code: str) -> None:
    async def test(b: CellBranch) -> None:
        good = {"cell": "03", "article": "other", "serial": "S3"}
        before = b.lots()
        assert (await b.replenish(good, *loads))["code"] == code
        assert b.lots() == before

    with_cabinet(tmp_path, test)


def test_a_cell_of_an_order_is_not_loaded_over_and_only_cabinets_are_loaded(tmp_path: Path) -> None:
    async def test(b: CellBranch) -> None:
        b.it.control("power", on=False)
        await b.token()
        assert (await b.replenish({"cell": "01"}))["code"] == "conflict"
        reply = await b.ask("stock.replenish", {"cells": [{"cell": "01"}], "people": ["a", "b"]}, subject="nobody")
        assert reply["code"] == "unknown_device"
        assert (await b.replenish({"cell": "02"}))["status"] == "accepted"
        assert b.shelf()["02"] == "empty"

    with_cabinet(tmp_path, test)


def test_without_an_item_sensor_every_order_ends_with_a_person(tmp_path: Path) -> None:
    async def test(b: CellBranch) -> None:
        await b.token(take_s=20)
        await b.until("needs_attention")
        assert b.order().reason == "cell_blind"
        assert b.shelf()["01"] == "shut"
        await b.resolve("o1", "take", "done", "zhang", "li")
        await b.until("completed")
        assert b.shelf()["01"] == "empty"
        b.verdict()

    with_cabinet(tmp_path, test, profile=profile_of(items=False), options={"item_board": None})


# -- two people before a cheque book -----------------------------------------------------------------------------------


@pytest.mark.rule("ORD-6")
def test_a_cheque_book_waits_for_two_people_and_lets_others_pass(tmp_path: Path) -> None:
    async def test(b: CellBranch) -> None:
        await b.submit("o1", scene="collect_cheque_book", parameters={"article": "u_shield", "take_s": 20})
        order = b.order()
        assert (order.state, order.waiting_for, order.reason) == ("waiting", "staff", "release_needed")
        facts = b.told("order.changed", "facts")[-1]
        assert facts["choices"] == ["release", "failed"]
        assert (facts["attempt"], facts["cell"], facts["serial"]) == ("o1/open/0", "01", "cells-1-01")
        await b.while_s(30)
        assert b.it.opening_frames == []
        assert (await b.resolve("o1", "open", "release", "zhang", k=0))["code"] == "unauthorized"
        assert (await b.resolve("o1", "open", "done", k=0))["code"] == "invalid"
        await b.submit("o2", scene="collect_cheque_book", parameters={"article": "u_shield", "take_s": 20})
        assert (await b.resolve("o2", "open", "release", k=0))["status"] == "accepted"
        await b.until("completed", order="o2")
        assert (await b.resolve("o1", "open", "release", k=0))["status"] == "accepted"
        await b.until("completed")
        assert b.step("open").facts["released_by"] == ["/people/zhang", "/people/li"]
        assert b.step("open").armings == 1
        b.verdict()

    with_cabinet(tmp_path, test, role="cheque-cabinet")


def test_one_person_may_refuse_it_and_its_cell_is_free_again(tmp_path: Path) -> None:
    async def test(b: CellBranch) -> None:
        await b.submit("o1", scene="collect_cheque_book", parameters={"article": "u_shield"})
        assert (await b.resolve("o1", "open", "failed", "zhang", k=0))["status"] == "accepted"
        await b.until("failed")
        assert b.shelf()["01"] == "sealed"
        assert b.states()["open"] == "skipped"
        b.verdict()

    with_cabinet(tmp_path, test, role="cheque-cabinet")


def test_a_release_is_asked_for_again_after_a_hold_and_kept_over_a_restart(tmp_path: Path) -> None:
    async def test(b: CellBranch) -> None:
        await b.submit("o1", scene="collect_cheque_book", parameters={"article": "u_shield", "take_s": 20})
        await b.ask("order.hold", subject="o1")
        assert b.order().state == "held"
        await b.ask("order.release", subject="o1")
        await b.when(lambda: b.order().reason == "release_needed")
        await b._end_tasks()
        await b.restart()
        await asyncio.sleep(20)
        assert b.order().reason == "release_needed"
        await b.resolve("o1", "open", "release", k=0)
        await b.until("completed")
        b.verdict()

    with_cabinet(tmp_path, test, role="cheque-cabinet")

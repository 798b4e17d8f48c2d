"""Several lanes and one order: a dispenser and printers that lose their sheets, their line or their tongue."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from device_drivers.device import Arming, NothingToDo, Outcome, Verdict, Whereabouts
from device_drivers.errors import DeviceRefused
from edge_agent.fleet.materials import NotReady
from edge_agent.orders.rows import OrderRow, StepRow
from tests.edge_agent.bench import Bench
from tests.edge_agent.machine import NEVER
from tests.edge_agent.orders.paper_scenes import PRINTERS, SCENES, WAYS
from tests.edge_agent.parts import Json, at
from tests.edge_agent.printer import FakePrinter, Printer
from tests.virtual_time import virtual_time

PRINTER, OTHER = PRINTERS


def paper_bench(folder: Path, scene: str, **more: Any) -> Bench:
    bench = Bench(folder, printers={name: Printer(name) for name in PRINTERS}, given={"scene": scene}, **more)
    bench.scenes = bench.scenes | SCENES
    return bench


async def choose(bench: Bench, choice: str, *people: str, **data: Any) -> Json:
    told = [event["data"].get("facts") or {} for event in bench.events("order.changed", order="o1")]
    asks = [facts for facts in told if "choices" in facts][-1]
    seen = {"step": asks["step"], "attempt": asks["attempt"], "choice": choice}
    reply = await bench.ask("order.resolve", {**seen, "people": list(people) or ["zhang", "li"], **data}, subject="o1")
    assert reply["status"] == "accepted", reply
    return reply


@pytest.mark.rule("ORD-9")
@pytest.mark.parametrize("scene", WAYS)
@virtual_time
async def test_card_and_sheet_come_once_in_any_order(tmp_path: Path, scene: str) -> None:
    async with paper_bench(tmp_path, scene) as bench:
        await bench.submit()
        await bench.until("completed")
        assert bench.machine.acts() == ["card_drawn", "card_presented"]
        assert [mark for _, mark in bench.printers[PRINTER].sheets()] == [0] * sum(s not in CARD for s in WAYS[scene])
        bench.verdict()


CARD = ("draw", "present", "take")


@pytest.mark.rule("ORD-9")
@pytest.mark.parametrize("word", ["late", "soon", "cut_soon"])
@pytest.mark.parametrize("scene", ["paper_between", "paper_last"])
@virtual_time
async def test_a_sheet_that_is_proven_late_is_printed_once(tmp_path: Path, word: str, scene: str) -> None:
    async with paper_bench(tmp_path, scene) as bench:
        press = bench.presses[PRINTER]
        press.plan.append(word)
        await bench.submit()
        await bench.when(lambda: bench.states()["receipt"] in ("in_doubt", "done"))
        await bench.while_s(5)
        press.up = True
        await bench.until("completed")
        assert bench.printers[PRINTER].sheets() == [("o1/receipt/1", 0)]
        assert ("needs_attention" in bench.told("order.changed", "to")) == (word != "late")
        memory = bench.one("SELECT memory FROM memories WHERE device = ?", PRINTER)
        assert memory is not None
        assert memory[0] == "{}"
        bench.verdict()


@pytest.mark.rule("ORD-3")
@pytest.mark.parametrize("word", ["mute", "nothing"])
@virtual_time
async def test_a_ticket_that_cannot_be_proven_comes_again_and_says_so(tmp_path: Path, word: str) -> None:
    async with paper_bench(tmp_path, "ticket_last") as bench:
        bench.presses[PRINTER].plan.append(word)
        await bench.submit()
        await bench.until("completed")
        assert bench.printers[PRINTER].sheets()[-1] == ("o1/ticket/2", 1)
        assert [p["reprint"] for p in bench.presses[PRINTER].params] == [0, 0, 1]  # the second asks for the first
        bench.verdict()


@pytest.mark.rule("ORD-6")
@pytest.mark.parametrize("dark", [False, True])
@virtual_time
async def test_a_receipt_that_nobody_can_prove_is_printed_elsewhere_and_marked(tmp_path: Path, dark: bool) -> None:
    async with paper_bench(tmp_path, "paper_last") as bench:
        bench.presses[PRINTER].plan.append("mute")
        await bench.submit()
        await bench.until("needs_attention")
        bench.presses[PRINTER].up = not dark
        await bench.while_s(20)
        await choose(bench, "again", device=OTHER)
        await bench.until("completed", patience_s=5)
        assert bench.printers[OTHER].sheets() == [("o1/receipt/2", 1)]
        assert bench.printers[PRINTER].sheets() == [("o1/receipt/1", 0)]
        bench.verdict()


@pytest.mark.rule("ORD-3")
@pytest.mark.rule("ORD-6")
@virtual_time
async def test_peoples_word_that_nothing_came_out_is_no_evidence_and_the_next_sheet_is_marked(tmp_path: Path) -> None:
    async with paper_bench(tmp_path, "paper_last") as bench:
        bench.presses[PRINTER].plan.extend(["mute", "unsent"])
        await bench.submit()
        await bench.until("needs_attention")
        await choose(bench, "no_effect")
        await bench.when(lambda: bench.step("receipt").armings == 2)
        await bench.until("needs_attention")
        bench.presses[PRINTER].up = True
        await choose(bench, "again")
        await bench.until("completed")
        assert bench.printers[PRINTER].sheets() == [("o1/receipt/1", 0), ("o1/receipt/3", 1)]  # the unsent counts not
        assert bench.told("order.corrected", "truth") == []


@pytest.mark.rule("ORD-8")
@virtual_time
async def test_a_printer_that_finds_its_tongue_after_people_decided_is_heard(tmp_path: Path) -> None:
    async with paper_bench(tmp_path, "paper_last") as bench:
        bench.presses[PRINTER].plan.append("soon")
        await bench.submit()
        await bench.until("needs_attention")
        await choose(bench, "by_hand", "zhang")
        await bench.until("partly_completed")
        await bench.while_s(60)
        assert bench.told("order.corrected", "attempt", "truth") == [("o1/receipt/1", "done")]
        bench.verdict()


@virtual_time
async def test_a_line_cut_in_mid_print_leaves_the_choice_to_people_while_it_is_away(tmp_path: Path) -> None:
    async with paper_bench(tmp_path, "paper_last") as bench:
        bench.presses[PRINTER].plan.append("cut_soon")
        await bench.submit()
        await bench.when(lambda: bench.states()["receipt"] == "in_doubt")
        await bench.until("waiting")
        seen = {"step": "receipt", "attempt": "o1/receipt/1", "choice": "again", "device": OTHER}
        reply = await bench.ask("order.resolve", {**seen, "people": ["zhang", "li"]}, subject="o1")
        assert reply["status"] == "accepted"
        await bench.until("completed", patience_s=5)
        bench.presses[PRINTER].up = True
        await bench.while_s(60)
        assert bench.told("order.corrected", "attempt", "truth") == [("o1/receipt/1", "done")]
        bench.verdict()


@pytest.mark.rule("ORD-7")
@virtual_time
async def test_a_card_left_standing_is_captured_and_its_receipt_void(tmp_path: Path) -> None:
    async with paper_bench(tmp_path, "paper_between") as bench:
        bench.machine.customer_s = NEVER
        await bench.submit(parameters={"take_s": 3})
        await bench.until("failed")
        assert bench.machine.acts() == ["card_drawn", "card_presented", "card_captured"]
        assert bench.printers[PRINTER].voided() == ["o1/receipt/1"]
        bench.verdict()


@pytest.mark.rule("PHY-7")
@virtual_time
async def test_a_jam_past_the_return_shuts_that_printer_only(tmp_path: Path) -> None:
    async with paper_bench(tmp_path, "paper_last") as bench:
        bench.presses[PRINTER].plan.append("jam")
        await bench.submit("o1")
        await bench.until("needs_attention")
        assert bench.lane(PRINTER).shut
        await bench.submit("o2")
        await bench.until("completed", order="o2")  # by the other printer
        assert bench.printers[OTHER].sheets() == [("o2/receipt/1", 0)]
        await choose(bench, "again")
        await bench.until("completed")
        assert "recover" in bench.presses[PRINTER].calls
        assert bench.printers[PRINTER].sheets()[-1] == ("o1/receipt/2", 1)


@virtual_time
async def test_a_printer_that_tore_the_paper_serves_others_while_people_think(tmp_path: Path) -> None:
    async with paper_bench(tmp_path, "paper_last") as bench:
        del bench.printers[OTHER], bench.presses[OTHER], bench.lanes[OTHER]
        bench.places = bench.places[:2]
        bench.presses[PRINTER].plan.append("torn")
        await bench.submit("o1")
        await bench.until("needs_attention")
        await bench.submit("o2", scene="paper_last")
        await bench.until("completed", order="o2")
        await choose(bench, "skip", "zhang")
        await bench.until("partly_completed")


@virtual_time
async def test_an_order_whose_printer_is_away_says_so_and_goes_on_when_it_is_back(tmp_path: Path) -> None:
    async with paper_bench(tmp_path, "paper_last") as bench:
        for press in bench.presses.values():
            press.up = False
        await bench.submit()
        await bench.when(lambda: bench.order().step == "receipt")
        row = await bench.until("waiting")
        assert (row.waiting_for, row.device) == ("device", PRINTER)
        bench.presses[PRINTER].up = True
        await bench.until("completed")
        bench.verdict()


@virtual_time
async def test_what_is_always_refused_is_given_up_at_once(tmp_path: Path) -> None:
    async with paper_bench(tmp_path, "paper_last") as bench:
        bench.printers[PRINTER].never = True
        await bench.submit()
        row = await bench.until("needs_attention")
        assert row.reason == "unsupported_data"
        (asked,) = [e["data"]["facts"] for e in bench.events("order.changed") if e["data"]["to"] == "needs_attention"]
        assert asked["evidence"] == {"sent": False, "where": "text"}
        assert bench.presses[PRINTER].calls.count("arm print_receipt") == 1
        await choose(bench, "again", device=OTHER)
        await bench.until("completed")
        assert bench.printers[OTHER].sheets() == [("o1/receipt/1", 0)]


class Slow:
    """Brings what is printed after a while, or never."""

    def __init__(self, waits_for: str) -> None:
        self.waits_for = waits_for
        self.asked: list[tuple[str, int]] = []

    async def gather(self, order: OrderRow, step: StepRow, attempt: str, reprint: int) -> dict[str, Any]:
        self.asked.append((attempt, reprint))
        if step.name == "receipt" and len(self.asked) < 6:
            raise NotReady("document_unreachable", waits_for=self.waits_for)
        if step.template_form is None:
            return {}
        return {"sheet": {"template": step.template_form, "values": {"order": order.id}}}


@virtual_time
async def test_what_is_still_being_fetched_is_waited_for(tmp_path: Path) -> None:
    slow = Slow("remote")
    async with paper_bench(tmp_path, "paper_last", materials=slow) as bench:
        await bench.submit()
        await bench.when(lambda: bench.order().step == "receipt")
        row = await bench.until("waiting")
        assert (row.waiting_for, row.reason) == ("remote", "document_unreachable")
        await bench.until("completed")
        printed = bench.presses[PRINTER].params[-1]
        assert printed["sheet"]["values"] == {"order": "o1"}
        assert printed["sheet"]["template"]
        assert (printed["attempt"], printed["reprint"]) == ("o1/receipt/1", 0)


@virtual_time
async def test_what_can_never_be_fetched_is_given_up(tmp_path: Path) -> None:
    async with paper_bench(tmp_path, "paper_between", materials=Slow("never")) as bench:
        await bench.submit()
        row = await bench.until("failed")
        assert row.reason == "document_unreachable"
        assert bench.machine.acts() == ["card_drawn", "card_captured"]
        assert bench.printers[PRINTER].ledger == []


@virtual_time
async def test_a_question_about_a_sheet_gets_no_sheet(tmp_path: Path) -> None:
    async with paper_bench(tmp_path, "paper_last", materials=Slow("remote")) as bench:
        bench.presses[PRINTER].plan.append("late")
        await bench.submit()
        await bench.until("completed")
        acted, asked = bench.presses[PRINTER].params
        assert ("sheet" in acted, "sheet" in asked) == (True, False)


@pytest.mark.rule("ORD-5")
@pytest.mark.rule("ORD-9")
@pytest.mark.parametrize("word", ["ok", "late", "soon", "mute"])
@virtual_time
async def test_a_death_in_mid_print_prints_nothing_twice_unasked(tmp_path: Path, word: str) -> None:
    async with paper_bench(tmp_path, "paper_last") as bench:
        died = asyncio.Event()

        async def die(_act: str) -> None:
            died.set()
            await asyncio.Event().wait()

        bench.presses[PRINTER].before_act = die
        await bench.submit()
        await died.wait()
        await bench.restart()
        await bench.until("needs_attention")
        assert bench.printers[PRINTER].sheets() == []
        bench.presses[PRINTER].plan.append(word)
        await choose(bench, "again")
        if word == "mute":
            await bench.while_s(30)
            await bench.restart()
            assert (await bench.until("needs_attention")).reason == "no_answer"
            await choose(bench, "done")
        await bench.until("completed")
        assert bench.printers[PRINTER].sheets() == [("o1/receipt/2", 1)]
        bench.verdict()


@pytest.mark.rule("ORD-7")
@pytest.mark.parametrize("held_back", ["hold", "clock"])
@virtual_time
async def test_what_was_printed_is_voided_though_the_order_is_held_or_nobody_knows_the_time(
    tmp_path: Path, held_back: str
) -> None:
    """The printer is not the order's own any more: it stands in its queue, where the held and the timed are passed."""
    async with paper_bench(tmp_path, "paper_first") as bench:
        bench.driver.up = False  # the card that comes next
        await bench.submit(deadline=at(3600))
        await bench.when(lambda: bench.states()["receipt"] == "done")
        if held_back == "hold":
            assert (await bench.ask("order.hold", {}, subject="o1"))["status"] == "accepted"
        else:
            bench.wall.known = False
        assert (await bench.ask("order.cancel", {}, subject="o1"))["status"] == "accepted"
        await bench.until("cancelled")
        assert bench.states()["receipt.undo"] == "done"
        assert bench.machine.acts() == []
        bench.verdict()


@pytest.mark.rule("ORD-7")
@virtual_time
async def test_what_a_device_refuses_says_nothing_of_an_order_that_went_elsewhere_meanwhile(tmp_path: Path) -> None:
    async with paper_bench(tmp_path, "paper_first") as bench:

        async def refuse(_act: str) -> None:
            assert (await bench.ask("order.cancel", {}, subject="o1"))["status"] == "accepted"
            raise DeviceRefused("stacker_empty", waits_for="stock")

        bench.driver.after_arm = refuse
        await bench.submit()
        await bench.until("cancelled")
        assert ("waiting", "stacker_empty") not in bench.told("order.changed", "to", "reason", order="o1")
        assert bench.told("order.changed", "to", order="o1") == ["accepted", "running", "cancelling", "cancelled"]
        bench.verdict()


SAYS = {
    "never": DeviceRefused("unsupported_data", waits_for="never"),
    "needless": NothingToDo(Verdict(Outcome.DONE, "needless", Whereabouts.CUSTOMER)),
}


@pytest.mark.rule("ORD-6")
@pytest.mark.parametrize("says", SAYS.values(), ids=SAYS)
@virtual_time
async def test_what_a_printer_says_of_a_step_that_people_gave_to_another_meanwhile_is_not_heard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: Exception
) -> None:
    async with paper_bench(tmp_path, "paper_last") as bench:
        for press in bench.presses.values():
            press.refuses = "cover_open"
        await bench.submit()
        await bench.when(lambda: bench.order().waiting_for == "device")

        async def arm(_self: FakePrinter, _act: str, _params: Json) -> Arming:
            monkeypatch.undo()
            data = {"step": "receipt", "attempt": "o1/receipt/0", "choice": "again", "people": ["zhang", "li"]}
            reply = await bench.ask("order.resolve", {**data, "device": OTHER}, subject="o1")
            assert reply["status"] == "accepted", reply
            raise says

        monkeypatch.setattr(FakePrinter, "arm", arm)
        await bench.when(lambda: bench.order().device == OTHER)
        await bench.while_s(20)
        bench.presses[OTHER].refuses = ""
        await bench.until("completed", patience_s=30)
        assert bench.printers[OTHER].sheets() == [("o1/receipt/1", 0)]
        bench.verdict()

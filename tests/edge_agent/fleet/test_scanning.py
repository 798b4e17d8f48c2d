"""The whole way of a code in memory: a customer scans, the order's lane goes on, the machine acts once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from device_drivers.device import Happening, Scan
from edge_agent.orders.codes import hash_of
from edge_agent.orders.scenes import load_scenes
from tests.edge_agent.parts import at
from tests.edge_agent.sensor import SensingBench, Site
from tests.virtual_time import virtual_time

SCENE = "collect_card_by_code"


def shown(code: str) -> Happening:
    return Happening("code_scanned", code=Scan(code, code[-4:]))


def bench(folder: Path, site: Site, **members: Any) -> SensingBench:
    return SensingBench(folder, sites={"scanner-1": site}, speaks=True, observe_s=3600.0, **members)


async def submit(it: SensingBench, order: str, code: str, **data: Any) -> None:
    await it.submit(order, scene=SCENE, code_sha256=hash_of(code), **data)


@pytest.mark.rule("ORD-14")
@virtual_time
async def test_each_customer_gets_his_own_card_in_the_order_in_which_they_scan(tmp_path: Path) -> None:
    site = Site()
    async with bench(tmp_path, site) as it:
        for n in range(3):
            await submit(it, f"o{n}", f"PICKUP-000{n}")
        await it.while_s(60)
        assert it.machine.ledger == []
        site.say(shown("PICKUP-0001"))
        await it.until("completed", order="o1")
        site.say(shown("PICKUP-0000"), shown("PICKUP-0001"), shown("PICKUP-0000"))
        await it.until("completed", order="o0")
        assert it.order("o2").state == "waiting"
        assert it.told("code.scanned", "order", "result") == [
            ("o1", "released"),
            ("o0", "released"),
            ("o1", "ended"),
            ("o0", "already"),
        ]
        site.say(shown("PICKUP-0002"))
        await it.until("completed", order="o2")
        it.verdict()


@virtual_time
async def test_those_who_wait_for_a_code_hold_up_nobody_else_and_stay_so_whatever_the_machine_does(
    tmp_path: Path,
) -> None:
    site = Site()
    async with bench(tmp_path, site) as it:
        await submit(it, "o1", "PICKUP-4417", priority=50)
        await it.submit("o2")
        await it.until("completed", order="o2")
        it.driver.up = False
        await it.while_s(30)
        it.driver.up = True
        await it.ask("order.hold", {}, subject="o1")
        await it.ask("order.release", {}, subject="o1")
        await it.while_s(30)
        order = it.order("o1")
        assert (order.state, order.waiting_for, order.reason) == ("waiting", "customer", "awaits_code")
        site.say(shown("PICKUP-4417"))
        await it.until("completed", order="o1")
        it.verdict()


@pytest.mark.rule("ORD-14")
@pytest.mark.parametrize("wait_s", [0.0, 0.01, 0.3, 0.9, 2.0])
@virtual_time
async def test_a_restart_in_between_makes_no_scan_count_twice_nor_not_at_all(tmp_path: Path, wait_s: float) -> None:
    """What was told as released goes on after the restart; what was not told may be scanned again."""
    site = Site()
    async with bench(tmp_path, site) as it:
        await submit(it, "o1", "PICKUP-4417")
        await it.while_s(5)
        site.say(shown("PICKUP-4417"))
        await it.while_s(wait_s)
        await it.restart()
        await it.while_s(1)
        if it.told("code.scanned", "result") == []:
            site.say(shown("PICKUP-4417"))
        await it.until("completed", order="o1")
        site.say(shown("PICKUP-4417"))
        await it.while_s(5)
        results = it.told("code.scanned", "result")
        assert results[0] == "released"
        assert set(results[1:]) <= {"already", "ended"}
        it.verdict()


@virtual_time
async def test_a_code_of_an_order_whose_deadline_has_passed_starts_nothing(tmp_path: Path) -> None:
    site = Site()
    async with bench(tmp_path, site) as it:
        await submit(it, "o1", "PICKUP-4417", deadline=at(30))
        await it.while_s(2)
        it.wall.seconds = 60
        await it.until("expired", order="o1")
        site.say(shown("PICKUP-4417"))
        await it.while_s(5)
        assert it.told("code.scanned", "result", "state") == [("ended", "expired")]
        assert it.machine.ledger == []


@virtual_time
async def test_the_centre_names_the_order_of_a_code_that_nobody_here_knows(tmp_path: Path) -> None:
    site = Site()
    async with bench(tmp_path, site) as it:
        await it.submit("o1", scene=SCENE)
        site.say(shown("APP-SESSION-77"))
        await it.when(lambda: bool(it.events("code.scanned")))
        (asked,) = it.told("code.scanned", "scan")
        await it.ask("code.resolve", {"scan": asked, "order": "o1"})
        await it.until("completed", order="o1")
        it.verdict()


@virtual_time
async def test_with_its_card_ready_in_the_machine_an_order_waits_for_the_code_whatever_the_line_does(
    tmp_path: Path,
) -> None:
    site, scenes = Site(), load_scenes()
    steps = [s.model_copy(update={"awaits_code": s.name == "present"}) for s in scenes[SCENE].step]
    scenes |= {SCENE: scenes[SCENE].model_copy(update={"step": steps})}
    async with bench(tmp_path, site, scenes=scenes) as it:
        await submit(it, "o1", "PICKUP-4417")
        await it.until("waiting", order="o1")
        it.driver.up = False
        await it.while_s(30)
        it.driver.up = True
        await it.while_s(30)
        assert (it.order("o1").waiting_for, it.order("o1").reason) == ("customer", "awaits_code")
        assert [line["act"] for line in it.machine.ledger] == ["card_drawn"]
        site.say(shown("PICKUP-4417"))
        await it.until("completed", order="o1")
        it.verdict()

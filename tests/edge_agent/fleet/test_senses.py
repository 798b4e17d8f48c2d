"""What a lane makes of a device that observes: readings, sums by the hour, what it says unasked, its inputs."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud_bridge.messages.catalogue import READING
from device_drivers.device import Happening, Reading
from edge_agent.fleet.notebook import DeviceNotebook
from edge_agent.fleet.tally import Tally
from tests.edge_agent.parts import DEVICE, Wall
from tests.edge_agent.sensor import ActingCounter, SensingBench, Site
from tests.virtual_time import run, virtual_time


def loop_wall(later_s: float = 0.0) -> Wall:
    """A wall clock that goes with the loop's; noon plus `later_s` when it is made."""
    began = asyncio.get_running_loop().time()
    return Wall(seconds=later_s, follow=lambda: asyncio.get_running_loop().time() - began)


# -- readings ----------------------------------------------------------------------------------------------------------


@pytest.mark.rule("DEV-3")
@virtual_time
async def test_a_reading_has_raw_value_delta_unit_and_time(tmp_path: Path) -> None:
    site = Site(raw=990)
    async with SensingBench(tmp_path, wall=loop_wall(), sites={"door": site}) as bench:
        await bench.when(lambda: len(bench.read()) == 1)
        site.count(4)
        await bench.when(lambda: len(bench.read()) == 2)
        first, second = (members for of, members in bench.observed if of == "door")
        assert first["readings"] == [{"name": "in", "raw": 990, "unit": "people"}]
        assert second["readings"] == [{"name": "in", "raw": 994, "unit": "people", "delta": 4}]
        assert (first["time"], second["time"]) == ("2026-03-02T12:00:00.000Z", "2026-03-02T12:00:10.000Z")
        for members in (first, second):
            READING.model.model_validate({**members, "journal": "j", "after": 0})


@pytest.mark.rule("DEV-3")
@virtual_time
async def test_a_counter_that_wrapped_is_flagged_and_its_hour_says_how_often(tmp_path: Path) -> None:
    site = Site(raw=990)
    async with SensingBench(tmp_path, wall=loop_wall(), sites={"door": site}) as bench:
        await bench.when(lambda: len(bench.read()) == 1)
        site.count(30)
        await bench.when(lambda: len(bench.read()) == 2)
        assert bench.read()[-1] == {"name": "in", "raw": 20, "unit": "people", "delta": 30, "flag": "wrapped"}
        await bench.while_s(3600)
        (hour,) = bench.counted()
        assert hour["sums"]["in"]["sum"] == 30
        assert hour["sums"]["in"]["flags"] == {"wrapped": 1}


@pytest.mark.rule("DEV-3")
@virtual_time
async def test_an_hour_is_told_once_also_one_in_which_nobody_came(tmp_path: Path) -> None:
    site = Site()
    async with SensingBench(tmp_path, wall=loop_wall(), sites={"door": site}) as bench:
        await bench.while_s(1800)
        site.count(12)
        await bench.while_s(2 * 3600)
        told = [(hour["hour"], hour["sums"]["in"]["sum"], hour["clock"]) for hour in bench.counted()]
        assert told == [("2026-03-02T12:00:00.000Z", 12, "synced"), ("2026-03-02T13:00:00.000Z", 0, "synced")]


@pytest.mark.rule("DEV-3")
@virtual_time
async def test_an_hour_that_ended_while_the_device_or_the_agent_was_away_is_told_all_the_same(tmp_path: Path) -> None:
    site = Site()
    async with SensingBench(tmp_path, wall=loop_wall(), sites={"door": site}) as bench:
        await bench.while_s(20)
        site.count(5)
        await bench.while_s(100)
        site.up = False
        await bench.restart()
        await bench.while_s(3600)
        assert [(hour["hour"][11:13], hour["sums"]["in"]["sum"]) for hour in bench.counted()] == [("12", 5)]


@given(st.lists(st.tuples(st.integers(0, 40), st.floats(0.5, 200), st.booleans()), min_size=1, max_size=25))
@settings(max_examples=6, deadline=None)
def test_no_crash_counts_a_person_twice_or_leaves_one_out(tmp_path_factory: Any, plan: list[Any]) -> None:
    """The raw value that the driver remembers and the sum that it belongs to go to disk together."""
    folder = tmp_path_factory.mktemp("sums")

    async def a_day() -> None:
        site, came = Site(), 0
        bench = SensingBench(folder, wall=loop_wall(), sites={"door": site}, fast=True, idle_poll_s=600.0)
        bench.observe_s = 45.0
        async with bench:
            await bench.when(lambda: bool(bench.read()))
            await bench.while_s(70)  # its first value is on disk
            for people, seconds, crash in plan:
                site.count(people)
                came += people
                await bench.while_s(seconds)
                if crash:
                    await bench.restart()
            await bench.while_s(7300)
            assert sum(hour["sums"]["in"]["sum"] for hour in bench.counted()) == came

    run(a_day())


@virtual_time
async def test_a_counter_that_went_back_is_kept_at_once_for_it_may_count_beyond_what_was_kept(tmp_path: Path) -> None:
    site = Site(raw=100, cleared=True)
    bench = SensingBench(tmp_path, wall=loop_wall(), sites={"door": site}, fast=True)
    async with bench:
        await bench.while_s(70)  # 100 is on disk
        site.count(60)
        await bench.when(lambda: bench.read()[-1]["raw"] == 160)
        site.raw = 40  # it was cleared, and 40 passed since
        await bench.when(lambda: bench.read()[-1]["raw"] == 40)
        await bench.restart()
        site.count(130)  # 170: more than was kept before the clearing
        await bench.while_s(2 * 3600)
        assert sum(hour["sums"]["in"]["sum"] for hour in bench.counted()) == 60 + 40 + 130


def test_a_value_that_was_not_believed_adds_nobody_to_its_hour_and_is_told_with_it() -> None:
    tally = Tally("door")
    tally.add([Reading("in", 7, "people")], {}, "noon")  # the first look of all
    assert not tally.hours
    tally.add([Reading("in", 999_999, "people", None, "jumped"), Reading("out", 3, "people", 3)], {}, "noon")
    summed = {name: (one.sum, dict(one.flags)) for (_, name), one in tally.pending.items()}
    assert summed == {"in": (0, {"jumped": 1}), "out": (3, {})}


@virtual_time
async def test_a_clock_that_is_set_back_tells_an_hour_in_parts_that_add_up(tmp_path: Path) -> None:
    site, wall = Site(), loop_wall()
    async with SensingBench(tmp_path, wall=wall, sites={"door": site}) as bench:
        for lie_s in (0, -3600, 0, 3600):
            await bench.while_s(30)
            wall.lie_s = lie_s
            site.count(10)
        await bench.while_s(3 * 3600)
        assert sum(hour["sums"]["in"]["sum"] for hour in bench.counted()) == 40


@virtual_time
async def test_sums_wait_for_a_disk_that_takes_nothing(tmp_path: Path) -> None:
    site = Site()
    async with SensingBench(tmp_path, wall=loop_wall(), sites={"door": site}, idle_poll_s=600.0) as bench:
        await bench.while_s(100)
        bench.disk.full = True
        site.count(8)
        await bench.while_s(200)
        bench.disk.full = False
        await bench.while_s(3600)
        assert [hour["sums"]["in"]["sum"] for hour in bench.counted()] == [8]
        assert bench.sensors["door"].calls.count("connect") == 1  # and its lane went on all the while


# -- the lane ----------------------------------------------------------------------------------------------------------


@virtual_time
async def test_a_device_is_looked_at_between_steps_and_no_step_waits_for_a_look(tmp_path: Path) -> None:
    async with SensingBench(tmp_path, observe_s=0.5) as bench:
        driver = ActingCounter(bench.machine, DeviceNotebook(bench.journal, DEVICE))
        await bench._end_tasks()
        bench.drivers[DEVICE] = driver
        bench._open_lane(DEVICE, "card-dispenser", driver)
        bench._equip(bench.lanes[DEVICE]._p, DEVICE)
        bench._begin()
        await bench.when(lambda: "observe" in driver.calls)
        await bench.submit()
        await bench.until("completed", "waiting")
        begun = driver.calls.index("arm draw_card")
        done = driver.calls.index("arm present_card")
        assert driver.calls[begun:done].count("observe") <= 1
        assert "observe" in driver.calls[begun : driver.calls.index("watch fresh")]


@virtual_time
async def test_a_dead_sensor_costs_the_others_nothing(tmp_path: Path) -> None:
    """DEV-2 too: its loss is told once."""
    site = Site(up=True, question_s=0.0)
    async with SensingBench(tmp_path, sites={"door": site}) as bench:
        await bench.when(lambda: bool(bench.read()))
        site.up, site.question_s = False, 30.0
        await bench.submit()
        began = asyncio.get_running_loop().time()
        await bench.until("waiting", "completed")
        assert asyncio.get_running_loop().time() - began < 5
        await bench.while_s(600)
        told = [(e["data"]["state"], e["data"]["reason"]) for e in bench.events("device.changed")]
        assert told == [("offline", "no_answer")]
        site.up = True
        await bench.while_s(120)
        assert [e["data"]["state"] for e in bench.events("device.changed")] == ["offline", "online"]


# -- what it says unasked ----------------------------------------------------------------------------------------------


@virtual_time
async def test_what_it_says_is_told_once_and_is_on_disk_before_it_is_listened_to_again(tmp_path: Path) -> None:
    site = Site()
    async with SensingBench(tmp_path, sites={"door": site}, speaks=True, observe_s=3600.0) as bench:
        await bench.when(lambda: "listen" in bench.sensors["door"].calls)
        commits = bench.disk.commits
        site.say(Happening("batch_counted", {"notes": 100}, memory={"last": 17}))
        await bench.when(lambda: bench.disk.commits > commits)
        assert bench.told("device.changed", "state", "facts") == [("batch_counted", {"notes": 100})]
        assert bench.sensors["door"].calls[-1] == "listen"
        site.say(Happening("batch_counted", {"notes": 1}), Happening("batch_counted", {"notes": 2}))
        await bench.while_s(1)
        assert [facts["notes"] for facts in bench.told("device.changed", "facts")] == [100, 1, 2]
        assert await DeviceNotebook(bench.journal, "door").memory() == {"last": 17, "raw": 0}


@virtual_time
async def test_whoever_listens_is_interrupted_for_a_look_and_hears_on(tmp_path: Path) -> None:
    site = Site()
    async with SensingBench(tmp_path, sites={"door": site}, speaks=True, observe_s=1.0) as bench:
        for n in range(20):
            await bench.while_s(0.7)
            bench.lanes["door"].wake()
            site.say(Happening("batch_counted", {"n": n}))
        await bench.while_s(2)
        assert [facts["n"] for facts in bench.told("device.changed", "facts")] == list(range(20))
        assert bench.sensors["door"].calls.count("observe") >= 10
        assert bench.lanes["door"].faults == 0


@virtual_time
async def test_what_was_heard_is_written_when_the_disk_takes_it_again(tmp_path: Path) -> None:
    site = Site()
    async with SensingBench(tmp_path, sites={"door": site}, speaks=True, observe_s=3600.0) as bench:
        await bench.when(lambda: "listen" in bench.sensors["door"].calls)
        bench.disk.full = True
        site.say(Happening("batch_counted", {"notes": 100}, (Reading("notes", 100, "notes", 100),)))
        await bench.while_s(30)
        assert bench.told("device.changed", "state") == []
        bench.disk.full = False
        await bench.while_s(60)
        assert bench.told("device.changed", "state") == ["batch_counted"]
        assert bench.lanes["door"].faults == 0


@virtual_time
async def test_a_stop_does_not_wait_for_a_device_that_is_silent(tmp_path: Path) -> None:
    async with SensingBench(tmp_path, sites={"door": Site()}, speaks=True) as bench:
        await bench.when(lambda: "listen" in bench.sensors["door"].calls)
        began = asyncio.get_running_loop().time()
        await bench.lanes["door"].stop(40.0)
        await bench.when(lambda: bench.sensors["door"].calls[-1] == "disconnect")
        assert asyncio.get_running_loop().time() - began < 1


@virtual_time
async def test_a_line_that_is_lost_while_it_is_listened_to_is_told(tmp_path: Path) -> None:
    site = Site()
    async with SensingBench(tmp_path, sites={"door": site}, speaks=True, idle_poll_s=3600.0) as bench:
        await bench.when(lambda: "listen" in bench.sensors["door"].calls)
        site.up = False
        site.changed.set()
        await bench.when(lambda: bench.told("device.changed", "state") == ["offline"], patience_s=2)


# -- inputs ------------------------------------------------------------------------------------------------------------


@virtual_time
async def test_a_door_that_opens_is_told_once_also_over_a_restart(tmp_path: Path) -> None:
    site = Site(words={"cabinetDoor": "closed", "panicButton": "off"})
    async with SensingBench(tmp_path, sites={"door": site}, observe_s=1.0) as bench:
        await bench.while_s(5)
        assert bench.events("device.changed") == []
        site.words["cabinetDoor"] = "open"
        await bench.while_s(60)
        (told,) = bench.events("device.changed")
        assert told["data"]["state"] == "input_changed"
        assert told["data"]["facts"] == {"input": "cabinetDoor", "from": "closed", "to": "open", "bounces": 0}
        assert bench.twins[-1]["auxiliaries"] == {"cabinetDoor": "open", "panicButton": "off"}
        await bench.restart()
        await bench.while_s(60)
        assert len(bench.events("device.changed")) == 1
        site.words["cabinetDoor"] = "closed"  # while nobody looks
        await bench.restart()
        await bench.while_s(60)
        assert [facts["to"] for facts in bench.told("device.changed", "facts")] == ["open", "closed"]


@virtual_time
async def test_a_change_that_could_not_be_told_is_told_later(tmp_path: Path) -> None:
    site = Site(words={"cabinetDoor": "closed"})
    async with SensingBench(tmp_path, sites={"door": site}, observe_s=1.0) as bench:
        await bench.while_s(5)
        bench.disk.full = True
        site.words["cabinetDoor"] = "open"
        await bench.while_s(20)
        bench.disk.full = False
        await bench.while_s(60)
        assert [facts["to"] for facts in bench.told("device.changed", "facts") if facts] == ["open"]

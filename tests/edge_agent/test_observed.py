"""Readings that wait to go up: few of each device, in turn, what is left out is counted."""

from __future__ import annotations

import asyncio

import pytest

from cloud_bridge.ports import READING_EXPIRY_S
from edge_agent.observed import MOST_NAMES, PER_DEVICE, LastReadings, ReadingBox
from tests.virtual_time import virtual_time


@pytest.mark.rule("DEV-4")
def test_a_device_that_speaks_all_the_time_sheds_its_own_oldest_and_says_so() -> None:
    box = ReadingBox(lambda: 0.0)
    box.put("calm", {"n": 0})
    for n in range(100):
        box.put("mad", {"n": n})
    taken = [box.take() for _ in range(PER_DEVICE + 1)]
    assert taken[0] == ("calm", {"n": 0})
    assert taken[1] == ("mad", {"n": 100 - PER_DEVICE, "shed": 100 - PER_DEVICE})
    assert taken[2:] == [("mad", {"n": n}) for n in range(101 - PER_DEVICE, 100)]
    assert box.take() is None


def test_devices_take_turns() -> None:
    box = ReadingBox(lambda: 0.0)
    for n in range(3):
        box.put("a", {"n": n})
        box.put("b", {"n": n})
    assert [taken[0] for _ in range(6) if (taken := box.take())] == ["a", "b"] * 3


def test_what_is_old_is_left_out_and_counted() -> None:
    now = [0.0]
    box = ReadingBox(lambda: now[0])
    box.put("a", {"n": 0})
    now[0] = READING_EXPIRY_S + 1.0
    assert box.take() is None
    box.put("a", {"n": 1})
    assert box.take() == ("a", {"n": 1, "shed": 1})


@virtual_time
async def test_it_says_when_there_is_something() -> None:
    box = ReadingBox()
    waiting = asyncio.create_task(box.filled())
    await asyncio.sleep(1)
    assert not waiting.done()
    box.put("a", {})
    await waiting
    assert box.take() == ("a", {})
    assert box.take() is None
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await box.filled()


def test_the_last_of_each_name_is_kept_with_its_age_and_no_more_than_a_bound() -> None:
    now = [0.0]
    last = LastReadings(lambda: now[0])
    last.put("door", {"time": "t1", "readings": [{"name": "in", "raw": 1}, {"name": "out", "raw": 5}]})
    now[0] = 10.0
    last.put("door", {"time": "t2", "readings": [{"name": "in", "raw": 3}]})
    now[0] = 14.0
    told = [(one.members["name"], one.members["raw"], one.time, one.age_s) for one in last.of("door")]
    assert told == [("in", 3, "t2", 4.0), ("out", 5, "t1", 14.0)]
    assert last.of("other") == ()
    for n in range(MOST_NAMES):
        last.put("door", {"time": "t3", "readings": [{"name": f"n{n}", "raw": n}]})
    names = {one.members["name"] for one in last.of("door")}
    assert len(names) == MOST_NAMES
    assert "in" not in names

"""A device looked at because somebody asks: at once where its lane rests or waits to try again, never in mid-act."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from cloud_bridge.ports import StoreFailed
from edge_agent.journal.journal import Journal
from tests.edge_agent.bench import Bench
from tests.edge_agent.fleet.test_lane import now
from tests.virtual_time import virtual_time

RARELY_S = 10_000.0


def probes(bench: Bench) -> int:
    return bench.driver.calls.count("probe")


@virtual_time
async def test_a_device_at_rest_is_looked_at_at_once(tmp_path: Path) -> None:
    async with Bench(tmp_path, idle_poll_s=RARELY_S) as bench:
        await bench.while_s(3)
        looked, began = probes(bench), now()
        await asyncio.gather(bench.only_lane.look(), bench.only_lane.look())
        assert now() - began < 1
        assert probes(bench) == looked + 1, "for all who ask together"


@virtual_time
async def test_a_device_that_is_back_is_found_before_the_next_attempt_was_due(tmp_path: Path) -> None:
    async with Bench(tmp_path) as bench:
        bench.driver.up = False
        await bench.while_s(300)  # an attempt in fifteen seconds by now
        began = now()
        await bench.only_lane.look()
        assert now() - began < 1
        assert bench.only_lane.state == "offline"
        bench.driver.up = True
        await bench.only_lane.look()
        assert now() - began < 3
        assert bench.only_lane.state == "online"


@virtual_time
async def test_no_look_comes_between_an_acts_frames_and_whoever_gives_up_is_forgotten(tmp_path: Path) -> None:
    async with Bench(tmp_path, idle_poll_s=RARELY_S) as bench:
        await bench.submit()
        await bench.when(lambda: bench.states()["draw"] == "acting")
        looked = probes(bench)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await bench.only_lane.look()
        assert not bench.only_lane._looks.wanted
        await bench.only_lane.look()
        assert bench.states()["draw"] == "done"
        assert probes(bench) == looked + 1


@virtual_time
async def test_a_lane_that_can_write_nothing_rests_on_whoever_asks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Bench(tmp_path) as bench:
        await bench.while_s(3)
        bench.driver.up = False
        await bench.while_s(100)
        tries = 0

        async def full(self: Journal, work: object) -> None:
            nonlocal tries
            tries += 1
            raise StoreFailed("disk_full")

        with monkeypatch.context() as patch:
            patch.setattr(Journal, "write", full)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(60):
                    await bench.only_lane.look()
        assert 0 < tries < 20

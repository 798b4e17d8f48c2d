"""What a lane tells of its device around a doubt: busy while it is asked, and as it really is right afterwards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from device_drivers.device import Twin
from device_drivers.errors import OutcomeUnknown
from edge_agent.fleet.showing import Showing
from tests.edge_agent.bench import Bench
from tests.virtual_time import virtual_time


@pytest.mark.parametrize("word", ["silent_done", "lost_track"])
@virtual_time
async def test_a_doubt_that_was_asked_leaves_no_busy_device_behind(tmp_path: Path, word: str) -> None:
    async with Bench(tmp_path, idle_poll_s=3600.0) as bench:
        bench.plan(word)
        await bench.submit()
        await bench.until("completed", "needs_attention")
        await bench.while_s(1.0)
        states = [twin["state"] for twin in bench.twins]
        assert "deviceBusy" in states
        assert states[-1] == "online"


@virtual_time
async def test_while_in_doubt_the_twin_says_of_a_unit_what_its_device_told_last(tmp_path: Path) -> None:
    """Never "out of paper" beside paper that is well."""

    async def without_paper(_act: str) -> None:
        raise OutcomeUnknown("paper_out", facts={"storage": {"paper": {"paper": "out"}}})

    async with Bench(tmp_path, idle_poll_s=3600.0) as bench:
        bench.driver.before_act = without_paper
        await bench.submit()
        await bench.until("completed", "needs_attention", "failed")
        told = [(twin["reason"], twin["storage"]) for twin in bench.twins if twin["state"] == "deviceBusy"]
        assert told[0] == ("paper_out", {"paper": {"paper": "out"}})


@virtual_time
async def test_what_a_doubt_does_not_speak_of_is_as_it_was_last_seen(tmp_path: Path) -> None:
    twins: list[dict[str, Any]] = []
    async with Bench(tmp_path) as bench:
        showing = Showing("p", "fake", "printer", bench.journal, lambda _device, members: twins.append(members))
        units: dict[str, dict[str, Any]] = {"paper": {"paper": "full", "count": 3}, "spare": {"paper": "full"}}
        await showing.show(Twin("online", storage=units, identity={"model": "m"}))
        await showing.busy("paper_out", {"paper": {"paper": "out"}})
    assert twins[-1]["storage"] == {"paper": {"paper": "out", "count": 3}, "spare": {"paper": "full"}}
    assert twins[-1]["identity"] == {"model": "m"}

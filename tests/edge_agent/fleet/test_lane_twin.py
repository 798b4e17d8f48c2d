"""What a lane tells of its device around a doubt: busy while it is asked, and as it really is right afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest

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

"""A lane with a driver that does as it is told: the order of settling, asking, arming, committing and acting."""

from __future__ import annotations

from pathlib import Path

from tests.edge_agent.bench import Bench
from tests.virtual_time import virtual_time


@virtual_time
async def test_a_card_is_drawn_handed_over_and_taken(tmp_path: Path) -> None:
    async with Bench(tmp_path) as bench:
        await bench.submit()
        await bench.until("completed")
        assert bench.machine.acts() == ["card_drawn", "card_presented"]
        bench.verdict()

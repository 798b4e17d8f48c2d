"""A card that vanished from inside the machine was taken by hands, never by the customer: people are asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from device_drivers.crt591.protocol import Packet
from tests.device_drivers.crt591.bench import CAPTURE, DRAW, PRESENT, FarSide, fails, obey
from tests.review.wired import Wired, wired
from tests.virtual_time import virtual_time


async def hands_are_asked(it: Wired) -> None:
    await it.when(lambda: it.order().ended or it.lane().attempt == "o1/draw.undo/0", lambda: repr(it.order()))
    assert (it.order().state, it.order().reason) == ("needs_attention", "unexpected_readings")
    assert it.lane().shut
    assert it.lane().holder == "o1"
    assert CAPTURE not in it.far.motions
    await it.resolve("o1", "draw.undo", "failed", "zhang", k=0)
    row = await it.until("cancelled", "failed", "completed")
    assert row.state != "completed"
    assert not any("taken" in (event["data"].get("facts") or {}) for event in it.events(order="o1"))


@pytest.mark.rule("ORD-9")
@virtual_time
async def test_a_drawn_card_that_hands_removed_before_the_cancel(tmp_path: Path) -> None:
    async with wired(tmp_path) as it:

        async def held_meanwhile(far: FarSide, frame: Packet) -> None:
            await it.ask("order.hold", subject="o1")
            await obey(far, frame)

        it.far.say(DRAW, held_meanwhile)
        await it.submit()
        await it.until("held")
        it.far.st0 = 0
        await it.ask("order.cancel", subject="o1")
        await hands_are_asked(it)


@virtual_time
async def test_a_jam_cleared_by_hands_and_then_captured_was_not_handed_over(tmp_path: Path) -> None:
    async with wired(tmp_path) as it:
        it.far.say(DRAW, fails("10"))
        await it.submit()
        await it.until("needs_attention")
        await it.resolve("o1", "draw", "capture", "zhang")  # the card is in Zhang's hand, the transport empty
        await hands_are_asked(it)


@virtual_time
async def test_a_card_stuck_while_presented_and_then_captured_was_not_handed_over(tmp_path: Path) -> None:
    async with wired(tmp_path) as it:
        it.far.say(PRESENT, fails("10"))
        await it.submit()
        await it.until("needs_attention")
        it.far.st0 = 0
        await it.resolve("o1", "present", "capture", "zhang")
        await hands_are_asked(it)


@virtual_time
async def test_a_card_that_stood_in_the_gate_was_taken_by_the_customer(tmp_path: Path) -> None:
    async with wired(tmp_path) as it:
        await it.submit(parameters={"take_s": 5})
        await it.until("waiting")
        it.far.error = "43"  # no reading until the wait is over
        await it.until("needs_attention")
        it.far.error, it.far.st0 = "", 0
        await it.resolve("o1", "take", "capture", "zhang")
        row = await it.until("completed", "failed")
        assert (row.state, row.reason) == ("completed", "taken_late")

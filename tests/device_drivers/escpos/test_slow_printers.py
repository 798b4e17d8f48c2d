"""Printers that take a sheet slowly, say XOFF in its middle, lose an answer or stand offline behind it."""

from __future__ import annotations

import asyncio

import pytest

from device_drivers.device import Outcome
from device_drivers.errors import OutcomeUnknown
from device_drivers.escpos.encoder import PIECE_BYTES
from device_drivers.escpos.evidence import Armed
from device_drivers.escpos.press import WRITE_SPARE_S
from device_drivers.links.link import LinkError
from tests.device_drivers.escpos.bench import Bench, bench, job
from tests.device_drivers.escpos.test_against_simulator import branch
from tests.virtual_time import virtual_time

XON, XOFF = b"\x11", b"\x13"
LONG = job(text="行\n" * 110)
LINES = "一二三四五六七八九十一二三四五六\n" * 120


def answers_late(it: Bench, seconds: float) -> None:
    """Each real-time question is answered so late: writing takes long."""
    answer, loop = it.far._real_time, asyncio.get_running_loop()
    it.far._real_time = lambda n: loop.call_later(seconds, answer, n)  # type: ignore[method-assign,assignment]


@pytest.mark.parametrize("line_s", [0.02, 0.0375, 0.06])
@virtual_time
async def test_a_long_receipt_is_printed_by_a_slow_printer(line_s: float) -> None:
    """A buffer full of text takes four seconds at 80 mm/s: XOFF lasts so long, and nothing is wrong."""
    async with branch({"act_max_s": 20.0}, line_s=line_s) as it:
        params = job(1, LINES, template={"block": [{"text": "{text}"}]})
        assert (await it.act(await it.arm(**params), **params)).reason == "printed"
        (sheet,) = it.sheets()
        assert len(sheet["lines"]) == 121


@virtual_time
async def test_only_a_single_long_command_is_held_up_where_nothing_can_be_asked() -> None:
    async with bench() as it:
        arming = await it.arm(**LONG)
        job_ = it.driver._job("print_receipt", LONG, arming, Armed.of(arming))
        assert max(map(len, job_.pieces)) <= PIECE_BYTES - 11


@virtual_time
async def test_xoff_late_in_a_sheet_is_waited_for_as_long_as_early_in_it() -> None:
    async with bench(max_chunk_bytes=256) as it:
        arming = await it.arm(**LONG)
        answers_late(it, 2.0)
        loop = asyncio.get_running_loop()

        def holds_up() -> None:
            it.far._say(XOFF)
            loop.call_later(5.0, it.far._say, XON)

        it.far.after(2000, holds_up)
        began = loop.time()
        assert (await it.act(arming, **LONG)).reason == "printed"
        assert loop.time() - began > it.profile.act_max_s + 5.0


@pytest.mark.parametrize("pulse", [True, False])
@virtual_time
async def test_but_never_longer_than_a_lane_may_be_silent(pulse: bool) -> None:
    async with bench(max_chunk_bytes=256, pulse=pulse) as it:
        arming = await it.arm(**LONG)
        answers_late(it, 4.0)
        loop = asyncio.get_running_loop()

        def holds_up() -> None:
            it.far._say(XOFF)
            loop.call_later(9.0, it.far._say, XON)

        for taken in range(300, 3000, 300):
            it.far.after(taken, holds_up)
        began = loop.time()
        with pytest.raises(OutcomeUnknown):
            await it.act(arming, **LONG)
        assert loop.time() - began < it.profile.act_max_s + WRITE_SPARE_S + 1


@pytest.mark.rule("ORD-10")
@virtual_time
async def test_a_sheet_that_is_proved_needs_no_answer_to_what_was_asked_behind_it() -> None:
    """One byte lost on the line: the receipt was called doubtful for as long as a person needs to come."""
    async with bench() as it:
        arming = await it.arm(**job())
        answer, asked = it.far._real_time, 0

        def but_the_last(n: int) -> None:
            nonlocal asked
            asked += 1
            if it.far.asked(b"\x1d\x28\x48") < 2:  # the first was the probe's
                answer(n)

        it.far._real_time = but_the_last  # type: ignore[method-assign]
        assert (await it.act(arming, **job())).reason == "printed"
        assert asked


@virtual_time
async def test_nor_the_line_any_more() -> None:
    async with bench() as it:
        arming = await it.arm(**job())
        write = it.near.write

        async def lost_behind_the_id(data: bytes) -> None:
            await write(data)
            if b"\x1d\x28\x48" in data:
                await asyncio.sleep(1.0)
                it.near.write = gone  # type: ignore[method-assign,assignment]

        async def gone(_data: bytes) -> None:
            raise LinkError("memory://line", "gone")

        it.near.write = lost_behind_the_id  # type: ignore[method-assign]
        assert (await it.act(arming, **job())).reason == "printed"
        it.near.write = write  # type: ignore[method-assign]


@pytest.mark.rule("ORD-10")
@pytest.mark.parametrize(("back_s", "reason"), [(4.0, "sent"), (60.0, "printer_offline")])
@virtual_time
async def test_a_sheet_is_not_said_to_be_sent_to_a_printer_that_stands_offline(back_s: float, reason: str) -> None:
    async with bench() as it:
        it.far.ids = it.far.fence = False
        arming = await it.arm(**job())
        loop, answer = asyncio.get_running_loop(), it.far._real_time

        def offline(n: int) -> None:
            it.far._say(b"\x1a" if n == 1 else b"\x12")

        def goes() -> None:
            it.far._real_time = offline  # type: ignore[method-assign]
            loop.call_later(back_s, lambda: setattr(it.far, "_real_time", answer))

        it.far.after(60, goes)
        try:
            verdict = await it.act(arming, **job())
            assert (verdict.outcome, verdict.reason) == (Outcome.DONE, reason)
        except OutcomeUnknown as doubt:
            assert doubt.reason == reason  # noqa: PT017 - one of the two it must be

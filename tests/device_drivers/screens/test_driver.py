"""The screens' driver against simulated screens: what is shown, remembered, shown again, or refused unsent."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from pydantic import ValidationError

from device_drivers.bx6.profile import Bx6Profile
from device_drivers.device import ActKind, Arming, Observer, Outcome, Whereabouts
from device_drivers.errors import DeviceRefused, DeviceUnavailable, OutcomeUnknown
from device_drivers.links.link import LinkError
from device_drivers.screens.driver import JUST_SHOWN_S, ScreenDriver
from device_drivers.strip.profile import StripProfile
from tests.device_drivers.screens.bench import ScreenBench, screens
from tests.virtual_time import virtual_time

CALL = {"number": "A001", "window": "3", "language": "zh"}
KINDS = ("strip_screen", "bx6")
HALL: dict[str, Any] = {"unit": 1, "width": 24, "height": 8, "calls": 4}


async def idle(bench: ScreenBench, device: str = "window-3", **profile: Any) -> ScreenDriver:
    """A driver that its lane has looked at for the first time."""
    driver = await bench.driver(device, **profile)
    await driver.probe()
    return driver


@pytest.mark.parametrize("kind", KINDS)
@virtual_time
async def test_a_screen_shows_its_idle_text_then_a_call_then_a_text_then_nothing(kind: str) -> None:
    async with screens(kind, {"window-3": 1}, boot="READY") as bench:
        assert bench.lit("window-3") == ["READY"]
        driver = await idle(bench)
        assert bench.lit("window-3") == ["欢迎光临"]
        verdict = await bench.show(driver, "show_call", "window-3", **CALL)
        assert bench.lit("window-3") == ["A001号到3号窗口"]
        assert (verdict.outcome, verdict.item, verdict.lane_shut) == (Outcome.DONE, Whereabouts.NONE, False)
        assert verdict.facts["evidence"] == "sent"
        assert verdict.facts["shortened"] is True
        await bench.show(driver, "show_text", "window-3", text="暂停服务")
        assert bench.lit("window-3") == ["暂停服务"]
        await bench.show(driver, "show_idle", "window-3")
        assert bench.lit("window-3") == ["欢迎光临"]
        await driver.disconnect()
        assert [effect.kind for effect in bench.effects] == ["show"] * 4  # nothing that a screen does is an act


@virtual_time
async def test_every_act_of_a_screen_may_be_done_again_and_moves_nothing() -> None:
    async with screens("strip_screen", {"window-3": 1}) as bench:
        driver = await bench.driver("window-3")
        assert {spec.kind for spec in driver.acts.values()} == {ActKind.IDEMPOTENT}
        assert driver.settle_s == 0
        assert isinstance(driver, Observer)
        await driver.disconnect()


@pytest.mark.parametrize("kind", KINDS)
@virtual_time
async def test_a_screen_that_lost_its_power_shows_the_call_again_after_a_refresh(kind: str) -> None:
    async with screens(kind, {"window-3": 1}, boot="BOOT V1.2") as bench:
        driver = await idle(bench)
        await bench.show(driver, "show_call", "window-3", **CALL)
        bench.fault("window-3", "power_loss", off_s=2)
        assert bench.lit("window-3") == []
        await asyncio.sleep(3)
        assert bench.lit("window-3") == ["BOOT V1.2"]
        await driver.observe()
        assert bench.lit("window-3") == ["A001号到3号窗口"]
        await driver.disconnect()


@pytest.mark.parametrize("kind", KINDS)
@virtual_time
async def test_what_is_shown_survives_the_agent_and_is_shown_at_its_first_look(kind: str) -> None:
    async with screens(kind, {"window-3": 1}) as bench:
        first = await idle(bench)
        await bench.show(first, "show_call", "window-3", **CALL)
        await first.disconnect()
        bench.ask("window-3", do="power", on=False)
        bench.ask("window-3", do="power", on=True)
        second = await bench.driver("window-3")
        await second.probe()
        assert bench.lit("window-3") == ["A001号到3号窗口"]
        await second.disconnect()


@virtual_time
async def test_a_screen_that_forgot_what_a_smaller_one_cannot_show_shows_its_idle_text() -> None:
    async with screens("strip_screen", {"window-3": 1}) as bench:
        first = await idle(bench)
        await bench.show(first, "show_text", "window-3", text="今日十七点止")
        await first.disconnect()
        second = await idle(bench, columns=8)
        assert bench.lit("window-3") == ["欢迎光临"]
        await second.disconnect()


@virtual_time
async def test_a_hall_screen_lists_calls_with_the_newest_on_top_also_after_a_restart() -> None:
    async with screens("bx6", {"hall": 1}, columns=24, rows=4) as bench:
        driver = await idle(bench, "hall", **HALL)
        await bench.show(driver, "show_call", "hall", **CALL)
        await bench.show(driver, "show_call", "hall", number="B010", window="1", language="en", urgent=True)
        lines = ["Ticket B010 to window 1", "请A001号到3号窗口"]
        assert bench.lit("hall") == lines
        assert bench.effects[-1].detail["colours"] == ["red", "green", "green", "green"]
        await driver.disconnect()
        driver = await idle(bench, "hall", **HALL)
        await bench.show(driver, "show_call", "hall", number="A002", window="3")
        assert bench.lit("hall") == ["请A002号到3号窗口", lines[0]]
        await driver.disconnect()


@virtual_time
async def test_pages_follow_each_other_where_each_row_is_filled() -> None:
    async with screens("bx6", {"hall": 1}) as bench:
        driver = await idle(bench, "hall", width=12, height=4, pages=2)
        verdict = await bench.show(driver, "show_text", "hall", text="今日业务办理至十七点，请合理安排时间")
        assert bench.ask("hall", do="state")["pages"] == [["今日业务办理", "至十七点，请"], ["合理安排时间", ""]]
        assert verdict.facts["shows"] == ["今日业务办理", "至十七点，请", "合理安排时间"]
        await driver.disconnect()


@virtual_time
async def test_a_text_too_wide_runs_through_where_the_screen_can_let_it() -> None:
    async with screens("strip_screen", {"window-3": 1}) as bench:
        driver = await idle(bench, scroll_play=4)
        await bench.show(driver, "show_text", "window-3", text="今日业务办理至十七点")
        assert bench.lit("window-3") == ["今日业务办理至十七点"]
        assert bench.effects[-1].detail["play"] == 4
        await driver.disconnect()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("act", "params", "reason"),
    [
        ("show_text", {"text": "今日业务办理至十七点" * 4}, "text_too_long_for_screen"),
        ("show_text", {"text": "😀"}, "letter_not_on_screen"),
        ("show_text", {"text": ""}, "invalid_params"),
        ("show_call", {"number": "A00123456789", "window": "3"}, ""),
        ("show_call", {"number": "叫号叫号叫号", "window": "一二三四五"}, ""),
        ("show_call", {"number": "叫号叫号叫号叫号叫", "window": "3"}, "call_too_wide"),
        ("show_call", {"number": "A001"}, "invalid_params"),
        ("draw_card", {}, "invalid_act"),
    ],
)
@virtual_time
async def test_what_cannot_be_shown_is_refused_for_ever_before_anything_is_sent(
    kind: str, act: str, params: dict[str, Any], reason: str
) -> None:
    async with screens(kind, {"window-3": 1}) as bench:
        driver = await idle(bench)
        before = bench.ask("window-3", do="state")["frames"]
        if reason:
            with pytest.raises(DeviceRefused) as refused:
                await driver.arm(act, params)
            assert (refused.value.reason, refused.value.waits_for) == (reason, "never")
        else:
            await driver.arm(act, params)
        assert bench.ask("window-3", do="state")["frames"] == before
        await driver.disconnect()


@pytest.mark.parametrize("kind", KINDS)
@virtual_time
async def test_a_line_lost_before_a_frame_sends_nothing_and_one_lost_with_it_is_a_doubt(kind: str) -> None:
    async with screens(kind, {"window-3": 1}) as bench:
        driver = await idle(bench)
        write = bench.near.write

        async def lost(data: bytes) -> None:
            raise LinkError("memory://line", "cut")

        bench.near.write = lost  # type: ignore[method-assign]  # the wire breaks under the frame
        with pytest.raises(OutcomeUnknown):
            await bench.show(driver, "show_call", "window-3", **CALL)
        bench.near.write = write  # type: ignore[method-assign]
        with pytest.raises(DeviceUnavailable):
            await bench.show(driver, "show_call", "window-3", **CALL)
        with pytest.raises(DeviceUnavailable):
            await driver.reconcile("show_call", CALL, Arming({}))
        await driver.disconnect()
        await driver.connect()
        verdict = await driver.reconcile("show_call", CALL, Arming({}))
        assert (verdict.outcome, verdict.facts["again"]) == (Outcome.DONE, True)
        assert bench.lit("window-3") == ["A001号到3号窗口"]
        await driver.disconnect()


@virtual_time
async def test_a_screen_that_does_not_answer_is_in_doubt_and_shown_again() -> None:
    async with screens("bx6", {"window-3": 1}) as bench:
        driver = await idle(bench)
        bench.fault("window-3", "silence", count=1, executes=False)
        arming = await driver.arm("show_call", CALL)
        with pytest.raises(OutcomeUnknown, match="screen_silent"):
            await driver.act("show_call", CALL, arming)
        assert bench.lit("window-3") == ["欢迎光临"]
        verdict = await driver.reconcile("show_call", CALL, arming)
        assert verdict.outcome is Outcome.DONE
        assert bench.lit("window-3") == ["A001号到3号窗口"]
        bench.ask("window-3", do="power", on=False)
        with pytest.raises(DeviceUnavailable, match="screen_silent"):
            await driver.reconcile("show_call", CALL, arming)
        await asyncio.sleep(JUST_SHOWN_S + 0.5)
        with pytest.raises(DeviceUnavailable, match="screen_silent"):
            await driver.observe()
        await driver.disconnect()


@virtual_time
async def test_two_screens_on_one_line_and_one_of_them_dead() -> None:
    async with screens("bx6", {"window-1": 1, "window-2": 2}) as bench:
        one, two = await idle(bench, "window-1", unit=1), await bench.driver("window-2", unit=2)
        bench.ask("window-2", do="power", on=False)
        with pytest.raises(DeviceUnavailable, match="screen_silent"):
            await two.probe()
        await bench.show(one, "show_call", "window-1", **CALL)
        assert bench.lit("window-1") == ["A001号到3号窗口"]
        await one.probe()
        await two.disconnect()
        await one.disconnect()


@virtual_time
async def test_a_call_goes_before_the_refreshes_of_its_neighbours() -> None:
    async with screens("strip_screen", {f"window-{n}": n for n in range(1, 9)}, gap_s=0.1) as bench:
        drivers = [await idle(bench, f"window-{n}", unit=n) for n in range(1, 9)]
        await asyncio.sleep(JUST_SHOWN_S + 0.5)
        polls = [asyncio.create_task(driver.observe()) for driver in drivers[1:]]
        await asyncio.sleep(0.01)
        began = asyncio.get_running_loop().time()
        await bench.show(drivers[0], "show_call", "window-1", **CALL)
        assert asyncio.get_running_loop().time() - began < 0.25  # the frame under way, and its own pause
        assert not all(poll.done() for poll in polls)
        await asyncio.gather(*polls)
        assert bench.lit("window-1") == ["A001号到3号窗口"]
        wire: Any = bench.machine
        assert wire.wire.lost_frames == 0  # the pause behind each frame was kept, whoever sent it
        for driver in drivers:
            await driver.disconnect()


@pytest.mark.parametrize("fault", ["wrong_crc", "garbage", "nak"])
@virtual_time
async def test_an_answer_is_a_sign_of_life_or_none_whatever_it_says(fault: str) -> None:
    async with screens("bx6", {"window-3": 1}) as bench:
        driver = await idle(bench)
        bench.fault("window-3", fault)
        if fault == "wrong_crc":
            with pytest.raises(OutcomeUnknown, match="screen_silent"):
                await bench.show(driver, "show_call", "window-3", **CALL)
            assert (await driver.probe()).counters["badFrames"] == 1
            verdict = await driver.reconcile("show_call", CALL, Arming({}))
            await bench.notebooks["window-3"].remember(verdict.memory)
        else:
            verdict = await bench.show(driver, "show_call", "window-3", **CALL)
        assert verdict.facts["evidence"] == "sent"
        await asyncio.sleep(JUST_SHOWN_S + 0.5)
        await driver.observe()  # a text that was refused is there after the next refresh
        assert bench.lit("window-3") == ["A001号到3号窗口"]
        await driver.disconnect()


@virtual_time
async def test_what_was_just_shown_is_not_shown_again_at_once() -> None:
    async with screens("strip_screen", {"window-3": 1}) as bench:
        driver = await idle(bench)
        before = bench.ask("window-3", do="state")["frames"]
        await driver.observe()
        assert bench.ask("window-3", do="state")["frames"] == before
        await asyncio.sleep(JUST_SHOWN_S + 0.5)
        await driver.observe()
        assert bench.ask("window-3", do="state")["frames"] == before + 1
        await driver.disconnect()


@virtual_time
async def test_a_late_answer_is_not_taken_for_the_next_one_and_an_echo_is_nobody() -> None:
    async with screens("bx6", {"window-3": 1}) as bench:
        driver = await idle(bench)
        bench.fault("window-3", "late_answer", delay_s=1.5)
        with pytest.raises(OutcomeUnknown):
            await bench.show(driver, "show_call", "window-3", **CALL)
        await asyncio.sleep(2)  # it lies there now
        bench.ask("window-3", do="power", on=False)
        with pytest.raises(DeviceUnavailable, match="screen_silent"):
            await driver.probe()
        bench.ask("window-3", do="power", on=True)
        bench.fault("window-3", "echo", for_s=60)
        await driver.probe()
        bench.ask("window-3", do="power", on=False)
        with pytest.raises(DeviceUnavailable, match="screen_silent"):
            await driver.probe()  # its own frame came back, twice
        await driver.disconnect()


@virtual_time
async def test_strip_screens_live_with_a_line_that_hears_itself() -> None:
    async with screens("strip_screen", {"window-3": 1}, check="sum_includes_tail") as bench:
        bench.fault("window-3", "echo", for_s=60)
        driver = await idle(bench, check="sum_includes_tail")
        await bench.show(driver, "show_call", "window-3", **CALL)
        assert bench.lit("window-3") == ["A001号到3号窗口"]
        assert (await driver.probe()).counters["garbageBytes"] > 0
        await driver.disconnect()


@virtual_time
async def test_a_screen_that_wants_the_other_check_byte_stays_dark() -> None:
    async with screens("strip_screen", {"window-3": 1}, check="sum_includes_tail") as bench:
        driver = await idle(bench)
        assert bench.lit("window-3") == []
        await driver.disconnect()


@pytest.mark.rule("PHY-3")
@pytest.mark.parametrize(
    ("profile", "values"),
    [
        (StripProfile, {"unit": 0}),
        (StripProfile, {"unit": 255}),
        (Bx6Profile, {"unit": 0}),
        (Bx6Profile, {"unit": 0xFFFE}),
        (Bx6Profile, {"unit": 0xFFFF}),
    ],
)
def test_the_address_of_every_screen_cannot_be_configured(profile: Any, values: dict[str, int]) -> None:
    with pytest.raises(ValidationError):
        profile.model_validate(values)


@pytest.mark.parametrize(
    ("profile", "values", "type_"),
    [
        (StripProfile, {"idle_text": "今日业务办理至十七点"}, "idle_text_unshowable"),
        (StripProfile, {"idle_text": "😀"}, "idle_text_unshowable"),
        (StripProfile, {"play": 255}, "less_than_equal"),
        (Bx6Profile, {"height": 2, "calls": 4}, "area_too_small"),
        (Bx6Profile, {"width": 400, "height": 40, "pages": 8}, "area_too_large"),
    ],
)
def test_a_profile_that_could_never_work_is_refused_when_it_is_loaded(
    profile: Any, values: dict[str, Any], type_: str
) -> None:
    with pytest.raises(ValidationError) as bad:
        profile.model_validate(values)
    assert bad.value.errors()[0]["type"] == type_

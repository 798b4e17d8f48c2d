"""The stamp comes down once on the sheet just printed on this machine; what is not told at once is for a person."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from device_drivers.device import ActKind, Outcome
from device_drivers.errors import DeviceRefused, DeviceUnavailable, OutcomeUnknown
from device_drivers.sealed.profile import SealedProfile, StampProfile
from tests.device_drivers.ipp.bench import SHA, Killed
from tests.device_drivers.sealed.bench import STAMP_PROFILE, bench
from tests.virtual_time import virtual_time


@virtual_time
async def test_printed_then_stamped_once() -> None:
    async with bench() as b:
        driver = await b.driver()
        assert driver.acts["stamp"].kind is ActKind.BLIND
        printed, verdict = await b.print(driver)
        assert verdict.outcome is Outcome.DONE
        params = b.params(earlier=dict(printed.readings))
        arming = await b.arm(driver, "stamp", params)
        verdict = await driver.act("stamp", params, arming)
        assert (verdict.outcome, verdict.reason) == (Outcome.DONE, "stamped")
        assert verdict.facts == {
            "evidence": "sent", "channel": 3, "ms": 500, "sheet": SHA, "printed_by": "O-17/print/1"
        }  # fmt: skip
        assert b.near.pulses == [bytes.fromhex("01 05 02 03 00 05 FC 71")]
        assert b.stamped == [3]
        with pytest.raises(DeviceRefused) as refused:
            await driver.arm("stamp", b.params(attempt="O-17/stamp/2", earlier=dict(printed.readings)))
        assert (refused.value.reason, refused.value.waits_for) == ("stamp_not_repeated", "never")


@virtual_time
async def test_without_this_orders_sheet_nothing_is_stamped() -> None:
    async with bench() as b:
        driver = await b.driver()
        printed, _ = await b.print(driver)
        await b.print(driver, "O-18/print/1")
        for earlier in (dict(printed.readings), {}, {"attempt": "O-18/print/1"}, None):
            with pytest.raises(DeviceRefused) as refused:
                await driver.arm("stamp", b.params(earlier=earlier))
            assert (refused.value.reason, refused.value.waits_for) == ("sheet_not_present", "never")
        assert b.near.frames == []


@pytest.mark.rule("PHY-2")
@pytest.mark.parametrize(
    ("fault", "args", "reason", "stamps"),
    [
        ("silence", {}, "relay_silent", 1),
        ("silence", {"executes": False}, "relay_silent", 0),
        ("wrong_crc", {}, "relay_silent", 1),
        ("wrong_echo", {}, "relay_silent", 1),
        ("late_answer", {"delay_s": 3.0}, "relay_silent", 1),
        ("exception", {}, "relay_refused", 0),
    ],
)
def test_what_is_not_told_at_once_is_for_a_person_and_never_repeated(
    fault: str, args: dict[str, object], reason: str, stamps: int
) -> None:
    @virtual_time
    async def work() -> None:
        async with bench() as b:
            driver = await b.driver()
            printed, _ = await b.print(driver)
            params = b.params(earlier=dict(printed.readings))
            arming = await b.arm(driver, "stamp", params)
            b.fault(fault, **args)
            with pytest.raises(OutcomeUnknown, match=reason):
                await driver.act("stamp", params, arming)
            verdict = await (await b.driver()).reconcile("stamp", params, arming)
            assert (verdict.outcome, verdict.reason, verdict.lane_shut) == (Outcome.UNKNOWN, "stamp_unproven", True)
            with pytest.raises(DeviceRefused, match="stamp_not_repeated"):
                await (await b.driver()).arm("stamp", b.params(attempt="O-17/stamp/2", earlier=dict(printed.readings)))
            assert len(b.near.pulses) == 1
            assert len(b.stamped) == stamps

    work()


@pytest.mark.rule("PHY-2")
@virtual_time
async def test_killed_with_the_frame_on_the_wire_one_stamp_and_a_person() -> None:
    async with bench() as b:
        driver = await b.driver()
        printed, _ = await b.print(driver)
        params = b.params(earlier=dict(printed.readings))
        arming = await b.arm(driver, "stamp", params)
        b.near.kill_at_write = len(b.near.frames) + 1
        with pytest.raises(Killed):
            await driver.act("stamp", params, arming)
        await b.near.close()
        later = await b.driver()
        verdict = await later.reconcile("stamp", params, arming)
        assert (verdict.outcome, verdict.lane_shut) == (Outcome.UNKNOWN, True)
        with pytest.raises(DeviceRefused, match="stamp_not_repeated"):
            await later.arm("stamp", b.params(attempt="O-17/stamp/2", earlier=dict(printed.readings)))
        assert len(b.near.pulses) == 1


@virtual_time
async def test_a_pulse_that_provably_never_left_may_be_tried_again() -> None:
    async with bench() as b:
        driver = await b.driver()
        printed, _ = await b.print(driver)
        params = b.params(earlier=dict(printed.readings))
        arming = await b.arm(driver, "stamp", params)

        async def no_line() -> None:
            from device_drivers.links.link import LinkError

            raise LinkError("memory://relay", "unplugged")

        was, b.near.open = b.near.open, no_line  # type: ignore[method-assign]
        with pytest.raises(DeviceUnavailable):
            await driver.act("stamp", params, arming)
        b.near.open = was  # type: ignore[method-assign]
        again = b.params(attempt="O-17/stamp/2", earlier=dict(printed.readings))
        verdict = await driver.act("stamp", again, await b.arm(driver, "stamp", again))
        assert verdict.outcome is Outcome.DONE
        assert b.stamped == [3]


@virtual_time
async def test_a_relay_that_is_on_already_is_not_at_rest_and_a_board_that_is_silent_is_told() -> None:
    async with bench() as b:
        driver = await b.driver()
        printed, _ = await b.print(driver)
        b.board.on[3] = True
        with pytest.raises(DeviceRefused, match="relay_not_at_rest"):
            await driver.arm("stamp", b.params(earlier=dict(printed.readings)))
        assert (await driver.probe()).device == "online"
        b.fault("silence", count=2)
        twin = await driver.probe()
        assert (twin.device, twin.reason) == ("hardwareError", "relay_silent")


@pytest.mark.rule("PHY-3")
@pytest.mark.parametrize(
    "wrong",
    [
        {"unit": 0}, {"unit": 248}, {"unit": 255}, {"channel": 8}, {"channel": -1}, {"channel": 255},
        {"pulse_ms": 0}, {"pulse_ms": 250}, {"address": "ipp://127.0.0.1/ipp/print"}, {"address": "relay"},
    ],
)  # fmt: skip
def test_a_profile_that_could_move_more_than_one_relay_is_refused(wrong: dict[str, object]) -> None:
    StampProfile.model_validate(STAMP_PROFILE)
    with pytest.raises(ValidationError):
        SealedProfile.model_validate({"stamp": {**STAMP_PROFILE, **wrong}})


@pytest.mark.rule("PHY-1")
def test_it_settles_as_long_as_the_stamp_may_move_and_its_line_may_hold_bytes() -> None:
    stamp = {**STAMP_PROFILE, "act_max_s": 4.0, "drain_s": 3.0}
    assert StampProfile.model_validate(stamp).settle_s == 4.0
    assert StampProfile.model_validate({**stamp, "address": "tcp://192.0.2.1:4001"}).settle_s == 7.0

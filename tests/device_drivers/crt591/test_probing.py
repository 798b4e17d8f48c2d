"""What a dispenser tells of itself: twin, identity, the one automatic reset, self-test, EOT."""

from __future__ import annotations

import asyncio

import pytest
from pydantic import ValidationError

from device_drivers.crt591.profile import Crt591Profile
from device_drivers.crt591.protocol import Control, Packet, encode
from device_drivers.device import Outcome, Whereabouts
from device_drivers.errors import DeviceRefused, DeviceUnavailable, OutcomeUnknown
from tests.device_drivers.crt591 import bench as b
from tests.device_drivers.crt591.bench import CAPTURE, DRAW, INITIALISE, STATUS, FarSide, bench
from tests.virtual_time import virtual_time

SERIAL_NUMBER, SENSORS = (0xA2, 0x30), (0x31, 0x31)


@virtual_time
async def test_the_twin_is_told_in_xfs_words() -> None:
    async with bench() as it:
        twin = await it.driver.probe()
        assert (twin.device, twin.reason, twin.media) == ("online", "", "notPresent")
        assert twin.storage == {
            "stacker": {"type": "dispense", "status": "ok", "replenishmentStatus": "ok"},
            "errorBin": {"type": "retain", "status": "ok", "replenishmentStatus": "ok", "count": 7},
        }
        assert twin.identity == {
            "model": "CRT-591-M001",
            "firmware": "CRT-591-M001 V1",
            "serialNumber": "SN-0042",
            "configuration": "0102",
        }
        assert set(twin.counters) == {"garbageBytes", "badFrames", "naks", "resends", "lateReplies", "floods"}
        assert not any(twin.counters.values())


@pytest.mark.parametrize(
    ("state", "reason", "media", "stacker", "error_bin"),
    [
        ({"st0": 1}, "", "present", "ok", "ok"),
        ({"st0": 2}, "", "present", "ok", "ok"),
        ({"st1": 1}, "", "notPresent", "low", "ok"),
        ({"st1": 0}, "stacker_empty", "notPresent", "empty", "ok"),
        ({"st2": 1}, "error_bin_full", "notPresent", "ok", "full"),
        ({"bin": 20}, "", "notPresent", "ok", "high"),
    ],
)
@virtual_time
async def test_each_state_has_its_words(
    state: dict[str, int], reason: str, media: str, stacker: str, error_bin: str
) -> None:
    async with bench() as it:
        for name, value in state.items():
            setattr(it.far, name, value)
        twin = await it.driver.probe()
        assert (twin.device, twin.reason, twin.media) == ("online", reason, media)
        assert twin.storage["stacker"]["replenishmentStatus"] == stacker
        assert twin.storage["errorBin"]["replenishmentStatus"] == error_bin


@pytest.mark.parametrize(
    ("code", "device", "reason", "media"),
    [
        ("10", "hardwareError", "card_jam", "jammed"),
        ("51", "hardwareError", "motor_error", "jammed"),
        ("45", "userError", "moved_by_hand", "unknown"),
        ("A1", "userError", "error_bin_full", "unknown"),
        ("02", "hardwareError", "sequence_error", "unknown"),
        ("ZZ", "hardwareError", "unlisted_error", "unknown"),
    ],
)
@virtual_time
async def test_an_error_in_place_of_a_state_is_told_and_not_reset_away(
    code: str, device: str, reason: str, media: str
) -> None:
    async with bench() as it:
        it.far.error = code
        twin = await it.driver.probe()
        assert (twin.device, twin.reason, twin.media) == (device, reason, media)
        assert it.far.count(INITIALISE) == 0
        assert it.far.motions == []


@pytest.mark.rule("PHY-4")
@virtual_time
async def test_the_first_probe_of_a_process_resets_a_unit_and_later_ones_do_not() -> None:
    async with bench() as it:
        for _ in range(3):
            await it.driver.probe()
        await it.driver.connect()
        await it.driver.probe()
        assert it.far.count(INITIALISE) == 1
        assert it.far.motions == []


@pytest.mark.rule("PHY-4")
@virtual_time
async def test_a_unit_with_a_card_in_its_gate_is_reset_only_once_the_card_is_gone() -> None:
    async with bench() as it:
        it.far.st0 = 1
        await it.driver.probe()
        assert it.far.count(INITIALISE) == 0
        it.far.st0 = 0
        await it.driver.probe()
        await it.driver.probe()
        assert it.far.count(INITIALISE) == 1


@virtual_time
async def test_a_first_reset_that_failed_is_tried_again() -> None:
    async with bench() as it:
        it.far.say(INITIALISE, b.fails("02"))
        assert (await it.driver.probe()).reason == "sequence_error"
        assert (await it.driver.probe()).device == "online"
        await it.driver.probe()
        assert it.far.count(INITIALISE) == 2


@pytest.mark.rule("PHY-4")
@pytest.mark.parametrize("st0", [1, 2])
@virtual_time
async def test_a_capture_is_counted_also_by_a_unit_that_another_tool_reset(st0: int) -> None:
    async with bench(take_min_s=1.0) as it:
        it.far.counting, it.far.st0 = False, st0
        await it.driver.probe()
        assert it.far.count(INITIALISE) == (st0 == 2)
        arming = await it.driver.arm("capture_card", {"bin": 7})
        verdict = await it.driver.act("capture_card", {"bin": 7}, arming)
        assert (verdict.outcome, verdict.item) == (Outcome.DONE, Whereabouts.BIN)
        assert it.far.count(INITIALISE) == 1
        assert it.far.motions == [CAPTURE]


@virtual_time
async def test_a_unit_that_lost_power_is_made_to_count_anew_whoever_reset_it_since() -> None:
    async with bench(take_min_s=1.0) as it:
        await it.driver.probe()
        it.far.say(STATUS, b.fails("B0"))
        await it.driver.self_test()  # tells of it and resets nothing
        it.far.counting, it.far.st0 = False, 1
        arming = await it.driver.arm("capture_card", {})
        assert (await it.driver.act("capture_card", {}, arming)).item is Whereabouts.BIN
        assert it.far.count(INITIALISE) == 2


@pytest.mark.rule("PHY-6")
@virtual_time
async def test_the_readings_of_a_capture_are_those_after_the_reset() -> None:
    async def clears_the_counter(far: FarSide, frame: Packet) -> None:
        far.bin = 0
        await b.obey(far, frame)

    async with bench(take_min_s=0.001) as it:
        it.far.st0 = 1
        it.far.say(INITIALISE, clears_the_counter)
        await asyncio.sleep(1)
        arming = await it.driver.arm("capture_card", {})
        sent = [(frame.cm, frame.pm) for frame in it.far.frames]
        assert sent == [b.ENTRY_OFF, STATUS, b.BIN, INITIALISE, STATUS, b.BIN]
        assert arming.readings["bin"] == 0


@pytest.mark.rule("PHY-4")
@pytest.mark.parametrize("st0", [0, 1, 2])
@virtual_time
async def test_a_unit_that_lost_power_is_initialised_with_37_wherever_the_card_is(st0: int) -> None:
    async with bench() as it:
        it.far.st0 = 1
        await it.driver.probe()
        it.far.st0, it.far.not_reset = st0, True
        assert (await it.driver.probe()).device == "online"
        assert it.far.count(INITIALISE) == 1  # and no second for being the first of this process
        assert it.notes.kinds == ["power_lost"]
        assert it.far.motions == []


@virtual_time
async def test_a_unit_that_stays_unset_is_told() -> None:
    async with bench() as it:
        it.far.say(STATUS, *[b.fails("B0")] * 9)
        twin = await it.driver.probe()
        assert (twin.device, twin.reason) == ("hardwareError", "not_reset")
        assert it.far.count(INITIALISE) == 1


@virtual_time
async def test_an_initialising_that_fails_is_told_and_one_that_is_silent_is_not_repeated() -> None:
    async with bench() as it:
        it.far.not_reset = True
        it.far.say(INITIALISE, b.fails("10"), b.silent)
        assert (await it.driver.probe()).reason == "card_jam"
        with pytest.raises(DeviceUnavailable, match="no_answer"):
            await it.driver.probe()
        assert it.far.count(INITIALISE) == 2


@virtual_time
async def test_identity_is_asked_once_for_each_connection_and_may_be_partly_unsupported() -> None:
    async with bench() as it:
        it.far.say(SERIAL_NUMBER, b.fails("03"))
        assert "serialNumber" not in (await it.driver.probe()).identity
        await it.driver.probe()
        assert it.far.count(SERIAL_NUMBER) == 1
        await it.driver.connect()
        assert (await it.driver.probe()).identity["serialNumber"] == "SN-0042"


@virtual_time
async def test_recovering_after_hands_clears_the_error_and_moves_nothing() -> None:
    async def clears(far: FarSide, frame: Packet) -> None:
        far.error = ""
        await b.obey(far, frame)

    async with bench() as it:
        it.far.st0, it.far.error = 2, "10"
        it.far.say(INITIALISE, clears)
        await it.driver.recover()
        assert (await it.driver.probe()).device == "online"
        assert it.far.motions == []


@pytest.mark.rule("PHY-5")
@pytest.mark.parametrize(("code", "note"), [("B0", "power_lost"), ("45", "moved_by_hand")])
@virtual_time
async def test_what_happened_before_a_recovery_is_noted_before_it_is_wiped(code: str, note: str) -> None:
    async with bench() as it:
        it.far.say(STATUS, b.fails(code))
        await it.driver.recover()
        assert it.notes.kinds == [note]
        assert [(frame.cm, frame.pm) for frame in it.far.frames] == [STATUS, INITIALISE]
        assert it.notes.frames_before == [1]


@virtual_time
async def test_recovering_in_vain_is_told_by_the_next_look() -> None:
    async with bench() as it:
        it.far.error = "10"
        it.far.say(INITIALISE, b.fails("10"))
        await it.driver.recover()
        assert (await it.driver.probe()).reason == "card_jam"
        with pytest.raises(DeviceRefused, match="card_jam"):
            await it.driver.arm("draw_card", {})


# --- self-test -----------------------------------------------------------------------------------------------------


@virtual_time
async def test_the_self_test_only_asks() -> None:
    async with bench() as it:
        report = await it.driver.self_test()
        assert report.ok
        assert [finding.name for finding in report.findings] == [
            "line",
            "status",
            "sensors",
            "bin counter",
            "serial number",
            "configuration",
            "firmware",
        ]
        assert {(frame.cm, frame.pm) for frame in it.far.frames} == {
            STATUS,
            SENSORS,
            b.BIN,
            SERIAL_NUMBER,
            (0xA3, 0x30),
            (0xA4, 0x30),
        }


@virtual_time
async def test_the_self_test_names_what_is_wrong() -> None:
    async with bench() as it:
        it.far.st1 = 0
        it.far.say(STATUS, b.silent)
        it.far.say(SENSORS, b.sends(b"\x06" + encode(0, b"P11000" + b"0" * 13)))
        it.far.say(SERIAL_NUMBER, b.fails("03"))
        report = await it.driver.self_test()
        wrong = {finding.name: finding.reason for finding in report.findings if not finding.ok}
        assert wrong == {
            "line": "line_noisy",
            "status": "stacker_empty",
            "sensors": "nonsense",
            "serial number": "not_supported",
        }
        assert not report.ok


@virtual_time
async def test_the_self_test_notes_a_power_loss_and_resets_nothing() -> None:
    async with bench() as it:
        it.far.not_reset = True
        report = await it.driver.self_test()
        assert not report.ok
        assert it.notes.kinds[0] == "power_lost"
        assert it.far.count(INITIALISE) == 0


@virtual_time
async def test_the_self_test_of_a_silent_unit_is_one_finding() -> None:
    async with bench() as it:
        it.far.say(STATUS, *[b.silent] * 4)
        report = await it.driver.self_test()
        assert [(finding.name, finding.ok, finding.reason) for finding in report.findings] == [
            ("line", False, "no_answer")
        ]


# --- EOT -----------------------------------------------------------------------------------------------------------


async def stops(far: FarSide, frame: Packet) -> None:
    """Works until told to stop."""
    await far.send(Control.ACK.wire)
    assert await far.end.read(1, 60) == Control.EOT.wire
    far.controls.append(Control.EOT)
    await far.send(Control.EOT.wire)


async def stops_at_the_second(far: FarSide, frame: Packet) -> None:
    """Misses the first."""
    await far.send(Control.ACK.wire)
    await far.end.read(1, 60)
    far.controls.append(Control.EOT)
    await stops(far, frame)


@pytest.mark.parametrize(("unit", "eots"), [(stops, 1), (stops_at_the_second, 2)])
@virtual_time
async def test_a_stopped_act_is_in_doubt_until_its_status_is_read(unit: b.Answer, eots: int) -> None:
    async with bench() as it:
        arming = await it.driver.arm("draw_card", {})
        it.far.say(DRAW, unit)
        acting = asyncio.create_task(it.driver.act("draw_card", {}, arming))
        await asyncio.sleep(1)
        began = asyncio.get_running_loop().time()
        await it.driver.stop()
        with pytest.raises(OutcomeUnknown, match="stopped"):
            await acting
        assert asyncio.get_running_loop().time() - began < 0.7
        assert it.far.controls.count(Control.EOT) == eots
        assert (await it.driver.reconcile("draw_card", {}, arming)).outcome is Outcome.NO_EFFECT
        assert it.far.motions == [DRAW]


@virtual_time
async def test_a_unit_that_finished_first_answers_as_ever() -> None:
    async def finishes(far: FarSide, frame: Packet) -> None:
        await far.send(Control.ACK.wire)
        await far.end.read(1, 60)
        far.move(DRAW)
        await far.reply(frame)

    async with bench() as it:
        arming = await it.driver.arm("draw_card", {})
        it.far.say(DRAW, finishes)
        acting = asyncio.create_task(it.driver.act("draw_card", {}, arming))
        await asyncio.sleep(1)
        await it.driver.stop()
        assert (await acting).outcome is Outcome.DONE


@virtual_time
async def test_stopping_an_idle_unit_says_it_twice_and_ends() -> None:
    async with bench() as it:
        await it.driver.stop()
        assert it.far.controls == [Control.EOT] * 2
        it.near.cut()
        with pytest.raises(DeviceUnavailable):
            await it.driver.stop()


# --- settings ------------------------------------------------------------------------------------------------------


@pytest.mark.rule("PHY-3")
@pytest.mark.parametrize(
    "wrong",
    [
        {"unit": 16},
        {"unit": 255},
        {"unit": -1},
        {"unit": "0"},
        {"unit": True},
        {"act_max_s": 0},
        {"act_max_s": float("nan")},
        {"act_max_s": "10"},
        {"act_max_s": 120.1},  # a lane that waits longer would be taken for dead by the watchdog
        {"drain_s": 60.1},
        {"take_min_s": 100.1},
        {"poll_s": -1},
        {"retries": 3},
        {"bin_high_count": 1000},
    ],
)
def test_a_profile_that_cannot_be_meant_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Crt591Profile.model_validate(wrong)


def test_the_longest_waits_that_the_watchdog_bears_are_allowed() -> None:
    longest = {"act_max_s": 120.0, "drain_s": 60.0, "take_min_s": 100.0}
    assert Crt591Profile.model_validate(longest).settle_s(is_tcp=True) == 180.0


def test_every_setting_says_what_it_is_for() -> None:
    assert all(field.description and not field.is_required() for field in Crt591Profile.model_fields.values())

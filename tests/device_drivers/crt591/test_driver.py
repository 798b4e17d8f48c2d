"""The card dispenser driver against a scripted far side. Every test of a motion counts the frames on the wire."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from device_drivers.crt591.protocol import Control, Packet, encode
from device_drivers.device import ActKind, Arming, NothingToDo, Outcome, Verdict, Whereabouts
from device_drivers.errors import DeviceRefused, DeviceUnavailable, OutcomeUnknown
from tests.device_drivers.crt591 import bench as b
from tests.device_drivers.crt591.bench import BIN, CAPTURE, DRAW, ENTRY_OFF, INITIALISE, PRESENT, STATUS, Bench, bench
from tests.virtual_time import virtual_time

MOTION = {"draw_card": DRAW, "present_card": PRESENT, "capture_card": CAPTURE}
START = {"draw_card": 0, "present_card": 2, "capture_card": 1}  # st0 before each act
ALL = pytest.mark.parametrize("act", list(MOTION))


def now() -> float:
    return asyncio.get_running_loop().time()


async def armed(it: Bench, act: str) -> Arming:
    it.far.st0 = START[act]
    return await it.driver.arm(act, {})


async def acted(it: Bench, act: str, *answers: b.Answer) -> Verdict:
    arming = await armed(it, act)
    it.far.say(MOTION[act], *answers)
    return await it.driver.act(act, {}, arming)


def told(verdict: Verdict) -> tuple[Outcome, Whereabouts]:
    return verdict.outcome, verdict.item


# --- the plain way -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("act", "item"),
    [("draw_card", Whereabouts.TRANSPORT), ("present_card", Whereabouts.MOUTH), ("capture_card", Whereabouts.BIN)],
)
@virtual_time
async def test_each_act_is_one_frame_and_is_proved_by_the_status_after_it(act: str, item: Whereabouts) -> None:
    async with bench() as it:
        verdict = await acted(it, act)
        assert told(verdict) == (Outcome.DONE, item)
        assert it.far.motions == [MOTION[act]]
        after = it.far.frames[it.far.frames.index(next(f for f in it.far.frames if (f.cm, f.pm) == MOTION[act])) + 1 :]
        assert [(f.cm, f.pm) for f in after] == [STATUS, BIN]


@virtual_time
async def test_the_acts_tell_their_kind() -> None:
    async with bench() as it:
        kinds = {name: spec.kind for name, spec in it.driver.acts.items()}
        assert kinds == {
            "draw_card": ActKind.POSITIONAL,
            "present_card": ActKind.POSITIONAL,
            "capture_card": ActKind.COUNTABLE,
            "await_taken": ActKind.WATCH,
        }
        assert all(spec.max_s == 10.0 for name, spec in it.driver.acts.items() if name != "await_taken")


@pytest.mark.rule("PHY-6")
@ALL
@virtual_time
async def test_arming_shuts_the_entry_reads_and_stores_and_moves_nothing(act: str) -> None:
    async with bench(take_min_s=0.001) as it:
        await it.driver.recover()  # by now this process had the unit count
        frames = len(it.far.frames)
        arming = await armed(it, act)
        assert [(f.cm, f.pm) for f in it.far.frames[frames:]] == [ENTRY_OFF, STATUS, BIN]
        assert dict(arming.readings) == {"st0": START[act], "st1": 2, "st2": 0, "bin": 7}
        assert it.far.motions == []


@virtual_time
async def test_each_reply_gets_its_final_ack() -> None:
    async with bench() as it:
        await acted(it, "draw_card")
        await it.driver.disconnect()
        await asyncio.sleep(0.1)
        assert it.far.controls == [Control.ACK] * len(it.far.frames)


# --- preconditions -------------------------------------------------------------------------------------------------


@pytest.mark.rule("PHY-6")
@pytest.mark.parametrize(
    ("act", "state", "reason", "item", "waits_for"),
    [
        ("draw_card", {"st0": 1}, "card_in_gate", "mouth", "device"),
        ("draw_card", {"st0": 2}, "card_in_transport", "transport", "device"),
        ("draw_card", {"st1": 0}, "stacker_empty", "stock", "stock"),
        ("draw_card", {"st2": 1}, "error_bin_full", "stock", "device"),
        ("draw_card", {"bin": 999}, "bin_counter_overflow", "unknown", "device"),
        ("present_card", {"st0": 0}, "no_card", "unknown", "device"),
        ("present_card", {"st0": 2, "st2": 1}, "error_bin_full", "transport", "device"),
        ("present_card", {"st0": 2, "bin": 999}, "bin_counter_overflow", "unknown", "device"),
        ("capture_card", {"st0": 1, "st2": 1}, "error_bin_full", "mouth", "device"),
        ("capture_card", {"st0": 1, "bin": 999}, "bin_counter_overflow", "unknown", "device"),
    ],
)
@virtual_time
async def test_a_missing_precondition_refuses(
    act: str, state: dict[str, int], reason: str, item: str, waits_for: str
) -> None:
    async with bench() as it:
        for name, value in state.items():
            setattr(it.far, name, value)
        with pytest.raises(DeviceRefused) as refused:
            await it.driver.arm(act, {})
        assert (refused.value.reason, refused.value.item, refused.value.waits_for) == (reason, item, waits_for)
        assert it.far.motions == []


@pytest.mark.parametrize(
    ("params", "outcome", "item", "taken"),
    [
        ({"bin": 7}, Outcome.DONE, Whereabouts.CUSTOMER, "inferred"),
        ({"bin": 6}, Outcome.DONE, Whereabouts.BIN, None),
        ({"bin": 5}, Outcome.UNKNOWN, Whereabouts.UNKNOWN, None),
        ({}, Outcome.DONE, Whereabouts.UNKNOWN, "unknown"),
    ],
)
@virtual_time
async def test_capturing_a_card_that_left_is_needless(
    params: dict[str, int], outcome: Outcome, item: Whereabouts, taken: str | None
) -> None:
    async with bench() as it:
        with pytest.raises(NothingToDo) as needless:
            await it.driver.arm("capture_card", params)
        assert told(needless.value.verdict) == (outcome, item)
        assert needless.value.verdict.facts.get("taken") == taken
        assert it.far.motions == []


@virtual_time
async def test_capturing_remembers_the_counter_from_when_the_card_was_in_the_gate() -> None:
    async with bench() as it:
        it.far.st0 = 1
        await it.driver.arm("await_taken", {})
        it.far.st0 = 0
        with pytest.raises(NothingToDo) as needless:
            await it.driver.arm("capture_card", {})
        assert needless.value.verdict.facts["taken"] == "inferred"


@virtual_time
async def test_presenting_a_card_that_stands_in_the_gate_is_needless() -> None:
    async with bench() as it:
        it.far.st0 = 1
        with pytest.raises(NothingToDo) as needless:
            await it.driver.arm("present_card", {})
        assert told(needless.value.verdict) == (Outcome.DONE, Whereabouts.MOUTH)
        assert it.far.motions == []


@pytest.mark.parametrize("wrong", [-1, 1000, "7", True, 1.5])
@virtual_time
async def test_a_wrong_counter_in_params_is_refused(wrong: object) -> None:
    async with bench() as it:
        with pytest.raises(DeviceRefused, match="invalid_params"):
            await it.driver.arm("capture_card", {"bin": wrong})


@virtual_time
async def test_an_act_that_it_does_not_offer_is_refused_before_anything_is_sent() -> None:
    async with bench() as it:
        good = Arming({"st0": 0, "st1": 2, "st2": 0, "bin": 7})
        for attempt in (
            it.driver.arm("open_door", {}),
            it.driver.act("open_door", {}, good),
            it.driver.act("await_taken", {}, good),
            it.driver.act("draw_card", {}, Arming({})),
            it.driver.reconcile("open_door", {}, good),
            it.driver.watch("draw_card", {}, good, limit_s=1, fresh=True),
        ):
            with pytest.raises(DeviceRefused):
                await attempt
        assert it.far.frames == []


# --- a motion frame is written once --------------------------------------------------------------------------------

BAD_REPLY = encode(0, b"P21022")[:-1] + b"\x00"

DOUBTS = {
    "silence": (b.silent, "no_answer"),
    "ack, then silence": (b.acts_unheard, "no_answer"),
    "nak": (b.refuses_to_hear, "nak"),
    "line cut": (b.cuts, "line_lost"),
    "nonsense": (b.sends(b"\x06" + encode(0, b"P21999")), "nonsense"),
    "garbage": (b.sends(b"\x00\xff" * 300), "no_answer"),
    "half a frame": (b.sends(b"\x06" + encode(0, b"P21022")[:7]), "no_answer"),
    "flood": (b.floods(b"\x00" * 700), "line_floods"),
    "flood of acks": (b.floods(b"\x06" * 700), "line_floods"),
    "slow endless acks": (b.sends(b"\x06" * 50), "no_answer"),
    "eot unasked": (b.sends(b"\x04"), "stopped"),
    "another unit's reply": (b.sends(b"\x06" + encode(5, b"P21022")), "no_answer"),
    "another command's reply": (b.sends(b"\x06" + encode(0, b"P10022")), "no_answer"),
}


@pytest.mark.rule("PHY-2")
@pytest.mark.parametrize("doubt", list(DOUBTS))
@virtual_time
async def test_any_trouble_after_the_frame_is_unknown_and_the_frame_is_never_sent_again(doubt: str) -> None:
    answer, reason = DOUBTS[doubt]
    async with bench() as it:
        arming = await armed(it, "draw_card")
        it.far.say(DRAW, answer)
        began = now()
        with pytest.raises(OutcomeUnknown) as unknown:
            await it.driver.act("draw_card", {}, arming)
        assert unknown.value.reason == reason
        assert now() - began < 2 * it.profile.act_max_s + 5
        assert it.far.motions == [DRAW]


@pytest.mark.rule("PHY-2")
@ALL
@virtual_time
async def test_silence_and_nak_cost_one_frame_in_every_act(act: str) -> None:
    for answer in (b.silent, b.refuses_to_hear):
        async with bench() as it:
            with pytest.raises(OutcomeUnknown):
                await acted(it, act, answer)
            assert it.far.motions == [MOTION[act]]


@virtual_time
async def test_a_garbled_answer_is_asked_for_again_and_the_act_is_not() -> None:
    async def garbles(far: b.FarSide, frame: object) -> None:
        far.st0 = 2
        far.last_reply = encode(0, b"P21220")
        await far.send(b"\x06" + encode(0, b"P21220")[:-1] + b"\x00")

    async with bench() as it:
        assert told(await acted(it, "draw_card", garbles)) == (Outcome.DONE, Whereabouts.TRANSPORT)
        assert it.far.controls.count(Control.NAK) == 1
        assert it.far.motions == [DRAW]


@virtual_time
async def test_an_answer_garbled_for_ever_is_asked_for_three_times() -> None:
    async def garbles(far: b.FarSide, frame: object) -> None:
        far.last_reply = BAD_REPLY
        await far.send(b"\x06" + BAD_REPLY)

    async with bench() as it:
        with pytest.raises(OutcomeUnknown, match="bad_checksum"):
            await acted(it, "draw_card", garbles)
        assert it.far.controls.count(Control.NAK) == 3
        assert it.far.motions == [DRAW]


@virtual_time
async def test_a_garbled_frame_of_another_unit_is_not_asked_for() -> None:
    other = encode(5, b"P21220")[:-1] + b"\x00"
    async with bench() as it:
        with pytest.raises(OutcomeUnknown, match="no_answer"):
            await acted(it, "draw_card", b.sends(b"\x06" + other))
        assert Control.NAK not in it.far.controls


@virtual_time
async def test_a_lost_ack_does_not_lose_the_answer() -> None:
    async def mute_at_first(far: b.FarSide, frame: Packet) -> None:
        far.move((frame.cm, frame.pm))
        await asyncio.sleep(4)
        await far.reply(frame)

    async with bench() as it:
        assert told(await acted(it, "draw_card", mute_at_first)) == (Outcome.DONE, Whereabouts.TRANSPORT)
        assert it.far.motions == [DRAW]


@virtual_time
async def test_a_line_lost_before_the_frame_is_unavailable() -> None:
    async with bench() as it:
        arming = await armed(it, "draw_card")
        it.near.cut("unplugged")
        with pytest.raises(DeviceUnavailable, match="line_lost"):
            await it.driver.act("draw_card", {}, arming)
        with pytest.raises(DeviceUnavailable, match="line_lost"):
            await it.driver.act("draw_card", {}, arming)
        assert it.far.motions == []


@virtual_time
async def test_a_line_that_floods_before_the_frame_is_unavailable() -> None:
    async with bench() as it:
        arming = await armed(it, "draw_card")
        flood = asyncio.create_task(b.floods(b"\xf2\x00\x00\x06" * 100)(it.far, it.far.frames[0]))
        began = now()
        with pytest.raises(DeviceUnavailable, match="line_floods"):
            await it.driver.act("draw_card", {}, arming)
        assert now() - began < 2
        assert it.far.motions == []
        flood.cancel()
        await asyncio.wait([flood])


@virtual_time
async def test_a_status_that_fails_after_the_motion_leaves_it_unknown() -> None:
    async with bench() as it:
        arming = await armed(it, "draw_card")
        it.far.say(STATUS, *[b.silent] * 4)
        with pytest.raises(OutcomeUnknown, match="no_answer"):
            await it.driver.act("draw_card", {}, arming)
        assert it.far.motions == [DRAW]


@virtual_time
async def test_a_late_answer_is_not_taken_for_the_next_one() -> None:
    async with bench() as it:
        arming = await armed(it, "present_card")
        it.far.say(PRESENT, b.acts_unheard)
        with pytest.raises(OutcomeUnknown):
            await it.driver.act("present_card", {}, arming)
        await it.far.send(encode(0, b"P29220"))  # says 2, "still inside", and comes too late
        verdict = await it.driver.reconcile("present_card", {}, arming)
        assert told(verdict) == (Outcome.DONE, Whereabouts.MOUTH)
        assert (await it.driver.probe()).counters["lateReplies"] == 1
        assert it.far.motions == [PRESENT]


@pytest.mark.parametrize("at_s", [0.0, 0.001, 0.015, 0.03, 0.2, 1.0])
@virtual_time
async def test_cancelling_passes_through_and_leaves_at_most_one_whole_frame(at_s: float) -> None:
    async with bench() as it:
        arming = await armed(it, "draw_card")
        acting = asyncio.create_task(it.driver.act("draw_card", {}, arming))
        await asyncio.sleep(at_s)
        acting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await acting
        await asyncio.sleep(1)
        assert it.far.bad == []
        assert len(it.far.motions) <= 1
        assert acting.cancelled() or at_s == 1.0
        await it.driver.probe()  # the line was given back


# --- errors that a motion ends in ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [0x4E, 0x45])
@pytest.mark.parametrize("code", ["10", "12", "43", "51"])
@virtual_time
async def test_a_draw_that_gets_stuck_failed_in_the_transport(code: str, kind: int) -> None:
    async with bench() as it:
        verdict = await acted(it, "draw_card", b.fails(code, kind))
        assert told(verdict) == (Outcome.FAILED, Whereabouts.TRANSPORT)
        assert verdict.lane_shut
        assert verdict.facts["code"] == code
        assert it.far.motions == [DRAW]


@virtual_time
async def test_a_jam_on_presenting_is_for_a_person() -> None:
    async with bench() as it:
        verdict = await acted(it, "present_card", b.fails("10"))
        assert told(verdict) == (Outcome.UNKNOWN, Whereabouts.TRANSPORT)
        assert (verdict.reason, verdict.lane_shut) == ("card_jam", True)
        assert it.far.motions == [PRESENT]


@pytest.mark.parametrize(
    ("code", "reason"), [("A0", "stacker_empty"), ("02", "sequence_error"), ("Z9", "unlisted_error")]
)
@virtual_time
async def test_a_refusal_is_believed_only_after_two_readings(code: str, reason: str) -> None:
    async with bench() as it:
        arming = await armed(it, "draw_card")
        it.far.say(DRAW, b.fails(code))
        with pytest.raises(OutcomeUnknown, match=reason):
            await it.driver.act("draw_card", {}, arming)
        verdict = await it.driver.reconcile("draw_card", {}, arming)
        assert told(verdict) == (Outcome.NO_EFFECT, Whereabouts.STOCK)
        assert it.slept == [it.profile.act_max_s]
        assert it.far.motions == [DRAW]


@virtual_time
async def test_drawn_it_said_and_no_card_is_there() -> None:
    async with bench() as it:
        verdict = await acted(it, "draw_card", b.lies)
        assert (verdict.outcome, verdict.reason, verdict.lane_shut) == (Outcome.UNKNOWN, "contradiction", True)
        assert it.far.motions == [DRAW]


@pytest.mark.parametrize("act", ["present_card", "capture_card"])
@virtual_time
async def test_moved_it_said_and_the_card_is_where_it_was(act: str) -> None:
    async with bench() as it:
        with pytest.raises(OutcomeUnknown, match="contradiction"):
            await acted(it, act, b.lies)
        assert it.far.motions == [MOTION[act]]


@pytest.mark.parametrize(
    ("st0", "gained", "expected", "fact"),
    [
        (1, 0, (Outcome.DONE, Whereabouts.MOUTH), ("presented", True)),
        (0, 0, (Outcome.DONE, Whereabouts.CUSTOMER), ("taken", "inferred")),
        (0, 1, (Outcome.DONE, Whereabouts.BIN), ("retained", True)),
    ],
)
@virtual_time
async def test_what_presenting_came_to_is_read_not_assumed(
    st0: int, gained: int, expected: tuple[Outcome, Whereabouts], fact: tuple[str, object]
) -> None:
    async def presents(far: b.FarSide, frame: Packet) -> None:
        far.st0, far.bin = st0, far.bin + gained
        await far.send(Control.ACK.wire)
        await far.reply(frame)

    async with bench() as it:
        verdict = await acted(it, "present_card", presents)
        assert told(verdict) == expected
        assert verdict.facts[fact[0]] == fact[1]
        assert it.far.motions == [PRESENT]


# --- evidence that is told once ------------------------------------------------------------------------------------


@pytest.mark.rule("PHY-5")
@pytest.mark.rule("PHY-4")
@virtual_time
async def test_a_power_loss_is_committed_before_the_next_frame_and_recovered_without_moving() -> None:
    async with bench() as it:
        it.far.not_reset = True
        await armed(it, "draw_card")
        assert it.notes.kinds == ["power_lost"]
        assert it.notes.frames_before == [1]
        assert [(f.cm, f.pm) for f in it.far.frames] == [ENTRY_OFF, INITIALISE, ENTRY_OFF, STATUS, BIN]
        assert it.far.motions == []


@pytest.mark.rule("PHY-5")
@pytest.mark.parametrize("code", ["45", "16"])
@virtual_time
async def test_a_hand_in_the_machine_is_committed_before_the_next_frame(code: str) -> None:
    async with bench() as it:
        arming = await armed(it, "present_card")
        it.far.say(PRESENT, b.fails(code))
        frames = len(it.far.frames)
        with pytest.raises(OutcomeUnknown, match="moved_by_hand"):
            await it.driver.act("present_card", {}, arming)
        assert (it.notes.kinds, it.notes.frames_before) == (["moved_by_hand"], [frames + 1])
        it.far.st0 = 0
        verdict = await it.driver.reconcile("present_card", {}, arming)
        assert (verdict.outcome, verdict.reason) == (Outcome.UNKNOWN, "moved_by_hand")
        assert it.far.motions == [PRESENT]


@pytest.mark.rule("PHY-5")
@virtual_time
async def test_a_note_that_the_store_did_not_take_is_written_before_the_next_question() -> None:
    async with bench() as it:
        arming = await armed(it, "present_card")
        it.far.say(PRESENT, b.fails("45"))  # told once: the card is gone when it is asked again
        it.far.st0 = 0
        it.notes.failures = 2
        with pytest.raises(b.NoteLost):
            await it.driver.act("present_card", {}, arming)
        with pytest.raises(b.NoteLost):
            await it.driver.reconcile("present_card", {}, arming)
        frames = len(it.far.frames)
        await it.driver.connect()
        verdict = await it.driver.reconcile("present_card", {}, arming)
        assert (verdict.outcome, verdict.reason) == (Outcome.UNKNOWN, "moved_by_hand")
        assert (it.notes.kinds, it.notes.frames_before) == (["moved_by_hand"], [frames])


@virtual_time
async def test_a_draw_cut_by_a_power_loss_is_for_a_person_unless_the_card_is_seen() -> None:
    for st0, outcome in ((0, Outcome.UNKNOWN), (2, Outcome.DONE)):
        async with bench() as it:
            arming = await armed(it, "draw_card")
            it.far.say(DRAW, b.silent)
            with pytest.raises(OutcomeUnknown):
                await it.driver.act("draw_card", {}, arming)
            it.far.not_reset, it.far.st0 = True, st0
            assert (await it.driver.reconcile("draw_card", {}, arming)).outcome is outcome
            assert it.notes.kinds == ["power_lost"]
            assert it.far.motions == [DRAW]


# --- asking after an attempt in doubt ------------------------------------------------------------------------------


@pytest.mark.rule("PHY-1")
@ALL
@virtual_time
async def test_not_done_takes_two_equal_readings_act_max_s_apart(act: str) -> None:
    async with bench() as it:
        arming = await armed(it, act)
        before, began = it.far.count(STATUS), now()
        assert (await it.driver.reconcile(act, {}, arming)).outcome is Outcome.NO_EFFECT
        assert it.far.count(STATUS) == before + 2
        assert now() - began >= it.profile.act_max_s
        assert it.far.motions == []


@pytest.mark.rule("PHY-1")
@virtual_time
async def test_a_machine_that_still_moved_is_seen_by_the_second_reading() -> None:
    async with bench() as it:
        arming = await armed(it, "draw_card")
        asking = asyncio.create_task(it.driver.reconcile("draw_card", {}, arming))
        await asyncio.sleep(3)
        it.far.st0 = 2
        assert told(await asking) == (Outcome.DONE, Whereabouts.TRANSPORT)


@virtual_time
async def test_readings_that_never_settle_are_for_a_person() -> None:
    async def flickers(far: b.FarSide, frame: Packet) -> None:
        far.st1 = 3 - far.st1
        await b.obey(far, frame)

    async with bench() as it:
        arming = await armed(it, "draw_card")
        it.far.st1 = 1
        it.far.say(STATUS, *[flickers] * 20)
        verdict = await it.driver.reconcile("draw_card", {}, arming)
        assert (verdict.outcome, verdict.reason, verdict.lane_shut) == (Outcome.UNKNOWN, "unsteady_readings", True)


@pytest.mark.parametrize(
    ("act", "outcome"),
    [("draw_card", Outcome.FAILED), ("present_card", Outcome.UNKNOWN), ("capture_card", Outcome.UNKNOWN)],
)
@virtual_time
async def test_a_jam_that_answers_every_question_is_a_verdict(act: str, outcome: Outcome) -> None:
    async with bench() as it:
        arming = await armed(it, act)
        it.far.error = "10"
        verdict = await it.driver.reconcile(act, {}, arming)
        assert (verdict.outcome, verdict.item, verdict.lane_shut) == (outcome, Whereabouts.TRANSPORT, True)


@virtual_time
async def test_an_error_that_no_row_covers_is_for_a_person() -> None:
    async with bench() as it:
        arming = await armed(it, "draw_card")
        it.far.error = "02"
        verdict = await it.driver.reconcile("draw_card", {}, arming)
        assert (verdict.outcome, verdict.reason, verdict.lane_shut) == (Outcome.UNKNOWN, "sequence_error", True)


@virtual_time
async def test_a_unit_that_cannot_be_asked_is_unavailable() -> None:
    async with bench() as it:
        arming = await armed(it, "draw_card")
        it.far.say(STATUS, *[b.silent] * 4)
        with pytest.raises(DeviceUnavailable, match="no_answer"):
            await it.driver.reconcile("draw_card", {}, arming)


@virtual_time
async def test_asking_after_a_watch_looks_once() -> None:
    async with bench() as it:
        it.far.st0 = 1
        arming = await it.driver.arm("await_taken", {})
        verdict = await it.driver.reconcile("await_taken", {}, arming)
        assert told(verdict) == (Outcome.NO_EFFECT, Whereabouts.MOUTH)
        assert it.slept == []
        it.far.st0 = 0
        assert told(await it.driver.reconcile("await_taken", {"bin": 7}, arming)) == (
            Outcome.DONE,
            Whereabouts.CUSTOMER,
        )


# --- questions -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [b.silent, b.refuses_to_hear, b.sends(b"\x06"), b.sends(b"\x00\xff\x06\xf2\x00")])
@virtual_time
async def test_a_question_is_asked_four_times_and_not_more(answer: b.Answer) -> None:
    async with bench() as it:
        it.far.say(STATUS, *[answer] * 4)
        began = now()
        with pytest.raises(DeviceUnavailable):
            await it.driver.probe()
        assert it.far.count(STATUS) == 4
        assert now() - began < 15


@virtual_time
async def test_a_question_survives_three_losses() -> None:
    async with bench() as it:
        it.far.say(STATUS, b.silent, b.refuses_to_hear, b.sends(b"\x06" + encode(0, b"P10022")[:6]))
        twin = await it.driver.probe()
        assert twin.device == "online"
        assert (twin.counters["resends"], twin.counters["naks"], twin.counters["badFrames"]) == (3, 1, 1)


@virtual_time
async def test_silence_is_noticed_after_the_ack_timeout() -> None:
    async with bench() as it:
        it.far.say(STATUS, b.silent)
        await it.driver.probe()
        assert 0.3 <= it.far.times[1] - it.far.times[0] < 0.4


@virtual_time
async def test_an_adapter_that_echoes_is_borne() -> None:
    async def echoes(far: b.FarSide, frame: Packet) -> None:
        await far.send(encode(frame.unit, frame.body))
        await b.obey(far, frame)

    async with bench() as it:
        it.far.say(STATUS, echoes)
        assert (await it.driver.probe()).device == "online"


@virtual_time
async def test_a_unit_at_another_address_is_addressed_and_heard() -> None:
    async with bench(unit=15) as it:
        assert told(await acted(it, "draw_card")) == (Outcome.DONE, Whereabouts.TRANSPORT)
        assert {frame.unit for frame in it.far.frames} == {15}


@virtual_time
async def test_nothing_is_asked_before_connecting() -> None:
    async with bench() as it:
        await it.driver.disconnect()
        with pytest.raises(DeviceUnavailable, match="line_closed"):
            await it.driver.probe()
        assert it.far.frames == []


@pytest.mark.rule("PHY-1")
def test_the_silence_owed_is_longer_behind_a_serial_server() -> None:
    profile = Bench(act_max_s=10.0, drain_s=3.0).profile
    assert profile.settle_s(is_tcp=False) == 10.0
    assert profile.settle_s(is_tcp=True) == 13.0

"""What proves a sheet and what does not: every row of the evidence table both ways, across crashes of either side."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device_drivers.device import Arming, Outcome, Verdict, Whereabouts
from device_drivers.errors import DeviceRefused, DeviceUnavailable, OutcomeUnknown
from device_drivers.escpos.memory import OPEN_MAX, Open, Remembered, opened
from tests.device_drivers.escpos.bench import Bench, bench, job
from tests.virtual_time import run, virtual_time

LONG = {"block": [{"text": "{text}"}, {"seal": "公章", "width": 200}]}
NOT_REAL_TIME = (b"\x1d", b"\x1b", b"\x1c")
LEFTOVER = [  # it declares void what came out above, not a receipt that people say was handed over
    "以上残留内容作废，已交付的凭证不受影响",
    "What came out above is void. A receipt that was",
    "handed over stays valid.",
]


def told(verdict: Verdict) -> tuple[Outcome, str, Any]:
    return verdict.outcome, verdict.reason, verdict.facts.get("evidence")


DONE = (Outcome.DONE, "printed", "printed")
FOR_A_PERSON = (Outcome.UNKNOWN, "unproven", None)


async def doubtful(it: Bench, params: Any, act: str = "print_receipt") -> Arming:
    """Armed, acted, and in doubt; settled."""
    arming = await it.arm(act, **params)
    with pytest.raises(OutcomeUnknown):
        await it.act(arming, act, **params)
    await asyncio.sleep(it.driver.settle_s)
    return arming


def only_real_time(data: bytes | bytearray) -> bool:
    """And the zeros before it, that nobody takes its bytes for a length."""
    return bytes(data).replace(b"\x10\x04", b"").strip(b"\x00\x01\x02\x03\x04\x14") == b""


# --- a process ID that comes late ----------------------------------------------------------------------------------


@virtual_time
async def test_a_late_id_proves_the_attempt() -> None:
    async with bench() as it:
        it.far.print_s = 15.0
        arming = await doubtful(it, job())
        asked = it.far.asked(b"\x1d\x28\x48")
        assert told(await it.reconcile(arming, **job())) == DONE
        assert it.far.asked(b"\x1d\x28\x48") == asked
        assert "open_job" not in it.notes.kept


@virtual_time
async def test_no_id_is_for_a_person_and_shuts_the_lane() -> None:
    async with bench() as it:
        it.far.print_s = 100.0
        arming = await doubtful(it, job())
        before = len(it.far.received)
        verdict = await it.reconcile(arming, **job())
        assert told(verdict) == FOR_A_PERSON
        assert verdict.lane_shut
        assert only_real_time(it.far.received[before:])  # no new process ID, no fence: they would prove nothing
        assert it.notes.kept["open_job"] == "O-1/receipt/1"


@pytest.mark.rule("PHY-5")
@virtual_time
async def test_after_the_paper_was_refilled_a_look_finds_the_proof_and_keeps_it_before_the_next_question() -> None:
    async with bench() as it:
        params = job(template=LONG)
        arming = await it.arm(**params)
        it.far.print_s = 2.0
        asyncio.get_running_loop().call_later(1, lambda: it.far.becomes(paper_out=True))
        with pytest.raises(OutcomeUnknown, match="paper_out"):
            await it.act(arming, **params)
        await asyncio.sleep(it.driver.settle_s)
        verdict = await it.reconcile(arming, **params)
        assert told(verdict) == (Outcome.UNKNOWN, "paper_out", None)
        assert (await it.driver.probe()).device == "userError"
        it.far.becomes(paper_out=False)
        await asyncio.sleep(2)
        before = len(it.far.received)
        assert (await it.driver.probe()).device == "online"
        ((attempt, proof),) = it.notes.proofs
        assert (attempt, told(proof), proof.facts["process_id"]) == ("O-1/receipt/1", DONE, "0001")
        assert it.notes.sent_before == [before]
        assert "open_job" not in it.notes.kept


@pytest.mark.rule("PHY-5")
@virtual_time
async def test_a_proof_that_comes_between_two_questions_is_kept_before_the_second() -> None:
    async with bench() as it:
        it.notes.kept = {"open_job": "O-1/receipt/1", "open_jobs": [["O-1/receipt/1", "0009"]], "next_id": 10}
        answer = it.far._real_time

        def and_proves(n: int) -> None:
            answer(n)
            if n == 1:
                it.far._say(b"\x37\x220009\x00")

        it.far._real_time = and_proves  # type: ignore[method-assign]
        await it.driver.probe()
        assert [attempt for attempt, _ in it.notes.proofs] == ["O-1/receipt/1"]
        assert b"\x10\x04\x02" not in it.far.received[: it.notes.sent_before[0]]


@virtual_time
async def test_the_id_of_a_job_is_no_answer_to_a_probe() -> None:
    async with bench() as it:
        it.far.ids = False
        obey = it.far._obey

        async def and_an_old_id(command: bytes) -> None:
            await obey(command)
            if command.startswith(b"\x1d\x28\x48"):
                it.far._say(b"\x37\x220009\x00")

        it.far._obey = and_an_old_id  # type: ignore[method-assign]
        await it.driver.probe()
        assert not it.notes.kept["probed"]["process_id"]


@virtual_time
async def test_what_was_proved_late_gets_no_void_slip() -> None:
    async with bench() as it:
        it.far.print_s = 25.0
        arming = await doubtful(it, job())
        assert told(await it.reconcile(arming, **job())) == FOR_A_PERSON
        await asyncio.sleep(10)
        it.far.print_s = 0.5
        assert told(await it.attempt(**job(2))) == DONE
        assert [attempt for attempt, _ in it.notes.proofs] == ["O-1/receipt/1"]
        assert it.far.sheets == [["回单", "No. O-1/receipt/1"], ["回单", "No. O-2/receipt/1"]]


@virtual_time
async def test_a_job_that_is_proved_between_arming_and_acting_gets_no_void_slip() -> None:
    async with bench() as it:
        it.far.print_s = 25.0
        arming = await doubtful(it, job())
        assert told(await it.reconcile(arming, **job())) == FOR_A_PERSON
        it.far.print_s = 0.5
        second = await it.arm(**job(2))
        assert second.readings["left"] == [["O-1/receipt/1", "0001"]]
        await asyncio.sleep(10)
        with pytest.raises(DeviceRefused, match="moved_on"):
            await it.act(second, **job(2))
        assert [attempt for attempt, _ in it.notes.proofs] == ["O-1/receipt/1"]
        assert "open_job" not in it.notes.kept
        assert len(it.far.sheets) == 1


@virtual_time
async def test_the_answer_of_an_old_job_in_the_new_one_proves_the_old_one_only() -> None:
    async with bench() as it:
        it.far.print_s = 25.0
        arming = await doubtful(it, job())
        assert told(await it.reconcile(arming, **job())) == FOR_A_PERSON
        second = await it.arm(**job(2))
        it.far.print_s = 1.0
        acting = asyncio.create_task(it.act(second, **job(2)))
        verdict = await asyncio.wait_for(acting, 60)
        assert (told(verdict), verdict.facts["process_id"]) == (DONE, "0002")
        ((attempt, proof),) = it.notes.proofs
        assert (attempt, proof.facts["process_id"]) == ("O-1/receipt/1", "0001")
        assert proof.facts["voided_by"] == "O-2/receipt/1"  # the slip that declares it void is out, too
        assert it.far.sheets[0] == ["回单", "No. O-1/receipt/1"]
        assert it.far.sheets[1:] == [["作废 VOID", *LEFTOVER, "No. O-1/receipt/1"], ["回单", "No. O-2/receipt/1"]]


@pytest.mark.rule("ORD-10")
@virtual_time
async def test_the_fence_of_an_old_job_proves_no_new_one() -> None:
    """It has no name: the old sheet goes on when the cover is closed, and its answer comes while the new one waits."""
    async with bench(process_id="no", asb_mask=0) as it:
        it.far.ids, it.far.print_s = False, 3.0
        await it.driver.probe()
        arming = await it.arm(**job(1))
        it.far.after(40, lambda: it.far.becomes(cover_open=True))
        with pytest.raises(OutcomeUnknown):
            await it.act(arming, **job(1))
        await asyncio.sleep(it.driver.settle_s)
        assert (await it.reconcile(arming, **job(1))).outcome is Outcome.UNKNOWN
        it.far.becomes(cover_open=False)
        verdict = await it.attempt(**job(2))
        assert told(verdict) == (Outcome.DONE, "processed", "processed")
        assert ["回单", "No. O-2/receipt/1"] in it.far.sheets


@virtual_time
async def test_a_later_id_proves_no_earlier_job() -> None:
    """Between the two the printer may have lost its power, and the first sheet with it."""
    async with bench() as it:
        arming = await it.arm(**job())
        it.far.ids = False
        with pytest.raises(OutcomeUnknown):
            await it.act(arming, **job())
        await asyncio.sleep(it.driver.settle_s)
        assert told(await it.reconcile(arming, **job())) == FOR_A_PERSON
        it.far.ids = True
        assert told(await it.attempt(**job(2))) == DONE
        assert it.notes.proofs == []
        assert "open_job" not in it.notes.kept  # what may have lain there was declared void and is out


# --- a crash of ours in the middle of anything ---------------------------------------------------------------------


@virtual_time
async def test_after_a_crash_in_mid_image_only_real_time_questions_are_asked_until_the_next_job() -> None:
    async with bench() as it:
        await it.driver.probe()
        params = job(template=LONG)
        arming = await it.arm(**params)
        it.cut_after(1000)
        with pytest.raises(OutcomeUnknown):
            await it.act(arming, **params)
        await it.restart()
        before = len(it.far.received)
        assert told(await it.reconcile(arming, **params)) == FOR_A_PERSON
        await it.driver.recover()
        await it.driver.probe()
        await it.driver.probe()
        await it.arm(**job(2))
        assert only_real_time(it.far.received[before:])


async def crashed_at(sent: int, **settings_: Any) -> None:
    """The process dies after so many bytes of the first order; its machine comes back and prints the second."""
    async with bench(**settings_) as it:
        await it.driver.probe()
        first = job(1, "第一单", template=LONG)
        arming = await it.arm(**first)
        it.cut_after(sent)
        with pytest.raises((OutcomeUnknown, DeviceUnavailable)):
            await it.act(arming, **first)
        await it.restart()
        if it.notes.kept.get("open_job"):
            assert told(await it.reconcile(arming, **first)) == FOR_A_PERSON
        assert told(await it.attempt(**job(2, "第二单"))) == DONE
        assert it.far.sheets[-1] == ["第二单", "No. O-2/receipt/1"]
        slips = [sheet for sheet in it.far.sheets if "作废 VOID" in "".join(sheet)]
        assert len(slips) == 1
        assert slips[0][-1] == "No. O-1/receipt/1"
        assert not it.far.left
        assert "open_job" not in it.notes.kept


@pytest.mark.rule("PHY-2")
@settings(max_examples=40, deadline=None)
@given(st.integers(1, 5155))
def test_no_line_of_the_first_order_stands_on_the_seconds_sheet_wherever_the_first_was_cut(sent: int) -> None:
    run(crashed_at(sent))


@pytest.mark.parametrize("sent", range(5120, 5156))
def test_also_in_its_last_commands(sent: int) -> None:
    run(crashed_at(sent))


@virtual_time
async def test_the_dangerous_places_are_inside_of_that_range() -> None:
    async with bench() as it:
        arming = await it.arm(**job(1, "第一单", template=LONG))
        assert arming.readings["bytes"] + len(b"\x1d\x28\x48\x06\x00\x30\x300001") == 5156


@virtual_time
async def test_two_jobs_in_doubt_are_both_declared_void() -> None:
    async with bench() as it:
        await it.driver.probe()
        for number in (1, 2):
            params = job(number, template=LONG)
            arming = await it.arm(**params)
            it.cut_after(900 if number == 1 else 3500)
            with pytest.raises(OutcomeUnknown):
                await it.act(arming, **params)
            await it.restart()
        assert told(await it.attempt(**job(3))) == DONE
        assert it.far.sheets[-2][-6:] == ["作废 VOID", *LEFTOVER, "No. O-1/receipt/1", "No. O-2/receipt/1"]
        assert it.far.sheets[-1] == ["回单", "No. O-3/receipt/1"]
        assert "open_job" not in it.notes.kept


def test_a_slip_names_no_more_than_so_many() -> None:
    many = [Open(f"O-{number}/receipt/1", "0001") for number in range(OPEN_MAX + 5)]
    memory = Remembered.of(opened(many))
    assert len(memory.open) == OPEN_MAX
    assert memory.open[-1] == many[-1]


def test_a_memory_that_nobody_wrote_is_a_new_one() -> None:
    assert Remembered.of({}) == Remembered()
    assert Remembered.of({"next_id": 0, "probed": 7, "sheets": "x"}) == Remembered()


# --- power and other printers --------------------------------------------------------------------------------------


@virtual_time
async def test_a_printer_that_lost_its_power_proves_nothing_any_more() -> None:
    async with bench() as it:
        params = job(template=LONG)
        arming = await it.arm(**params)

        def dark() -> None:
            it.far.mute = it.far.off = True
            it.far.loses_power()

        it.far.after(500, dark)
        with pytest.raises(OutcomeUnknown, match="no_answer"):
            await it.act(arming, **params)
        it.far.mute = it.far.off = False
        await asyncio.sleep(it.driver.settle_s)
        assert told(await it.reconcile(arming, **params)) == FOR_A_PERSON
        assert told(await it.attempt(**job(2))) == DONE
        assert [sheet[-1] for sheet in it.far.sheets] == ["No. O-1/receipt/1", "No. O-2/receipt/1"]


@pytest.mark.parametrize("taken", [300, 1500, 2500, 4000, 5100])
@virtual_time
async def test_a_printer_whose_power_blinked_in_mid_job_is_not_sent_the_rest(taken: int) -> None:
    """It would print the end without the beginning, and the ID behind it would prove that."""
    async with bench() as it:
        params = job(template=LONG)
        arming = await it.arm(**params)

        def dark() -> None:
            it.far.mute = it.far.off = True
            it.far.loses_power()
            asyncio.get_running_loop().call_later(1, light)

        def light() -> None:
            it.far.mute = it.far.off = False

        it.far.after(taken, dark)
        with pytest.raises(OutcomeUnknown):
            await it.act(arming, **params)
        await asyncio.sleep(it.driver.settle_s)
        assert told(await it.reconcile(arming, **params)) == FOR_A_PERSON
        assert it.far.sheets == []


@virtual_time
async def test_abilities_are_found_out_once_and_not_by_the_name() -> None:
    async with bench() as it:
        it.far.ids = False
        it.far.names = {0x42: b"EPSON", 0x43: b"TM-T88V"}
        await it.driver.probe()
        assert it.notes.kept["probed"] == {
            "identity": {"maker": "EPSON", "model": "TM-T88V"},
            "process_id": False,
            "fence": True,
            "cutter_counter": False,
            "asb": True,
        }
        asked = it.far.asked(b"\x1d\x28\x48")
        await it.restart()
        await it.driver.probe()
        assert it.far.asked(b"\x1d\x28\x48") == asked
        assert it.far.sheets == []
        assert not it.far.left


@pytest.mark.parametrize("busy_s", [8.0, 9.5, 12.0, 14.0])
@virtual_time
async def test_a_printer_asked_while_it_is_still_printing_is_not_taken_for_one_that_can_prove_nothing(
    busy_s: float,
) -> None:
    async with bench(act_max_s=15.0, cutter_counter=True) as it:
        it.far.print_s = busy_s
        it.far.queue += b"\x1d\x56\x00"
        it.far._more.set()
        await asyncio.sleep(0.01)
        await it.driver.probe()
        await asyncio.sleep(5.0)
        await it.driver.probe()
        assert it.notes.kept["probed"]["process_id"]
        assert it.notes.kept["probed"]["cutter_counter"]


@virtual_time
async def test_questions_that_a_printer_takes_for_letters_never_fill_a_line() -> None:
    """A line that is full is printed, and would stand above the next customer's sheet."""
    async with bench(cutter_counter=True, asb_mask=0) as it:
        it.far.ids = it.far.fence = it.far.counter = False
        for _ in range(12):  # a loose plug: it is asked who it is each time
            await it.restart()
            await it.driver.probe()
        between = bytes(it.far.received).replace(b"\x10\x04", b"").split(b"\x1b\x40")
        letters = [sum(0x20 <= byte <= 0x7E for byte in part) for part in between]
        assert max(letters) < 32  # the columns of narrow paper


@virtual_time
async def test_a_printer_that_answers_none_of_it_for_long_is_believed() -> None:
    async with bench(asb_mask=0) as it:
        it.far.ids = it.far.fence = False
        await it.driver.probe()
        assert "probed" not in it.notes.kept
        await asyncio.sleep(it.profile.act_max_s)
        await it.driver.probe()
        assert not it.notes.kept["probed"]["process_id"]
        asked = it.far.asked(b"\x1d\x28\x48")
        await it.driver.probe()
        assert it.far.asked(b"\x1d\x28\x48") == asked


@virtual_time
async def test_another_printer_is_probed_anew_and_so_is_one_when_told() -> None:
    async with bench() as it:
        it.far.ids = False
        await it.driver.probe()
        it.far.ids, it.far.names = True, {0x43: b"XP-S260M"}
        await it.driver.probe()
        assert not it.notes.kept["probed"]["process_id"]  # the same connection: the same printer
        await it.restart()
        assert (await it.driver.probe()).identity["model"] == "XP-S260M"
        assert it.notes.kept["probed"]["process_id"]
        it.far.ids = False
        await it.driver.probe_again()
        await it.driver.probe()
        assert not it.notes.kept["probed"]["process_id"]


@pytest.mark.parametrize("what", ["cover_open", "open_job"])
@virtual_time
async def test_it_is_not_probed_while_something_is_wrong_or_may_lie_in_it(what: str) -> None:
    async with bench() as it:
        it.far.cover_open = what == "cover_open"
        if what == "open_job":
            it.notes.kept = {"open_job": "O-1/receipt/1", "open_jobs": [["O-1/receipt/1", "0001"]]}
        await it.driver.probe()
        assert only_real_time(it.far.received)
        assert "probed" not in it.notes.kept


@virtual_time
async def test_recovering_sends_nothing_that_prints() -> None:
    async with bench() as it:
        await it.driver.recover()
        assert not it.far.received


# --- the cutter counter --------------------------------------------------------------------------------------------


async def counted(it: Bench, params: Any) -> Arming:
    """A whole sheet whose ID never came, as with a printer whose answers were lost for a moment."""
    arming = await it.arm(**params)
    it.far.mute = True
    with pytest.raises(OutcomeUnknown):
        await it.act(arming, **params)
    it.far.mute = False
    await asyncio.sleep(it.driver.settle_s)
    return arming


@virtual_time
async def test_one_more_cut_is_processed() -> None:
    async with bench(cutter_counter=True) as it:
        arming = await counted(it, job())
        verdict = await it.reconcile(arming, **job())
        assert (told(verdict), verdict.item) == ((Outcome.DONE, "processed", "processed"), Whereabouts.CUSTOMER)
        assert "open_job" not in it.notes.kept


@virtual_time
async def test_one_more_cut_counts_after_a_restart_too() -> None:
    async with bench(cutter_counter=True) as it:
        arming = await counted(it, job())
        await it.restart()
        assert told(await it.reconcile(arming, **job())) == (Outcome.DONE, "processed", "processed")


@pytest.mark.rule("PHY-1")
@virtual_time
async def test_no_cut_of_a_printer_that_was_never_away_is_no_effect_by_two_readings() -> None:
    async with bench(cutter_counter=True) as it:
        arming = await it.arm(**job())
        it.far.loses_power()
        it.far.after(0, lambda: None)
        eaten = it.near.write

        async def lost(data: bytes) -> None:
            if b"No. O-1" in data or data.startswith((b"\x1b\x40", b"\x1d\x28\x48")):
                return
            await eaten(data)

        it.near.write = lost  # type: ignore[method-assign]
        with pytest.raises(OutcomeUnknown):
            await it.act(arming, **job())
        it.near.write = eaten  # type: ignore[method-assign]
        await asyncio.sleep(it.driver.settle_s)
        asked, began = it.far.asked(b"\x1d\x67"), asyncio.get_running_loop().time()
        verdict = await it.reconcile(arming, **job())
        assert (verdict.outcome, verdict.reason) == (Outcome.NO_EFFECT, "not_printed")
        assert it.far.asked(b"\x1d\x67") == asked + 2
        assert asyncio.get_running_loop().time() - began >= it.profile.act_max_s
        assert it.notes.kept["open_job"] == "O-1/receipt/1"  # half of it may hang there


@pytest.mark.parametrize(
    "what", ["restarted", "offline", "went_back", "two_cuts", "cover", "other_printer", "silent_counter"]
)
@virtual_time
async def test_a_counter_that_proves_nothing_is_for_a_person(what: str) -> None:
    async with bench(cutter_counter=True) as it:
        arming = await counted(it, job())
        gained = {"went_back": -50, "two_cuts": 2, "restarted": 0, "offline": 0}.get(what, 1)
        it.far.cuts = 100 + gained
        if what == "restarted":
            await it.restart()
        elif what in ("offline", "cover"):
            it.far.becomes(paper_out=what == "offline", cover_open=what == "cover")
            await asyncio.sleep(0.1)
            it.far.becomes(paper_out=False, cover_open=False)
            await asyncio.sleep(0.1)
        elif what == "other_printer":
            it.far.names = {0x43: b"XP-S260M"}
        elif what == "silent_counter":
            it.far.counter = False
        assert told(await it.reconcile(arming, **job())) == FOR_A_PERSON


@virtual_time
async def test_a_void_slip_before_the_sheet_is_a_cut_of_its_own() -> None:
    async with bench() as it:
        it.notes.kept = {"open_job": "O-0/receipt/1", "open_jobs": [["O-0/receipt/1", "0009"]], "next_id": 10}
        assert (await it.arm(**job())).readings["cuts"] == 2


@virtual_time
async def test_a_counter_is_not_read_while_a_job_may_lie_there() -> None:
    async with bench(cutter_counter=True) as it:
        it.notes.kept = {"open_job": "O-0/receipt/1", "open_jobs": [["O-0/receipt/1", "0009"]], "next_id": 10}
        assert (await it.arm(**job())).readings["cutter"] is None
        assert only_real_time(it.far.received)


@pytest.mark.parametrize("act", ["print_receipt", "print_ticket"])
@virtual_time
async def test_what_is_wrong_with_it_is_the_reason_and_that_nothing_proves_the_sheet_a_fact(act: str) -> None:
    async with bench() as it:
        it.far.after(40, lambda: it.far.becomes(paper_out=True))
        arming = await doubtful(it, job(), act)
        verdict = await it.reconcile(arming, act, **job())
        assert (verdict.reason, verdict.facts["verdict"]) == ("paper_out", "unproven")


# --- what may be repeated ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("act", ["print_ticket", "void_receipt"])
@virtual_time
async def test_what_may_be_printed_again_fails_and_leaves_the_lane_open(act: str) -> None:
    async with bench() as it:
        params = job() | {"undoes": ["O-9/receipt/1"]}
        it.far.print_s = 100.0
        arming = await doubtful(it, params, act)
        verdict = await it.reconcile(arming, act, **params)
        assert (verdict.outcome, verdict.reason, verdict.lane_shut) == (Outcome.FAILED, "unproven", False)


@virtual_time
async def test_an_arming_of_something_else_is_refused() -> None:
    async with bench() as it:
        for readings in ({}, {"st0": 1}):
            with pytest.raises(DeviceRefused, match="invalid_arming"):
                await it.reconcile(Arming(readings), **job())


# --- the twin ------------------------------------------------------------------------------------------------------


@virtual_time
async def test_the_twin_speaks_of_paper() -> None:
    async with bench() as it:
        assert (await it.driver.probe()).storage["paper"]["paper"] == "full"
        it.far.near_end = True
        twin = await it.driver.probe()
        assert (twin.device, twin.reason, twin.storage["paper"]["replenishmentStatus"]) == (
            "online",
            "paper_low",
            "low",
        )
        it.far.cutter_jam = True
        twin = await it.driver.probe()
        assert (twin.device, twin.reason, twin.media) == ("hardwareError", "cutter_jam", "jammed")


@virtual_time
async def test_a_near_end_sensor_may_be_disbelieved() -> None:
    async with bench(near_end=False) as it:
        it.far.near_end = True
        assert (await it.driver.probe()).reason == ""


@virtual_time
async def test_every_sheet_is_counted_until_the_paper_is_out() -> None:
    async with bench() as it:
        for number in range(3):
            await it.attempt(**job(number))
        assert (await it.driver.probe()).storage["paper"]["count"] == 3
        await it.restart()
        assert (await it.driver.probe()).storage["paper"]["count"] == 3
        it.far.becomes(paper_out=True)
        twin = await it.driver.probe()
        assert (twin.device, twin.reason, twin.storage["paper"]["paper"]) == ("userError", "paper_out", "out")
        it.far.becomes(paper_out=False)
        assert (await it.driver.probe()).storage["paper"]["count"] == 0

"""The driver's process ends, or its line goes, at each read and write of an act; a new one asks. Never two sheets."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from device_drivers.device import Json, Outcome, Verdict
from device_drivers.errors import DeviceUnavailable, OutcomeUnknown
from device_drivers.ipp.memory import JOB
from tests.device_drivers.ipp.bench import ATTEMPT, SHA, Bench, Killed, bench
from tests.virtual_time import virtual_time

SECOND = "O-17/print/2"


async def count_calls(reprint: int) -> int:
    async with bench() as b:
        params = b.params(reprint=reprint)
        driver = await b.driver()
        arming = await b.arm(driver, params)
        before = len(b.link.calls)
        await driver.act("print_document", params, arming)
        return len(b.link.calls) - before


async def act_cut_at(b: Bench, n: int, how: str, reprint: int) -> Verdict:
    """The act up to its nth read or write, then what a later process says of it."""
    params = b.params(reprint=reprint)
    driver = await b.driver()
    arming = await b.arm(driver, params)
    setattr(b.link, f"{how}_at", len(b.link.calls) + n)
    try:
        verdict = await driver.act("print_document", params, arming)
        b.notebook.join(verdict.memory)
        return verdict
    except (Killed, OutcomeUnknown):
        await b.link.close()  # the operating system closes what a dead process had open
    except DeviceUnavailable:
        return Verdict(Outcome.NO_EFFECT, "not sent")
    setattr(b.link, f"{how}_at", 0)
    return await b.reconcile(params, arming)


def is_true(b: Bench, verdict: Verdict) -> None:
    """What was told is what lies in the tray, and nothing comes out later."""
    whole = [s for s in b.link.sheets if s["sha256"] == SHA and s["pages_done"] == s["pages"]]
    if verdict.outcome is Outcome.DONE:
        assert len(whole) == len(b.link.sheets) == 1
    elif verdict.outcome is Outcome.NO_EFFECT:  # but for our own sheet before a reprint
        assert [s for s in b.link.sheets if s["pages"] > 1 or not s["reprint"]] == []
    else:
        assert verdict.outcome is Outcome.FAILED
        assert whole == []
        assert b.link.sheets


@pytest.mark.rule("PHY-2")
@pytest.mark.rule("ORD-3")
@pytest.mark.parametrize("reprint", [0, 1])
@pytest.mark.parametrize("how", ["kill", "lose"])
@pytest.mark.parametrize("prints_partial", [False, True])
def test_at_each_read_and_write_one_sheet_at_most_and_the_truth_is_told(
    how: str, reprint: int, prints_partial: bool
) -> None:
    @virtual_time
    async def work() -> None:
        calls = await count_calls(reprint)
        assert calls > 10
        seen = set()
        for n in range(1, calls + 1):
            async with bench(prints_partial=prints_partial) as b:
                verdict = await act_cut_at(b, n, how, reprint)
                await asyncio.sleep(100)
                is_true(b, verdict)
                seen.add(verdict.outcome)
                if verdict.outcome is Outcome.NO_EFFECT:  # the engine arms once more
                    await b.print(await b.driver(), b.params(SECOND, reprint=reprint))
                    assert sum(s["pages_done"] == s["pages"] and s["attempts"] == [SECOND] for s in b.link.sheets) == 1
        assert {Outcome.DONE, Outcome.NO_EFFECT} <= seen

    work()


@virtual_time
async def test_killed_before_the_document_nothing_can_have_been_printed_even_by_a_printer_without_history() -> None:
    async with bench(history=0, incoming_s=0.5) as b:
        b.profile["history_s"] = 0.0
        driver, params = await b.driver(), b.params()
        arming = await b.arm(driver, params)
        b.notebook.deny = True
        with pytest.raises(Killed):
            await driver.act("print_document", params, arming)
        b.notebook.deny = False
        assert b.machine.mechanism.jobs
        await asyncio.sleep(5)
        verdict = await b.reconcile(params, arming)
        assert (verdict.outcome, verdict.reason) == (Outcome.NO_EFFECT, "document_not_sent")


@pytest.mark.rule("ORD-10")
@virtual_time
async def test_a_cover_that_a_printer_prints_alone_is_not_taken_for_the_document() -> None:
    async with bench(incoming_s=3.0, processes_incoming=True) as b:
        driver, params = await b.driver(), b.params(SECOND, reprint=1)
        arming = await b.arm(driver, params)
        remember, told = b.notebook.remember, 0

        async def second_fails(memory: Mapping[str, Json]) -> None:
            nonlocal told
            told += 1
            if told == 2:
                raise Killed
            await remember(memory)

        b.notebook.remember = second_fails  # type: ignore[method-assign]
        with pytest.raises(Killed):
            await driver.act("print_document", params, arming)
        b.notebook.remember = remember  # type: ignore[method-assign]
        await asyncio.sleep(10)
        assert [(sheet["pages"], sheet["pages_done"]) for sheet in b.link.sheets] == [(1, 1)]
        verdict = await b.reconcile(params, arming)
        assert (verdict.outcome, verdict.reason) == (Outcome.NO_EFFECT, "document_not_sent")


@virtual_time
async def test_a_list_that_was_cut_off_proves_nothing() -> None:
    async with bench(page_s=0.1, begin_s=0.1) as b:
        b.profile["jobs_max"] = 10
        for _ in range(10):
            b.do("print")
        await asyncio.sleep(100)
        verdict = await absent(b)
        assert (verdict.outcome, verdict.reason) == (Outcome.UNKNOWN, "job_history_short")


@virtual_time
async def test_an_empty_job_that_is_left_over_is_cancelled() -> None:
    async with bench() as b:
        driver, params = await b.driver(), b.params()
        arming = await b.arm(driver, params)
        b.fault("hang_after_create")
        with pytest.raises(OutcomeUnknown, match="no_answer"):
            await driver.act("print_document", params, arming)
        verdict = await b.reconcile(params, arming)
        assert (verdict.outcome, verdict.facts["document_sent"]) == (Outcome.NO_EFFECT, False)
        assert [job.state for job in b.machine.mechanism.jobs] == [7]
        assert JOB not in b.notebook.kept


@virtual_time
async def test_a_job_whose_document_never_came_whole_is_cancelled_after_a_while() -> None:
    async with bench() as b:
        driver, params = await b.driver(), b.params()
        arming = await b.arm(driver, params)
        queue = driver._queue
        job_id = await queue.create(ATTEMPT, {}, 5.0)
        b.notebook.kept[JOB] = {"attempt": ATTEMPT, "stage": "document", "id": job_id}
        began = asyncio.get_running_loop().time()
        verdict = await b.reconcile(params, arming)
        assert asyncio.get_running_loop().time() - began >= b.profile["incoming_s"]
        assert (verdict.outcome, verdict.reason) == (Outcome.NO_EFFECT, "job_ended_unprinted")
        assert verdict.facts["cancelled"] is True


async def lost_after_sending(b: Bench, *, keeps_history: bool, at_s: float) -> Verdict:
    """The whole document went out, then the driver died, then the printer restarted."""
    driver, params = await b.driver(), b.params()
    arming = await b.arm(driver, params)
    acting = asyncio.create_task(driver.act("print_document", params, arming))
    await asyncio.sleep(at_s)
    b.fault("restart", off_s=2.0, keeps_history=keeps_history)
    with pytest.raises(OutcomeUnknown):
        await acting
    await asyncio.sleep(10)
    return await b.reconcile(params, arming)


@pytest.mark.rule("PHY-7")
@virtual_time
async def test_a_printer_that_lost_its_history_proves_nothing() -> None:
    async with bench() as b:
        verdict = await lost_after_sending(b, keeps_history=False, at_s=0.5)
        assert (verdict.outcome, verdict.reason, verdict.lane_shut) == (Outcome.UNKNOWN, "printer_restarted", True)


@virtual_time
async def test_a_printer_that_kept_its_history_is_believed() -> None:
    async with bench() as b:
        verdict = await lost_after_sending(b, keeps_history=True, at_s=0.5)
        assert (verdict.outcome, verdict.reason) == (Outcome.NO_EFFECT, "job_ended_unprinted")
        assert b.link.sheets == []
    async with bench() as b:
        verdict = await lost_after_sending(b, keeps_history=True, at_s=1.0)
        assert (verdict.outcome, verdict.reason) == (Outcome.FAILED, "document_incomplete")


async def absent(b: Bench, *, ran_s: float = 100.0, waited_s: float = 0.0) -> Verdict:
    """Its document may have been sent, and the printer lists no such job."""
    await asyncio.sleep(ran_s)
    driver, params = await b.driver(), b.params()
    arming = await b.arm(driver, params)
    b.notebook.kept[JOB] = {"attempt": ATTEMPT, "stage": "document", "id": None}
    await asyncio.sleep(waited_s)
    return await b.reconcile(params, arming)


@virtual_time
async def test_absence_proves_something_only_within_an_unbroken_history() -> None:
    async with bench() as b:
        verdict = await absent(b, waited_s=60)
        assert (verdict.outcome, verdict.reason) == (Outcome.NO_EFFECT, "job_absent")
    async with bench() as b:  # longer ago than the printer surely remembers
        verdict = await absent(b, waited_s=3700)
        assert (verdict.outcome, verdict.reason) == (Outcome.UNKNOWN, "job_history_short")
    async with bench() as b:  # nobody ever said that it remembers
        b.profile["history_s"] = 0.0
        verdict = await absent(b)
        assert (verdict.outcome, verdict.reason, verdict.lane_shut) == (Outcome.UNKNOWN, "job_history_short", True)


@virtual_time
async def test_an_up_time_that_is_larger_than_before_may_still_be_another_one() -> None:
    async with bench() as b:
        await asyncio.sleep(100)
        driver, params = await b.driver(), b.params()
        arming = await b.arm(driver, params)
        b.notebook.kept[JOB] = {"attempt": ATTEMPT, "stage": "document", "id": None}
        await asyncio.sleep(20)
        b.fault("restart", off_s=2.0)
        await asyncio.sleep(160)
        assert b.machine.up_s(asyncio.get_running_loop().time()) > arming.readings["up_time_s"]
        verdict = await b.reconcile(params, arming)
        assert (verdict.outcome, verdict.reason) == (Outcome.UNKNOWN, "printer_restarted")


@virtual_time
async def test_a_printer_that_had_only_just_begun_could_have_begun_again_unseen() -> None:
    async with bench() as b:
        driver, params = await b.driver(), b.params()
        arming = await b.arm(driver, params)
        acting = asyncio.create_task(driver.act("print_document", params, arming))
        await asyncio.sleep(0.5)
        b.fault("restart", off_s=0.1)
        with pytest.raises(OutcomeUnknown):
            await acting
        verdict = await b.reconcile(params, arming)
        assert (verdict.outcome, verdict.reason) == (Outcome.UNKNOWN, "printer_restarted")


@virtual_time
async def test_a_host_that_was_restarted_cannot_compare_up_times() -> None:
    async with bench() as b:
        await asyncio.sleep(100)
        driver, params = await b.driver(), b.params()
        arming = await b.arm(driver, params)
        b.notebook.kept[JOB] = {"attempt": ATTEMPT, "stage": "document", "id": None}
        b.boot = "boot-2"
        verdict = await b.reconcile(params, arming)
        assert (verdict.outcome, verdict.reason) == (Outcome.UNKNOWN, "printer_restarted")


@virtual_time
async def test_another_printer_at_the_address_proves_nothing() -> None:
    async with bench() as b:
        driver, params = await b.driver(), b.params()
        arming = await b.arm(driver, params)
        b.notebook.kept[JOB] = {"attempt": ATTEMPT, "stage": "document", "id": None}
        async with bench(uuid="urn:uuid:00000000-0000-4000-8000-000000000009") as other:
            other.notebook = b.notebook
            verdict = await other.reconcile(params, arming)
        assert (verdict.outcome, verdict.reason) == (Outcome.UNKNOWN, "other_machine")


@virtual_time
async def test_a_journal_that_does_not_know_how_far_it_came_asks_the_printer() -> None:
    async with bench() as b:
        driver, params = await b.driver(), b.params()
        arming = await b.arm(driver, params)
        await driver.act("print_document", params, arming)
        b.notebook.kept.clear()
        verdict = await b.reconcile(params, arming)
        assert (verdict.outcome, verdict.facts["evidence"]) == (Outcome.DONE, "printed")


@virtual_time
async def test_a_job_of_the_same_number_and_another_name_is_not_ours() -> None:
    async with bench() as b:
        await asyncio.sleep(100)
        driver, params = await b.driver(), b.params()
        arming = await b.arm(driver, params)
        b.do("print", name="elsewhere", pages=1)
        await asyncio.sleep(10)
        b.notebook.kept[JOB] = {"attempt": ATTEMPT, "stage": "document", "id": 1}
        verdict = await b.reconcile(params, arming)
        assert (verdict.outcome, verdict.reason) == (Outcome.NO_EFFECT, "job_absent")


@virtual_time
async def test_a_line_that_is_gone_when_it_is_asked_leaves_the_doubt_where_it_is() -> None:
    async with bench() as b:
        driver, params = await b.driver(), b.params()
        arming = await b.arm(driver, params)
        later = await b.driver()
        b.fault("unplug", for_s=None)
        with pytest.raises(DeviceUnavailable):
            await later.reconcile("print_document", params, arming)

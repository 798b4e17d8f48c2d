"""The driver against the simulated printer: one job, one sheet, its evidence, and what is refused before anything."""

from __future__ import annotations

import asyncio
import hashlib

import pytest

from device_drivers.device import Outcome, Whereabouts
from device_drivers.errors import DeviceRefused, DeviceUnavailable, OutcomeUnknown
from device_drivers.ipp.operations import Operation
from device_drivers.ipp.protocol import Message, Tag, decode
from tests.device_drivers.ipp.bench import ATTEMPT, PDF, SHA, bench
from tests.virtual_time import virtual_time


def requests(written: bytes | bytearray) -> list[Message]:
    """The IPP messages in what was written."""
    found = []
    rest = bytes(written)
    while rest:
        head, _, rest = rest.partition(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        found.append(decode(rest[:length]))
        rest = rest[length:]
    return found


@pytest.mark.rule("ORD-10")
@virtual_time
async def test_a_document_becomes_one_job_and_one_sheet() -> None:
    async with bench() as b:
        driver = await b.driver()
        verdict = await b.print(driver)
        assert (verdict.outcome, verdict.reason, verdict.item) == (Outcome.DONE, "printed", Whereabouts.CUSTOMER)
        assert verdict.facts["evidence"] == "printed"
        assert verdict.facts["impressions"] == 2
        assert (verdict.facts["reprint"], verdict.facts["sheet"]) == (0, SHA)
        assert [(s["attempts"], s["pages"], s["pages_done"], s["sha256"]) for s in b.link.sheets] == [
            ([ATTEMPT], 2, 2, SHA)
        ]
        assert "job" not in b.notebook.kept
        codes = [request.code for request in requests(b.link.written)]
        assert codes.count(Operation.CREATE_JOB) == codes.count(Operation.SEND_DOCUMENT) == 1
        create = next(r for r in requests(b.link.written) if r.code == Operation.CREATE_JOB)
        assert create.group(Tag.OPERATION).text("job-name") == ATTEMPT
        assert create.group(Tag.OPERATION).text("requesting-user-name") == "branchgate"
        assert create.group(Tag.JOB).integer("copies") == 1
        sent = next(r for r in requests(b.link.written) if r.code == Operation.SEND_DOCUMENT)
        assert sent.group(Tag.OPERATION).flag("last-document") is True
        assert sent.data == PDF


@virtual_time
async def test_a_printer_that_does_not_count_is_believed_less() -> None:
    async with bench(counts=False, chunked=True) as b:
        verdict = await b.print(await b.driver())
        assert (verdict.outcome, verdict.facts["evidence"]) == (Outcome.DONE, "processed")


@virtual_time
async def test_an_arming_stores_what_a_later_process_compares_with() -> None:
    async with bench() as b:
        await asyncio.sleep(7)
        arming = await b.arm(await b.driver(), b.params())
        assert arming.readings["sha256"] == SHA
        assert arming.readings["format"] == "application/pdf"
        assert arming.readings["bytes"] == len(PDF)
        assert 6 <= arming.readings["up_time_s"] <= 7
        assert arming.readings["uuid"].startswith("urn:uuid:")
        assert b.notebook.kept["job"] == {"attempt": ATTEMPT, "stage": "armed", "id": None}
        assert b.machine.mechanism.jobs == []


@pytest.mark.parametrize(
    ("fault", "reason", "waits_for"),
    [
        ("media_empty", "paper_out", "stock"),
        ("cover_open", "cover_open", "device"),
        ("toner_empty", "toner_out", "stock"),
    ],
)
def test_a_printer_that_cannot_print_gets_no_job(fault: str, reason: str, waits_for: str) -> None:
    @virtual_time
    async def work() -> None:
        async with bench() as b:
            b.fault(fault)
            driver = await b.driver()
            with pytest.raises(DeviceRefused) as refused:
                await driver.arm("print_document", b.params())
            assert (refused.value.reason, refused.value.waits_for) == (reason, waits_for)
            twin = await driver.probe()
            assert (twin.device, twin.reason) == ("userError", reason)
            assert b.machine.mechanism.jobs == []

    work()


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"media_type": "image/jpeg"}, "format_unsupported"),
        ({"media_type": "application/octet-stream"}, "format_unsupported"),
        ({"sha256": "0" * 64}, "document_altered"),
        ({"path": "/j/missing.pdf"}, "document_missing"),
        ({"path": ""}, "invalid_params"),
    ],
)
def test_a_document_that_will_never_be_printed_is_refused_for_good(document: dict[str, str], reason: str) -> None:
    @virtual_time
    async def work() -> None:
        async with bench() as b:
            with pytest.raises(DeviceRefused) as refused:
                await (await b.driver()).arm("print_document", b.params(document=document))
            assert (refused.value.reason, refused.value.waits_for) == (reason, "never")

    work()


@virtual_time
async def test_a_file_larger_than_allowed_is_refused() -> None:
    async with bench() as b:
        b.profile["document_max_mib"] = 1
        b.files["statement.pdf"] = bytes(2**20 + 1)
        with pytest.raises(DeviceRefused, match="document_too_large"):
            await (await b.driver()).arm("print_document", b.params())


@virtual_time
async def test_a_file_exchanged_between_arming_and_act_is_not_sent() -> None:
    async with bench() as b:
        driver = await b.driver()
        arming = await b.arm(driver, b.params())
        b.files["statement.pdf"] = PDF + b"!"
        with pytest.raises(DeviceRefused, match="document_altered"):
            await driver.act("print_document", b.params(), arming)
        assert b.machine.mechanism.jobs == []


@virtual_time
async def test_a_name_is_never_used_twice() -> None:
    async with bench() as b:
        driver = await b.driver()
        await b.print(driver)
        with pytest.raises(DeviceRefused, match="job_name_taken"):
            await driver.arm("print_document", b.params())


@virtual_time
async def test_a_printer_busy_with_others_is_waited_for_unless_the_profile_has_room() -> None:
    async with bench() as b:
        b.do("print", pages=5)
        driver = await b.driver()
        with pytest.raises(DeviceRefused, match="printer_busy"):
            await driver.arm("print_document", b.params())
        b.profile["queue_max"] = 3
        verdict = await b.print(await b.driver())
        assert verdict.outcome is Outcome.DONE
        assert [sheet["attempts"] for sheet in b.link.sheets] == [["elsewhere"], [ATTEMPT]]


@pytest.mark.rule("ORD-10")
@virtual_time
async def test_a_reprint_begins_with_a_sheet_that_says_so_and_its_document_is_untouched() -> None:
    async with bench() as b:
        verdict = await b.print(await b.driver(), b.params("O-17/print/2", reprint=1))
        assert (verdict.outcome, verdict.facts["reprint"]) == (Outcome.DONE, 1)
        (sheet,) = b.link.sheets
        assert (sheet["reprint"], sheet["pages"], sheet["pages_done"], sheet["sha256"]) == (1, 3, 3, SHA)
        first, second = [r for r in requests(b.link.written) if r.code == Operation.SEND_DOCUMENT]
        assert first.group(Tag.OPERATION).flag("last-document") is False
        assert first.data.startswith(b"%PDF-1.4")
        assert hashlib.sha256(second.data).hexdigest() == SHA


@pytest.mark.rule("ORD-10")
@pytest.mark.parametrize("options", [{"many_documents": False}, {"formats": ["image/pwg-raster"]}])
def test_a_printer_that_cannot_mark_a_reprint_prints_none(options: dict[str, object]) -> None:
    @virtual_time
    async def work() -> None:
        async with bench(**options) as b:
            b.files["statement.pwg"] = PDF
            driver = await b.driver()
            document = {"media_type": "image/pwg-raster", "path": "/j/statement.pwg"}
            with pytest.raises(DeviceRefused) as refused:
                await driver.arm("print_document", b.params(reprint=2, document=document))
            assert (refused.value.reason, refused.value.waits_for) == ("reprint_unmarked", "never")

    work()


@pytest.mark.rule("PHY-2")
@virtual_time
async def test_nothing_that_acts_is_sent_twice_whatever_is_not_answered() -> None:
    for fault in ("no_answer", "hang_after_create", "garbage", "login", "busy"):
        async with bench() as b:
            driver = await b.driver()
            arming = await b.arm(driver, b.params())
            b.fault(fault)
            with pytest.raises((OutcomeUnknown, DeviceRefused)):
                await driver.act("print_document", b.params(), arming)
            codes = [request.code for request in requests(b.link.written)]
            assert codes.count(Operation.CREATE_JOB) == 1, fault
            assert Operation.SEND_DOCUMENT not in codes, fault
            assert b.link.sheets == []


@virtual_time
async def test_a_question_is_asked_again_once() -> None:
    async with bench() as b:
        driver = await b.driver()
        b.fault("no_answer")
        assert (await driver.probe()).counters["resends"] == 1
        b.fault("no_answer", count=2)
        with pytest.raises(DeviceUnavailable, match="no_answer"):
            await driver.probe()


@virtual_time
async def test_paper_that_runs_out_in_the_middle_is_told_at_once_and_proved_when_it_goes_on() -> None:
    async with bench() as b:
        driver = await b.driver()
        params = b.params()
        arming = await b.arm(driver, params)
        acting = asyncio.create_task(driver.act("print_document", params, arming))
        await asyncio.sleep(1.0)
        b.fault("media_empty")
        with pytest.raises(OutcomeUnknown, match="paper_out"):
            await acting
        verdict = await b.reconcile(params, arming)
        assert (verdict.outcome, verdict.reason, verdict.lane_shut) == (Outcome.UNKNOWN, "paper_out", True)
        later = await b.driver()
        await later.probe()
        assert b.notebook.proofs == []
        b.do("refill")
        await asyncio.sleep(5)
        await later.probe()
        ((attempt, proof),) = b.notebook.proofs
        assert (attempt, proof.outcome, proof.facts["evidence"]) == (ATTEMPT, Outcome.DONE, "printed")
        assert (proof.facts["sheet"], proof.facts["reprint"], proof.facts["late"]) == (SHA, 0, True)
        await later.probe()
        assert len(b.notebook.proofs) == 1
        assert len(b.link.sheets) == 1


@pytest.mark.parametrize(
    ("fault", "args", "outcome", "reason"),
    [
        ("abort_job", {"after": 0}, Outcome.NO_EFFECT, "job_ended_unprinted"),
        ("abort_job", {"after": 1}, Outcome.FAILED, "document_incomplete"),
        ("completed_with_errors", {}, Outcome.FAILED, "document_incomplete"),
    ],
)
def test_a_job_that_went_wrong_is_told_by_its_pages(
    fault: str, args: dict[str, int], outcome: Outcome, reason: str
) -> None:
    @virtual_time
    async def work() -> None:
        async with bench() as b:
            driver = await b.driver()
            b.fault(fault, **args)
            verdict = await b.print(driver)
            assert (verdict.outcome, verdict.reason) == (outcome, reason)

    work()


@virtual_time
async def test_an_aborted_job_that_nobody_counted_is_for_a_person() -> None:
    async with bench(counts=False) as b:
        driver, params = await b.driver(), b.params()
        arming = await b.arm(driver, params)
        b.fault("abort_job", after=1)
        with pytest.raises(OutcomeUnknown, match="job_ended_uncounted"):
            await driver.act("print_document", params, arming)
        verdict = await b.reconcile(params, arming)
        assert (verdict.outcome, verdict.reason, verdict.lane_shut) == (Outcome.UNKNOWN, "job_ended_uncounted", True)


@virtual_time
async def test_an_act_that_takes_too_long_is_in_doubt_and_waited_for_once_more() -> None:
    async with bench(page_s=20.0) as b:
        driver, params = await b.driver(), b.params()
        arming = await b.arm(driver, params)
        with pytest.raises(OutcomeUnknown, match="still_printing"):
            await driver.act("print_document", params, arming)
        verdict = await b.reconcile(params, arming)
        assert verdict.outcome is Outcome.DONE
        assert len(b.link.sheets) == 1


@virtual_time
async def test_what_is_no_document_print_is_refused() -> None:
    async with bench() as b:
        driver = await b.driver()
        arming = await b.arm(driver, b.params())
        for act in ("stamp", "print_receipt"):
            with pytest.raises(DeviceRefused, match="unknown_act"):
                await driver.arm(act, b.params())
        with pytest.raises(DeviceRefused, match="invalid_act"):
            await driver.watch("print_document", b.params(), arming, limit_s=1, fresh=True)
        for wrong in ({"attempt": ""}, {"attempt": "x" * 256}, {"attempt": None}, {"reprint": -1}):
            with pytest.raises(DeviceRefused, match="invalid_params"):
                await driver.arm("print_document", {**b.params(), **wrong})

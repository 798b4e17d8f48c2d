"""The driver against a scripted printer: what is asked, what is written, and what is said of a sheet."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from device_drivers.device import Arming, NothingToDo, Outcome, Verdict, Whereabouts
from device_drivers.errors import DeviceRefused, DeviceUnavailable, OutcomeUnknown
from device_drivers.escpos import sheets
from device_drivers.escpos.evidence import VOID
from device_drivers.escpos.press import WRITE_SPARE_S
from device_drivers.escpos.profile import EscPosProfile
from device_drivers.escpos.status import HANDS
from device_drivers.receipts.compose import compose
from device_drivers.receipts.sheet import Sheet
from tests.device_drivers.escpos.bench import Bench, bench, job
from tests.virtual_time import virtual_time


def told(verdict: Verdict) -> tuple[Outcome, str, Any]:
    return verdict.outcome, verdict.reason, verdict.facts.get("evidence")


DONE = (Outcome.DONE, "printed", "printed")

# --- a sheet and its proof -----------------------------------------------------------------------------------------


@pytest.mark.rule("ORD-10")
@virtual_time
async def test_a_receipt_is_printed_by_the_printers_own_word() -> None:
    async with bench() as it:
        arming = await it.arm(**job())
        verdict = await it.act(arming, **job())
        assert told(verdict) == DONE
        assert verdict.item is Whereabouts.CUSTOMER
        assert verdict.facts["process_id"] == "0001"
        assert verdict.facts["sheet"] == arming.readings["sheet"]
        assert it.far.sheets == [["回单", "No. O-1/receipt/1"]]
        assert "open_job" not in it.notes.kept
        assert (await it.driver.probe()).counters["lateReplies"] == 0


@virtual_time
async def test_an_id_that_is_heard_before_it_is_waited_for_is_not_waited_for() -> None:
    async with bench() as it:
        it.far.print_s = 0.0
        arming = await it.arm(**job())
        began_s = asyncio.get_running_loop().time()
        assert told(await it.act(arming, **job())) == DONE
        assert asyncio.get_running_loop().time() - began_s < it.profile.poll_s / 2


@pytest.mark.rule("ORD-10")
@virtual_time
async def test_a_reprint_bears_its_number() -> None:
    async with bench() as it:
        verdict = await it.attempt(**job(reprint=1))
        assert verdict.facts["reprint"] == 1
        assert it.far.sheets == [["重印 REPRINT 1", "回单", "重印 REPRINT 1", "No. O-1/receipt/2"]]


@pytest.mark.rule("ORD-10")
@virtual_time
async def test_without_process_ids_a_fence_is_the_weaker_proof() -> None:
    async with bench() as it:
        it.far.ids = False
        await it.driver.probe()
        asked = it.far.asked(b"\x1d\x28\x48")
        assert told(await it.attempt(**job())) == (Outcome.DONE, "processed", "processed")
        assert it.far.asked(b"\x1d\x28\x48") == asked > 0  # while probing, and not in the job


@pytest.mark.rule("ORD-10")
@virtual_time
async def test_without_a_fence_the_cutter_counter_is() -> None:
    async with bench(cutter_counter=True) as it:
        it.far.ids = it.far.fence = False
        assert told(await it.attempt(**job())) == (Outcome.DONE, "processed", "processed")
        assert len(it.far.sheets) == 1


@pytest.mark.rule("ORD-10")
@virtual_time
async def test_with_nothing_at_all_it_is_only_sent() -> None:
    async with bench() as it:
        it.far.ids = it.far.fence = False
        assert told(await it.attempt(**job())) == (Outcome.DONE, "sent", "sent")
        assert "open_job" not in it.notes.kept


@virtual_time
async def test_only_sent_is_not_even_said_of_a_printer_without_paper() -> None:
    async with bench(asb_mask=0) as it:
        it.far.ids = it.far.fence = False
        arming = await it.arm(**job())
        it.far.after(40, lambda: it.far.becomes(paper_out=True))
        with pytest.raises(OutcomeUnknown, match="paper_out"):
            await it.act(arming, **job())


@virtual_time
async def test_a_printer_that_is_not_known_yet_is_offered_both_and_the_better_proof_counts() -> None:
    """A fence is answered when the sheet was processed, an ID when it was printed, which is later."""
    async with bench(process_id="probe") as it:
        it.notes.kept = {"open_job": "O-0/receipt/1", "open_jobs": [["O-0/receipt/1", "0009"]], "next_id": 10}
        obey, loop = it.far._obey, asyncio.get_running_loop()

        async def prints_later(command: bytes) -> None:
            if command.startswith(b"\x1d\x28\x48"):
                loop.call_later(0.3, it.far._say, b"\x37\x22" + command[7:] + b"\x00")
            else:
                await obey(command)

        it.far._obey = prints_later  # type: ignore[method-assign]
        assert told(await it.attempt(**job())) == DONE
        assert it.far.asked(b"\x1d\x72\x01") == 1


@virtual_time
async def test_process_ids_ascend_and_begin_anew() -> None:
    async with bench() as it:
        it.notes.kept["next_id"] = 9998
        seen = [(await it.attempt(**job(number))).facts["process_id"] for number in range(3)]
        assert seen == ["9998", "9999", "0001"]


@virtual_time
async def test_the_id_of_another_job_proves_nothing() -> None:
    async with bench() as it:
        it.far.print_s = 100.0
        arming = await it.arm(**job())
        acting = asyncio.create_task(it.act(arming, **job()))
        await asyncio.sleep(1)
        for other in (b"0002", b"0000", b"    ", b"9999"):
            it.far._say(b"\x37\x22" + other + b"\x00")
        with pytest.raises(OutcomeUnknown, match="unproven"):
            await acting


@virtual_time
async def test_a_queued_byte_that_is_no_paper_status_is_no_fence() -> None:
    async with bench(process_id="no") as it:
        it.far.print_s = 100.0
        arming = await it.arm(**job())
        acting = asyncio.create_task(it.act(arming, **job()))
        await asyncio.sleep(1)
        it.far._say(b"\x01")
        it.far._say(b"\x45")
        with pytest.raises(OutcomeUnknown, match="unproven"):
            await acting


# --- before anything is written ------------------------------------------------------------------------------------


@pytest.mark.rule("PHY-6")
@virtual_time
async def test_an_arming_holds_what_was_read() -> None:
    async with bench(cutter_counter=True) as it:
        it.far.near_end = True
        readings = (await it.arm(**job())).readings
        assert readings["statuses"] == {"near_end": True}
        assert (readings["process_id"], readings["cutter"], readings["evidence"]) == ("0001", 100, "printed")
        assert (readings["attempt"], readings["cuts"], len(readings["sheet"])) == ("O-1/receipt/1", 1, 64)
        assert it.notes.kept["open_job"] == "O-1/receipt/1"
        assert it.notes.kept["next_id"] == 2
        assert it.far.sheets == []
        assert not it.far.left


@pytest.mark.rule("PHY-6")
@pytest.mark.parametrize(
    ("bit", "reason", "waits_for"),
    [
        ("paper_out", "paper_out", "stock"),
        ("cover_open", "cover_open", "device"),
        ("cutter_jam", "cutter_jam", "device"),
    ],
)
@virtual_time
async def test_a_printer_that_cannot_print_is_not_armed(bit: str, reason: str, waits_for: str) -> None:
    async with bench() as it:
        setattr(it.far, bit, True)
        with pytest.raises(DeviceRefused, match=reason) as refused:
            await it.arm(**job())
        assert refused.value.waits_for == waits_for
        assert "open_job" not in it.notes.kept


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        (job(text="emoji \U0001f600"), "unsupported_data"),
        ({**job(), "sheet": {"template": {"block": [{"text": "{missing}"}]}, "values": {}}}, "value_missing"),
        (job(text="7" * 3000, template={"block": [{"qr": "{text}"}]}), "too_long"),
        (job(text="7" * 1037, template={"block": [{"qr": "{text}", "level": "L", "size": 2}]}), "unsupported_data"),
        (job(text="No. O-2/receipt/1"), "unsupported_data"),
        ({**job(), "sheet": {"template": {"block": []}}}, "invalid_params"),
        ({**job(), "sheet": None}, "invalid_params"),
        ({**job(), "attempt": None}, "invalid_params"),
        ({**job(), "reprint": -1}, "invalid_params"),
    ],
)
@virtual_time
async def test_what_can_never_be_printed_is_refused_before_a_byte_is_sent(params: Any, reason: str) -> None:
    async with bench() as it:
        with pytest.raises(DeviceRefused, match=reason) as refused:
            await it.arm(**params)
        assert refused.value.waits_for == "never"
        assert not it.far.received


@virtual_time
async def test_another_sheet_than_the_armed_one_is_not_printed() -> None:
    async with bench() as it:
        arming = await it.arm(**job())
        with pytest.raises(DeviceRefused, match="invalid_arming"):
            await it.act(arming, **job(text="另一张"))
        assert it.far.sheets == []
        assert "open_job" not in it.notes.kept


@virtual_time
async def test_a_sheet_is_composed_once_for_arming_and_act(monkeypatch: pytest.MonkeyPatch) -> None:
    composed: list[Any] = []

    def counted(*given: Any) -> Sheet:
        composed.append(given)
        return compose(*given)

    monkeypatch.setattr(sheets, "compose", counted)
    async with bench() as it:
        for number in (1, 2):
            arming = await it.arm(**job(number))
            assert told(await it.act(arming, **job(number))) == DONE
    assert len(composed) == 2
    assert not it.driver._maker._printouts, "nothing of a customer's sheet is kept behind its act"


@pytest.mark.parametrize(
    "other",
    [
        job(text="另一张"),
        job(reprint=1),
        job(2),
        job(template={"title": "t", "block": [{"text": "{text}", "bold": True}]}),
    ],
)
@virtual_time
async def test_whatever_differs_from_the_armed_sheet_is_composed_anew(other: Any) -> None:
    async with bench() as it:
        it.far.print_s = 0.0
        arming = await it.arm(**job())
        with pytest.raises(DeviceRefused, match="invalid_arming"):
            await it.act(arming, **other)
        assert it.far.sheets == []


@virtual_time
async def test_an_arming_goes_on_with_nothing_that_was_made_before() -> None:
    """Not even for the very params that it was handed before: something else may stand in them by now."""
    async with bench() as it:
        params = job()
        await it.driver.arm("print_receipt", params)
        params["sheet"]["values"]["text"] = "另一张"
        arming = await it.driver.arm("print_receipt", params)
        it.notes.join(arming.memory)
        assert told(it.settled(await it.driver.act("print_receipt", params, Arming(arming.readings)))) == DONE
        assert "另一张".encode("gbk") in it.far.received


def test_a_void_slip_is_not_the_sheet_that_it_voids() -> None:
    """What was made is found again by its act, too; the params may be the same."""
    maker, params = sheets.Maker(EscPosProfile()), job() | {"undoes": ["O-1/receipt/1"]}
    receipt = maker.sheet_of("print_receipt", params)
    assert maker.sheet_of(VOID, params) != receipt


@virtual_time
async def test_what_happened_since_the_arming_is_seen() -> None:
    for wait_s in (0.0, 60.0):
        async with bench() as it:
            arming = await it.arm(**job())
            await asyncio.sleep(wait_s)
            it.far.becomes(cover_open=True)
            await asyncio.sleep(0.01)
            with pytest.raises(DeviceRefused, match="cover_open"):
                await it.act(arming, **job())
            assert b"No. O-1" not in it.far.received
            assert "open_job" not in it.notes.kept


@virtual_time
async def test_a_line_lost_before_the_first_byte_leaves_nothing_open() -> None:
    async with bench() as it:
        arming = await it.arm(**job())
        it.far.end.cut()
        with pytest.raises(DeviceUnavailable, match="line_lost"):
            await it.act(arming, **job())
        assert "open_job" not in it.notes.kept


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        (
            "plain\nwell \U0001f600",
            {"where": "text", "code": "print_character", "character": "\U0001f600", "code_point": "U+1F600"}
            | {"line": 2, "position": 6},
        ),
        (None, {"where": "text", "code": "print_value_missing"}),
        ("x" * 4001, {"where": "block 1", "code": "print_characters", "limit": 4000}),
    ],
)
@virtual_time
async def test_what_cannot_be_printed_says_where_it_stands_and_nothing_else_of_the_text(text: Any, facts: Any) -> None:
    async with bench() as it:
        params = job()
        params["sheet"]["values"] = {} if text is None else {"text": text}
        with pytest.raises(DeviceRefused) as no:
            await it.arm(**params)
        assert (no.value.waits_for, no.value.facts) == ("never", facts)
        assert not it.far.received


@virtual_time
async def test_a_silent_printer_is_unavailable() -> None:
    async with bench() as it:
        it.far.mute = True
        with pytest.raises(DeviceUnavailable, match="no_answer"):
            await it.driver.probe()
        with pytest.raises(DeviceUnavailable, match="no_answer"):
            await it.arm(**job())
        assert set(bytes(it.far.received)) == {0x10, 0x04, 0x01}


@pytest.mark.parametrize(("bit", "reason"), [("paper_out", "paper_out"), ("cover_open", "cover_open")])
@pytest.mark.parametrize("asb_mask", [14, 0])
@virtual_time
async def test_a_printer_that_falls_silent_in_its_trouble_is_not_said_to_give_no_answer(
    bit: str, reason: str, asb_mask: int
) -> None:
    async with bench(asb_mask=asb_mask, max_chunk_bytes=256) as it:
        params = job(text="行\n" * 110)
        arming = await it.arm(**params)
        it.far.after(1000, lambda: it.far.becomes(**{bit: True}))
        with pytest.raises(OutcomeUnknown):
            await it.act(arming, **params)
        it.far.mute = True  # its buffer is full: it takes no question any more
        for _ in range(2):  # also on the connection that the lane makes to find out
            with pytest.raises(DeviceUnavailable) as away:
                await it.reconcile(arming, **params)
            assert away.value.reason == reason
            await it.driver.disconnect()
            await it.driver.connect()
        it.far.mute = False
        it.far.becomes(**{bit: False})
        await it.driver.probe()
        it.far.mute = True
        with pytest.raises(DeviceUnavailable, match="no_answer"):
            await it.driver.probe()


@virtual_time
async def test_a_line_that_was_lost_takes_the_trouble_before_with_it() -> None:
    async with bench() as it:
        it.far.becomes(paper_out=True)
        await it.driver.probe()
        it.near.cut()
        with pytest.raises(DeviceUnavailable, match="line_lost"):
            await it.driver.probe()
        it.far.mute = True
        await it.driver.connect()
        with pytest.raises(DeviceUnavailable, match="no_answer"):
            await it.driver.probe()


@pytest.mark.parametrize(
    ("bit", "unit"),
    [
        ("paper_out", {"paper": "out", "replenishmentStatus": "empty"}),
        ("cutter_jam", {"status": "inoperative"}),
        ("cover_open", {}),
    ],
)
@virtual_time
async def test_a_doubt_says_what_its_trouble_makes_of_the_paper(bit: str, unit: dict[str, str]) -> None:
    async with bench(max_chunk_bytes=256) as it:
        params = job(text="行\n" * 110)
        arming = await it.arm(**params)
        it.far.after(1000, lambda: it.far.becomes(**{bit: True}))
        with pytest.raises(OutcomeUnknown) as unknown:
            await it.act(arming, **params)
        assert unknown.value.facts.get("storage", {}).get("paper", {}) == unit


@virtual_time
async def test_a_flooding_line_is_unavailable() -> None:
    async with bench() as it:

        async def flood() -> None:
            while True:
                await it.far.end.write(b"\x12" * 100)
                await asyncio.sleep(0.001)

        task = asyncio.create_task(flood())
        with pytest.raises(DeviceUnavailable, match="line_floods"):
            await it.driver.probe()
        task.cancel()
        await asyncio.wait([task])


@virtual_time
async def test_an_act_that_it_does_not_offer() -> None:
    async with bench() as it:
        for act in ("stamp", "await_taken"):
            with pytest.raises(DeviceRefused, match="unknown_act"):
                await it.arm(act, **job())


# --- while it prints -----------------------------------------------------------------------------------------------


@pytest.mark.rule("PHY-2")
@pytest.mark.parametrize("bit", ["paper_out", "cover_open", "cutter_jam"])
@pytest.mark.parametrize("asb_mask", [14, 0])
@virtual_time
async def test_what_needs_hands_in_mid_job_leaves_it_in_doubt_and_sends_no_more(bit: str, asb_mask: int) -> None:
    async with bench(asb_mask=asb_mask, max_chunk_bytes=256) as it:
        params = job(text="行\n" * 110)
        arming = await it.arm(**params)
        it.far.after(1000, lambda: it.far.becomes(**{bit: True}))
        with pytest.raises(OutcomeUnknown) as unknown:
            await it.act(arming, **params)
        assert unknown.value.reason in HANDS
        assert it.far.sheets == []
        sent = len(it.far.received)
        await asyncio.sleep(60)
        assert len(it.far.received) == sent
        if asb_mask:
            assert sent < arming.readings["bytes"]


@virtual_time
async def test_xoff_is_obeyed() -> None:
    async with bench(max_chunk_bytes=256) as it:
        params = job(text="行\n" * 110)
        arming = await it.arm(**params)
        it.far.after(200, lambda: it.far._say(b"\x13"))
        acting = asyncio.create_task(it.act(arming, **params))
        await asyncio.sleep(3)
        held = it.far.asked("行".encode("gbk"))
        await asyncio.sleep(3)
        assert it.far.asked("行".encode("gbk")) == held < 110
        it.far._say(b"\x11")
        assert told(await acting) == DONE


@virtual_time
async def test_a_printer_that_never_takes_more_is_in_doubt_after_act_max_s() -> None:
    async with bench() as it:
        params = job(text="行\n" * 110)
        arming = await it.arm(**params)
        it.far.after(200, lambda: it.far._say(b"\x13"))
        began = asyncio.get_running_loop().time()
        with pytest.raises(OutcomeUnknown, match="held_up"):
            await it.act(arming, **params)
        assert asyncio.get_running_loop().time() - began < it.profile.act_max_s + 1


@virtual_time
async def test_a_printer_that_answers_ever_so_slowly_is_in_doubt_before_its_lane_counts_as_dead() -> None:
    """Eighteen questions behind as many chunks, nine seconds each: the watchdog would end the whole agent."""
    async with bench(max_chunk_bytes=256) as it:
        params = job(text="行\n" * 110)
        arming = await it.arm(**params)
        answer, loop = it.far._real_time, asyncio.get_running_loop()
        it.far._real_time = lambda n: loop.call_later(9.0, answer, n)  # type: ignore[method-assign,assignment]
        began = loop.time()
        with pytest.raises(OutcomeUnknown):
            await it.act(arming, **params)
        assert loop.time() - began < it.profile.act_max_s + WRITE_SPARE_S + 1


@virtual_time
async def test_a_printer_that_takes_nothing_at_all_was_sent_nothing() -> None:
    async with bench() as it:
        arming = await it.arm(**job())
        it.far._say(b"\x13")
        await asyncio.sleep(0.1)
        with pytest.raises(DeviceUnavailable, match="held_up"):
            await it.act(arming, **job())
        assert b"No. O-1" not in it.far.received
        assert "open_job" not in it.notes.kept


@pytest.mark.rule("PHY-2")
@virtual_time
async def test_silence_after_the_sheet_is_in_doubt_and_nothing_is_sent_twice() -> None:
    async with bench() as it:
        arming = await it.arm(**job())
        it.far.mute = True
        with pytest.raises(OutcomeUnknown, match="no_answer"):
            await it.act(arming, **job())
        assert it.far.asked(b"No. O-1/receipt/1") == 1
        assert len(it.far.sheets) == 1


@pytest.mark.rule("PHY-2")
@virtual_time
async def test_a_line_lost_in_mid_job_is_in_doubt() -> None:
    async with bench() as it:
        params = job(text="行\n" * 110)
        arming = await it.arm(**params)
        it.far.after(100, it.far.end.cut)
        with pytest.raises(OutcomeUnknown, match="line_lost"):
            await it.act(arming, **params)
        assert it.notes.kept["open_job"] == "O-1/receipt/1"


@virtual_time
async def test_a_hot_head_cools_and_the_job_goes_on() -> None:
    async with bench() as it:
        arming = await it.arm(**job())
        acting = asyncio.create_task(it.act(arming, **job()))
        await asyncio.sleep(0.1)
        it.far._say(b"\x1c\x40\x00\x00")
        assert told(await acting) == DONE


# --- tickets, void slips, presenters -------------------------------------------------------------------------------


@virtual_time
async def test_a_ticket_may_be_printed_again() -> None:
    async with bench() as it:
        it.far.mute = False
        arming = await it.arm("print_ticket", **job(step="ticket"))
        it.far.after(60, lambda: setattr(it.far, "mute", True))
        with pytest.raises(OutcomeUnknown):
            await it.act(arming, "print_ticket", **job(step="ticket"))
        it.far.mute = False
        verdict = await it.reconcile(arming, "print_ticket", **job(step="ticket"))
        assert (verdict.outcome, verdict.reason, verdict.lane_shut) == (Outcome.FAILED, "unproven", False)
        assert told(await it.attempt("print_ticket", **job(step="ticket", reprint=1))) == DONE
        assert it.far.sheets[-1][0] == "重印 REPRINT 1"


@virtual_time
async def test_a_void_slip_names_every_attempt_of_the_receipt() -> None:
    async with bench() as it:
        params = {"order": "O-1", "attempt": "O-1/void/1", "earlier": {"attempt": "O-1/receipt/2"}}
        assert told(await it.attempt("void_receipt", **params)) == DONE
        assert it.far.sheets == [["作废 VOID", "No. O-1/receipt/1", "No. O-1/receipt/2"]]


@virtual_time
async def test_there_may_be_nothing_to_void() -> None:
    async with bench() as it:
        with pytest.raises(NothingToDo):
            await it.arm("void_receipt", order="O-1", attempt="O-1/void/1", earlier={})
        assert not it.far.received


@virtual_time
async def test_a_ticket_in_the_mouth_is_seen_and_watched() -> None:
    async with bench(presenter=True) as it:
        assert (await it.attempt(**job())).item is Whereabouts.MOUTH
        with pytest.raises(DeviceRefused, match="ticket_in_mouth") as refused:
            await it.arm(**job(2))
        assert refused.value.item == Whereabouts.MOUTH
        assert (await it.driver.probe()).media == "present"
        arming = await it.arm("await_taken")
        watching = asyncio.create_task(it.driver.watch("await_taken", {}, arming, limit_s=30, fresh=True))
        await asyncio.sleep(5)
        it.far.ticket = False
        verdict = await watching
        assert (verdict.outcome, verdict.reason, verdict.item) == (Outcome.DONE, "taken", Whereabouts.CUSTOMER)
        assert verdict.facts == {"taken": "witnessed"}
        assert (await it.driver.probe()).media == "notPresent"


@virtual_time
async def test_a_ticket_that_was_gone_before_anyone_looked_is_inferred() -> None:
    async with bench(presenter=True) as it:
        arming = await it.arm("await_taken")
        verdict = await it.driver.watch("await_taken", {}, arming, limit_s=30, fresh=True)
        assert verdict.facts == {"taken": "inferred"}
        assert (await it.reconcile(arming, "await_taken")).facts == {"taken": "inferred"}


@virtual_time
async def test_a_ticket_that_the_arming_saw_and_nobody_after_it_is_witnessed_unless_there_was_a_restart() -> None:
    async with bench(presenter=True) as it:
        it.far.ticket = True
        arming = await it.arm("await_taken")
        it.far.ticket = False
        for fresh, taken in ((True, "witnessed"), (False, "inferred")):
            verdict = await it.driver.watch("await_taken", {}, arming, limit_s=30, fresh=fresh)
            assert verdict.facts == {"taken": taken}


@virtual_time
async def test_a_ticket_that_nobody_takes() -> None:
    async with bench(presenter=True) as it:
        it.far.ticket = True
        arming = await it.arm("await_taken")
        for fresh, least_s in ((True, 3), (False, 20)):  # resumed after a restart the customer's time begins anew
            began = asyncio.get_running_loop().time()
            verdict = await it.driver.watch("await_taken", {}, arming, limit_s=3, fresh=fresh)
            assert (verdict.outcome, verdict.reason, verdict.item) == (Outcome.FAILED, "not_taken", Whereabouts.MOUTH)
            assert asyncio.get_running_loop().time() - began >= least_s
        assert (await it.reconcile(arming, "await_taken")).outcome is Outcome.NO_EFFECT


@virtual_time
async def test_watching_and_printing_are_not_mixed_up() -> None:
    async with bench(presenter=True) as it:
        arming = await it.arm(**job())
        with pytest.raises(DeviceRefused, match="invalid_act"):
            await it.driver.watch("print_receipt", {}, arming, limit_s=1, fresh=True)
        with pytest.raises(DeviceRefused, match="invalid_act"):
            await it.driver.act("await_taken", {}, arming)


@pytest.mark.rule("PHY-1")
def test_the_silence_owed_is_longer_behind_a_serial_server() -> None:
    profile = Bench(act_max_s=10.0, drain_s=3.0).profile
    assert profile.settle_s(is_tcp=False) == 10.0
    assert profile.settle_s(is_tcp=True) == 13.0

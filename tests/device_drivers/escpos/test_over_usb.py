"""The receipt printer at a USB port: proof, port status, one-way printers, and the plug pulled at every transfer."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable
from typing import Any

import pytest

from device_drivers.device import Outcome
from device_drivers.errors import DeviceRefused, DeviceUnavailable, OutcomeUnknown
from simulators.usb_device import UsbFault
from simulators.usb_model import UsbModel
from tests.device_drivers.escpos import usb_bench
from tests.device_drivers.escpos.bench import job
from tests.device_drivers.escpos.usb_bench import ONE_WAY, UsbPrinter
from tests.virtual_time import run, virtual_time

printers = usb_bench.printers
Make = Callable[..., UsbPrinter]
PICTURE = {"block": [{"text": "{text}"}, {"seal": "网点公章", "width": 200}, {"qr": "{text}"}]}
PLAIN = {"block": [{"text": "{text}"}, {"rule": "-"}, {"text": "{text}"}]}
FIRST, SECOND = job(1, "第一单", template=PICTURE), job(2, "第二单", template=PLAIN)
ATTEMPT = "O-1/receipt/1"


# -- as it should be ---------------------------------------------------------------------------------------------------


@pytest.mark.rule("ORD-10")
@virtual_time
async def test_a_receipt_through_the_plug_is_proved(printers: Make) -> None:
    it = printers()
    await it.come_back()
    verdict = await it.tried(await it.arm(**FIRST), **FIRST)
    assert (verdict.outcome, verdict.facts["evidence"]) == (Outcome.DONE, "printed")
    assert it.marks() == [([ATTEMPT], 0, False)]
    await it.driver.disconnect()


@virtual_time
async def test_the_ports_own_name_belongs_to_the_identity_that_abilities_are_kept_for(printers: Make) -> None:
    it = printers()
    await it.come_back()
    named = {"portMfg": "EPSON", "portMdl": "TM-T88VI", "portCmd": "ESC/POS"}
    assert named.items() <= it.notes.kept["probed"]["identity"].items()
    assert named.items() <= (await it.driver.probe()).identity.items()
    await it.driver.disconnect()


# -- the plug is pulled ------------------------------------------------------------------------------------------------


class Pulled:
    """Pulls the plug at the nth moment of the transfers it watches (before, amid, after); 0 counts them only."""

    def __init__(self, it: UsbPrinter, at: int, back_s: float | None) -> None:
        self._it, self._at, self._back_s = it, at, back_s
        self.moments = 0
        self.begun = False  # a transfer of the job's bytes was begun before
        it.device.watch = self._watch

    def _watch(self, moment: str, operation: str) -> None:
        self.moments += 1
        self.begun = self.begun or operation == "write"
        if self.moments == self._at:
            self._it.device.watch = lambda _moment, _operation: None
            self._it.device.unplug()
            if self._back_s is not None:
                asyncio.get_running_loop().call_later(self._back_s, self._it.device.plug)


async def pulled(make: Make, at: int, template: Any, back_s: float | None) -> int:
    """A receipt whose plug is pulled, another attempt of it, and the next customer's; how many moments there were."""
    it = make(profile={"max_chunk_bytes": 512}, line_s=0.005, draws=False)
    await it.come_back()
    first = job(1, "第一单", template=template)
    arming = await it.arm(**first)
    plug = Pulled(it, at, back_s)
    verdict = await it.tried(arming, **first)
    moments = plug.moments
    it.device.watch = lambda _moment, _operation: None
    await it.come_back()
    if not plug.begun:
        assert (verdict.outcome, verdict.reason) == (Outcome.NO_EFFECT, "line_lost")
        assert it.notes.kept.get("open_job") is None
        assert it.sheets() == []
    else:
        doubt = verdict.outcome is Outcome.UNKNOWN and verdict.lane_shut
        assert doubt or verdict.reason == "printed", verdict
    late = [attempt for attempt, _ in it.notes.proofs]
    proven = verdict.outcome is Outcome.DONE or late == [ATTEMPT]
    if proven:
        assert it.marks() == [([ATTEMPT], 0, False)]
    doubtful = verdict.outcome is Outcome.UNKNOWN and not proven
    await _go_on(it, job(1, "第一单", template=template, reprint=1) if doubtful else None)
    await it.driver.disconnect()
    return moments


async def _go_on(it: UsbPrinter, again: Any) -> None:
    for params in filter(None, (again, SECOND)):
        verdict = await it.tried(await it.arm(**params), **params)
        assert (verdict.outcome, verdict.reason) == (Outcome.DONE, "printed")
    assert it.marks()[-1] == (["O-2/receipt/1"], 0, False)
    lines = [line for line in it.sheets()[-1]["lines"] if not line.startswith("--")]
    assert lines == ["第二单", "第二单", "No. O-2/receipt/1"]
    unmarked = [one for one in it.marks() if one == ([ATTEMPT], 0, False)]
    assert len(unmarked) <= 1
    if again:
        assert (["O-1/receipt/2"], 1, False) in it.marks()
        voids = [attempts for attempts, _, void in it.marks() if void]
        assert any(ATTEMPT in attempts for attempts in voids), "what was in doubt is declared void before the next"


@pytest.mark.rule("PHY-2")
@pytest.mark.rule("ORD-9")
@pytest.mark.rule("ORD-10")
@pytest.mark.parametrize(
    ("template", "back_s"),
    [(PICTURE, None), (PLAIN, None), (PLAIN, 0.01), (PLAIN, 1.0)],
    ids=["image", "back when missed", "back at once", "back in a second"],
)
def test_unplugged_at_every_moment_of_every_transfer(printers: Make, template: Any, back_s: float | None) -> None:
    moments = run(pulled(printers, 0, template, None))
    assert moments > 20
    wrong = []
    for at in range(1, moments + 1):
        try:
            run(pulled(printers, at, template, back_s))
        except AssertionError as error:
            wrong.append(f"moment {at} of {moments}: {error}")
    assert not wrong, "\n\n".join(wrong[:5]) + f"\n{len(wrong)} wrong"


@pytest.mark.rule("PHY-2")
@virtual_time
async def test_a_printer_that_takes_no_byte_got_none(printers: Make) -> None:
    it = printers(profile={"pulse": False})
    await it.come_back()
    arming = await it.arm(**FIRST)
    it.end.ready = False
    verdict = await it.tried(arming, **FIRST)
    assert (verdict.outcome, verdict.reason) == (Outcome.NO_EFFECT, "line_lost")
    assert it.notes.kept.get("open_job") is None
    it.end.ready = True
    await it.come_back()
    assert (await it.tried(await it.arm(**SECOND), **SECOND)).reason == "printed"
    assert it.marks() == [(["O-2/receipt/1"], 0, False)]
    await it.driver.disconnect()


# -- what the port tells -----------------------------------------------------------------------------------------------

PAPER_EMPTY, ERROR, HEALTHY = 0x30, 0x10, 0x18


@pytest.mark.parametrize(("told", "reason"), [(PAPER_EMPTY, "paper_out"), (ERROR, "printer_error")])
@virtual_time
async def test_the_ports_status_speaks_where_the_printer_itself_knows_of_nothing(
    printers: Make, told: int, reason: str
) -> None:
    it = printers()
    await it.come_back()
    it.end.port_status = lambda: told  # type: ignore[method-assign]
    assert (await it.driver.probe()).reason == reason
    with pytest.raises(DeviceRefused) as refused:
        await it.arm(**SECOND)
    assert (refused.value.reason, refused.value.waits_for) == (reason, "stock" if reason == "paper_out" else "device")
    it.end.port_status = lambda: HEALTHY  # type: ignore[method-assign]
    assert (await it.tried(await it.arm(**SECOND), **SECOND)).reason == "printed"
    await it.driver.disconnect()


@virtual_time
async def test_a_printer_names_its_trouble_better_than_its_port(printers: Make) -> None:
    it = printers()
    await it.come_back()
    it.control("cover", open=True)
    it.end.port_status = lambda: ERROR  # type: ignore[method-assign]
    assert (await it.driver.probe()).reason == "cover_open"
    await it.driver.disconnect()


@virtual_time
async def test_a_port_that_is_not_to_be_believed_is_not_asked(printers: Make) -> None:
    it = printers(profile={"port_status": False})
    it.end.port_status = lambda: ERROR  # type: ignore[method-assign]
    await it.come_back()
    assert (await it.tried(await it.arm(**SECOND), **SECOND)).reason == "printed"
    await it.driver.disconnect()


# -- a printer that can never answer -----------------------------------------------------------------------------------


@pytest.mark.rule("ORD-10")
@pytest.mark.parametrize("claimed", [{}, {"process_id": "yes", "cutter_counter": True}])
@virtual_time
async def test_of_a_one_way_printer_a_sheet_is_sent_at_best(printers: Make, claimed: dict[str, Any]) -> None:
    it = printers(ONE_WAY, profile=claimed)
    await it.come_back()
    assert (await it.driver.probe()).device == "online"
    arming = await it.arm(**FIRST)
    assert (arming.readings["evidence"], arming.readings["process_id"]) == ("sent", None)
    began = asyncio.get_running_loop().time()
    verdict = await it.tried(arming, **FIRST)
    assert (verdict.outcome, verdict.reason, verdict.facts["evidence"]) == (Outcome.DONE, "sent", "sent")
    assert asyncio.get_running_loop().time() - began >= arming.readings["rows"] / it.profile.rows_per_s
    await it.tried(await it.arm(**SECOND), **SECOND)
    assert it.marks() == [([ATTEMPT], 0, False), (["O-2/receipt/1"], 0, False)]
    assert it.machine.lost_bytes == 0
    await it.driver.disconnect()


@virtual_time
async def test_a_one_way_printer_without_paper_is_refused_before_and_in_doubt_within(printers: Make) -> None:
    it = printers(ONE_WAY)
    await it.come_back()
    arming = await it.arm(**FIRST)
    it.control("fault", name="paper_end", args={"at_line": 3})
    verdict = await it.tried(arming, **FIRST)
    assert (verdict.outcome, verdict.reason, verdict.lane_shut) == (Outcome.UNKNOWN, "paper_out", True)
    assert (await it.driver.probe()).reason == "paper_out"
    with pytest.raises(DeviceRefused) as refused:
        await it.arm(**SECOND)
    assert (refused.value.reason, refused.value.waits_for) == ("paper_out", "stock")
    it.control("refill")
    await asyncio.sleep(5)
    assert (await it.tried(await it.arm(**SECOND), **SECOND)).reason == "sent"
    assert it.marks()[-2:] == [([ATTEMPT], 0, True), (["O-2/receipt/1"], 0, False)]
    await it.driver.disconnect()


@virtual_time
async def test_of_a_one_way_printer_whose_port_is_silent_too_nothing_is_printed(printers: Make) -> None:
    it = printers(ONE_WAY)
    await it.come_back()
    arming = await it.arm(**FIRST)

    it.device.watch = silent
    for question in (it.driver.probe(), it.arm(**SECOND), it.driver.act("print_receipt", FIRST, arming)):
        with pytest.raises(DeviceUnavailable) as no:
            await question
        assert no.value.reason == "no_answer"
    assert it.sheets() == []
    await it.driver.disconnect()


@virtual_time
async def test_of_a_one_way_printer_whose_port_falls_silent_nothing_is_known(printers: Make) -> None:
    it = printers(ONE_WAY)
    await it.come_back()
    arming = await it.arm(**FIRST)

    def silent_once_written(_moment: str, operation: str) -> None:
        if operation == "write":
            it.device.watch = silent

    it.device.watch = silent_once_written
    with pytest.raises(OutcomeUnknown, match="no_answer"):
        await it.driver.act("print_receipt", FIRST, arming)
    await it.driver.disconnect()


def silent(moment: str, operation: str) -> None:
    if (moment, operation) == ("before", "control"):
        raise UsbFault(errno.EPIPE)


@virtual_time
async def test_another_printer_that_answers_takes_the_place_of_one_that_could_not(printers: Make) -> None:
    it = printers(ONE_WAY, identity=None)  # and nothing but that tells the two apart
    await it.come_back()
    it.device.unplug()
    it.device.model = UsbModel()
    await it.come_back()
    assert (await it.tried(await it.arm(**FIRST), **FIRST)).reason == "printed"
    await it.driver.disconnect()


def test_a_one_way_printer_unplugged_at_every_moment(printers: Make) -> None:
    moments, told = run(pulled_one_way(printers, 0))
    assert (told, moments > 30) == ("sent", True)
    told_of = [run(pulled_one_way(printers, at))[1] for at in range(1, moments + 1)]
    assert set(told_of[:-1]) == {"line_lost", "unproven"}
    assert told_of[-1] == "sent", "the plug was pulled when all had been said"


async def pulled_one_way(make: Make, at: int) -> tuple[int, str]:
    it = make(ONE_WAY, profile={"max_chunk_bytes": 512, "rows_per_s": 4000}, line_s=0.005, draws=False)
    await it.come_back()
    arming = await it.arm(**FIRST)
    plug = Pulled(it, at, None)
    verdict = await it.tried(arming, **FIRST)
    it.device.watch = lambda _moment, _operation: None
    if verdict.outcome is Outcome.NO_EFFECT:
        assert not plug.begun
        assert it.sheets() == []
    else:
        assert (verdict.outcome is Outcome.UNKNOWN, verdict.lane_shut) == ((verdict.reason == "unproven"),) * 2
    await it.come_back()
    assert (await it.tried(await it.arm(**SECOND), **SECOND)).reason == "sent"
    await asyncio.sleep(2)  # sent is not printed
    voided = any(ATTEMPT in attempts for attempts, _, void in it.marks() if void)
    assert voided is (verdict.outcome is Outcome.UNKNOWN)
    assert it.marks()[-1] == (["O-2/receipt/1"], 0, False)
    await it.driver.disconnect()
    return plug.moments, verdict.reason

"""The driver against the simulated printer with its dangers: what it says of a sheet is what came out."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device_drivers.device import Arming, Json, Outcome, Verdict, Whereabouts
from device_drivers.errors import DeviceRefused, DeviceUnavailable, OutcomeUnknown
from device_drivers.escpos.profile import EscPosProfile
from device_drivers.links.link import LinkError
from device_drivers.links.memory import MemoryEnd, joined_ends
from simulators.escpos import EscPosPrinter, parse_options
from simulators.machine import Effect
from tests.device_drivers.escpos.bench import Bench, job
from tests.simulators.plugged import plugged
from tests.virtual_time import run, virtual_time

SEALED = {"block": [{"text": "{text}", "bold": True, "size": 2}, {"qr": "{text}"}, {"seal": "网点公章", "width": 200}]}
LINES = {"block": [{"text": "{text}"}, {"rule": "-"}, {"text": "{text}"}, {"feed": 2}, {"text": "{text}"}]}
FIRST, SECOND = job(1, "第一单", template=SEALED), job(2, "第二单", template=LINES)
SECONDS_LINES = ["第二单", "第二单", "第二单", "No. O-2/receipt/1"]


class Branch(Bench):
    """A driver, its line, the machine, and what an engine would do with them."""

    def __init__(self, machine: EscPosPrinter, near: MemoryEnd, effects: list[Effect], **settings_: Any) -> None:
        self.near, self.machine, self.effects = near, machine, effects
        self.profile = EscPosProfile(**{"act_max_s": 8.0, "take_min_s": 3.0, **settings_})
        self.notes = Memory()  # type: ignore[assignment]  # nothing here looks at what a scripted printer received
        self.slept = []
        self.driver = self.make()

    def control(self, do: str, **keys: Any) -> None:
        self.machine.control({"do": do, **keys}, asyncio.get_running_loop().time())

    def fault(self, name: str, **args: Any) -> None:
        self.control("fault", name=name, args=args)

    def sheets(self) -> list[dict[str, Any]]:
        return [dict(effect.detail) for effect in self.effects if effect.act == "sheet_out"]

    def originals(self, attempt: str) -> list[dict[str, Any]]:
        return [one for one in self.sheets() if attempt in one["attempts"] and not one["void"]]

    async def come_back(self) -> None:
        """Connect, settle, look; as often as it takes."""
        for _ in range(20):
            await self.driver.disconnect()
            await self.driver.connect()
            await asyncio.sleep(self.driver.settle_s)
            with contextlib.suppress(DeviceUnavailable):
                await self.driver.probe()
                return
        raise AssertionError("it never came back")

    async def settle(self, arming: Arming, **params: Json) -> Verdict:
        for _ in range(20):
            await asyncio.sleep(self.driver.settle_s)
            try:
                return await self.reconcile(arming, **params)
            except DeviceUnavailable:
                await self.driver.disconnect()
                await self.driver.connect()
        raise AssertionError("it never answered again")

    async def tried(self, arming: Arming, **params: Json) -> Verdict:
        try:
            return await self.act(arming, **params)
        except OutcomeUnknown:
            return await self.settle(arming, **params)
        except (DeviceRefused, DeviceUnavailable) as unsent:
            return Verdict(Outcome.NO_EFFECT, unsent.reason)

    async def mend(self) -> None:
        """Hands: paper, cover, cutter, power; then the lane looks until the printer is well."""
        self.control("refill")
        self.control("cover", open=False)
        self.control("free_cutter")
        await asyncio.sleep(5)
        await self.come_back()


class Memory:
    """What a branch remembers, and what was proved late."""

    def __init__(self) -> None:
        self.kept: dict[str, Json] = {}
        self.proofs: list[tuple[str, Verdict]] = []

    async def memory(self) -> dict[str, Json]:
        return dict(self.kept)

    async def remember(self, memory: Any) -> None:
        self.join(memory)

    def join(self, memory: Any) -> None:
        self.kept = {name: value for name, value in {**self.kept, **memory}.items() if value is not None}

    async def proved(self, attempt: str, verdict: Verdict) -> None:
        self.proofs.append((attempt, verdict))
        self.join(verdict.memory)

    async def note(self, kind: str, facts: Any, memory: Any = None) -> None:
        raise AssertionError("a receipt printer notes nothing")

    async def notes_since(self, arming: Arming) -> list[str]:
        return []


@asynccontextmanager
async def branch(profile: dict[str, Any] | None = None, **options: Any) -> AsyncIterator[Branch]:
    machine = EscPosPrinter("receipt-1", parse_options({"flow": "xon_xoff", **options}))
    near, far = joined_ends()

    async def read(timeout_s: float) -> bytes:
        try:
            return await far.read(4096, timeout_s)
        except LinkError:  # a closed line means nothing to the machine
            await asyncio.sleep(min(timeout_s, 0.02))
            return b""

    async def write(data: bytes) -> None:
        with contextlib.suppress(LinkError):
            await far.write(data)

    async with plugged(machine, read, write) as effects:
        it = Branch(machine, near, effects, **(profile or {}))
        try:
            await it.come_back()
            yield it
        finally:
            await it.driver.disconnect()


@pytest.mark.rule("ORD-10")
@virtual_time
async def test_a_receipt_comes_out_as_it_was_meant_and_is_proved() -> None:
    async with branch() as it:
        verdict = await it.tried(await it.arm(**SECOND), **SECOND)
        assert (verdict.outcome, verdict.reason) == (Outcome.DONE, "printed")
        (sheet,) = it.sheets()
        assert [line for line in sheet["lines"] if not line.startswith("--")] == SECONDS_LINES
        assert (sheet["attempts"], sheet["reprint"], sheet["void"]) == (["O-2/receipt/1"], 0, False)
        again = job(2, "第二单", template=LINES, reprint=1)
        await it.tried(await it.arm(**again), **again)
        assert (it.sheets()[1]["attempts"], it.sheets()[1]["reprint"]) == (["O-2/receipt/2"], 1)


@pytest.mark.rule("ORD-10")
@pytest.mark.parametrize(
    ("options", "profile", "evidence"),
    [
        ({}, {}, "printed"),
        ({"process_id": False}, {}, "processed"),
        ({"process_id": False, "gs_r": False, "counters": True}, {"cutter_counter": True}, "processed"),
        ({"process_id": False, "gs_r": False}, {}, "sent"),
        ({"asb": False, "identity": None}, {}, "printed"),
    ],
)
@virtual_time
async def test_the_evidence_is_what_the_printer_can_give(options: Any, profile: Any, evidence: str) -> None:
    async with branch(profile, **options) as it:
        for params in (FIRST, SECOND):
            verdict = await it.tried(await it.arm(**params), **params)
            assert (verdict.outcome, verdict.facts.get("evidence")) == (Outcome.DONE, evidence)
        assert len(it.sheets()) == 2


@virtual_time
async def test_a_presenter_shows_the_ticket_and_who_took_it() -> None:
    profile = {"presenter": True, "retract_hex": "1D 65 02"}
    async with branch(profile, presenter=True, customer={"policy": "take", "after_s": 4}) as it:
        assert (await it.tried(await it.arm(**SECOND), **SECOND)).item is Whereabouts.MOUTH
        arming = await it.arm("await_taken")
        verdict = await it.driver.watch("await_taken", {}, arming, limit_s=20, fresh=True)
        assert (verdict.outcome, verdict.facts["taken"]) == (Outcome.DONE, "witnessed")


async def misfortune(name: str, args: dict[str, Any]) -> None:
    """The first order meets it; whatever is said of it is so, and the second order's sheet is its own."""
    async with branch() as it:
        arming = await it.arm(**FIRST)
        it.fault(name, **args)
        verdict = await it.tried(arming, **FIRST)
        await it.mend()
        proved = [told for attempt, told in it.notes.proofs if attempt == "O-1/receipt/1"]
        out = it.originals("O-1/receipt/1")
        if verdict.outcome is Outcome.DONE or proved:
            assert len(out) == 1
            # Where the paper ended in the middle, whoever refilled it took out the beginning by hand.
            assert it.sheets()[0]["lines"][0] == "第一单", "proved, and its beginning is missing"
        elif verdict.outcome is Outcome.NO_EFFECT:
            assert out == []
        assert len(out) <= 1
        second = await it.tried(await it.arm(**SECOND), **SECOND)
        assert (second.outcome, second.reason) == (Outcome.DONE, "printed")
        assert [line for line in it.sheets()[-1]["lines"] if not line.startswith("--")] == SECONDS_LINES


@pytest.mark.parametrize("at_line", range(1, 14))
@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("paper_end", {}),
        ("cover_open", {"for_s": 3.0}),
        ("cover_open", {"for_s": None}),
        ("head_hot", {}),
        ("power_loss", {}),
        ("power_loss", {"at_fraction": 0.5}),
    ],
)
def test_at_every_line_and_band(name: str, args: dict[str, Any], at_line: int) -> None:
    run(misfortune(name, {**args, "at_line": at_line}))


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("cutter_jam", {}),
        ("stall", {"for_s": 1.0}),
        ("stall", {"for_s": 5.0}),
        ("silence", {"count": 3}),
        ("late_reply", {"count": 2, "delay_s": 1.0}),
        ("garbage", {"count": 2, "where": "before"}),
        ("garbage", {"count": 2, "where": "inside"}),
        ("garbage", {"count": 2, "where": "after"}),
        ("host_busy", {"for_s": 3.0}),
        ("asb_off", {}),
    ],
)
def test_other_misfortunes(name: str, args: dict[str, Any]) -> None:
    run(misfortune(name, args))


async def killed(sent: int) -> None:
    """The process dies after so many bytes; the next one prints the second order."""
    async with branch() as it:
        arming = await it.arm(**FIRST)
        it.cut_after(sent)
        verdict = await it.tried(arming, **FIRST)
        await it.driver.disconnect()
        it.driver = it.make()
        await it.come_back()
        assert verdict.outcome in (Outcome.DONE, Outcome.UNKNOWN)
        assert len(it.originals("O-1/receipt/1")) <= 1
        second = await it.tried(await it.arm(**SECOND), **SECOND)
        assert (second.outcome, second.reason) == (Outcome.DONE, "printed")
        assert [line for line in it.sheets()[-1]["lines"] if not line.startswith("--")] == SECONDS_LINES
        if verdict.outcome is Outcome.UNKNOWN and not it.notes.proofs:
            assert any(one["void"] and "O-1/receipt/1" in one["attempts"] for one in it.sheets())


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 5200))
def test_no_line_of_the_first_stands_on_the_seconds_sheet(sent: int) -> None:
    run(killed(sent))

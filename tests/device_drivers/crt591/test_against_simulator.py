"""The driver against the simulated machine with its dangers: what it says an act came to is what the ledger shows."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device_drivers.crt591.driver import CardDispenser
from device_drivers.crt591.profile import Crt591Profile
from device_drivers.device import Arming, Json, NothingToDo, Outcome, Verdict, Whereabouts
from device_drivers.errors import DeviceRefused, DeviceUnavailable, OutcomeUnknown
from device_drivers.links.line import SharedLine
from device_drivers.links.link import LinkError
from device_drivers.links.memory import MemoryEnd, joined_ends
from simulators.crt591 import Crt591Line, parse_options
from simulators.machine import Effect
from tests.simulators.plugged import plugged
from tests.virtual_time import run, virtual_time

ACT_OF = {"draw_card": "card_drawn", "present_card": "card_presented", "capture_card": "card_captured"}
PROFILE = Crt591Profile(act_max_s=2.0, take_min_s=3.0)


class Notes:
    def __init__(self) -> None:
        self.kinds: list[str] = []

    async def note(self, kind: str, facts: object, memory: object = None) -> None:
        self.kinds.append(kind)

    async def memory(self) -> dict[str, Json]:
        return {}

    async def remember(self, memory: Mapping[str, Json]) -> None:
        raise AssertionError("a card dispenser remembers nothing")

    async def proved(self, attempt: str, verdict: Verdict) -> None:
        raise AssertionError("a card dispenser proves nothing unasked")

    async def notes_since(self, arming: Arming) -> list[str]:
        return self.kinds[arming.readings.get("mark", 0) :]


class Branch:
    """A driver, its line, the machine, and what an engine would do with them."""

    def __init__(self, machine: Crt591Line, near: MemoryEnd, effects: list[Effect]) -> None:
        self.machine, self.near, self.effects = machine, near, effects
        self.notes = Notes()
        self.driver = CardDispenser("card-1", SharedLine(near), PROFILE, self.notes, is_tcp=False)

    def fault(self, name: str, **args: Any) -> None:
        request = {"do": "fault", "name": name, "args": args}
        self.machine.control(request, asyncio.get_running_loop().time())  # raises when it is not understood

    def acts(self) -> list[str]:
        return [effect.act for effect in self.effects if effect.kind == "act"]

    def shows(self) -> list[str]:
        return [effect.act for effect in self.effects if effect.kind == "show"]

    async def come_back(self) -> None:
        """Connect, settle, look; as often as it takes."""
        for _ in range(10):
            await self.driver.disconnect()
            await self.driver.connect()
            await asyncio.sleep(self.driver.settle_s)
            try:
                await self.driver.probe()
            except DeviceUnavailable:
                continue
            return
        raise AssertionError("it never came back")

    async def arm(self, act: str) -> Arming:
        arming = await self.driver.arm(act, {})
        return Arming({**arming.readings, "mark": len(self.notes.kinds)})

    async def settle(self, act: str, arming: Arming) -> Verdict:
        for _ in range(10):
            await asyncio.sleep(self.driver.settle_s)
            try:
                return await self.driver.reconcile(act, {}, arming)
            except DeviceUnavailable:
                await self.driver.disconnect()
                await self.driver.connect()
        raise AssertionError("it never answered again")

    async def attempt(self, act: str, mischief: Callable[[], None] = lambda: None) -> Verdict:
        """One attempt as the engine makes it."""
        arming = await self.arm(act)
        mischief()
        try:
            return await self.driver.act(act, {}, arming)
        except OutcomeUnknown:
            return await self.settle(act, arming)


@asynccontextmanager
async def branch(**options: Any) -> AsyncIterator[Branch]:
    machine = Crt591Line({0: ("card-1", parse_options({"act_s": 0.5, **options}))})
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
        it = Branch(machine, near, effects)
        try:
            await it.come_back()
            yield it
        finally:
            await it.driver.disconnect()


def told(verdict: Verdict) -> tuple[Outcome, Whereabouts]:
    return verdict.outcome, verdict.item


@virtual_time
async def test_a_card_is_drawn_presented_and_taken() -> None:
    async with branch(customer={"policy": "take", "after_s": 2}) as it:
        assert told(await it.attempt("draw_card")) == (Outcome.DONE, Whereabouts.TRANSPORT)
        assert told(await it.attempt("present_card")) == (Outcome.DONE, Whereabouts.MOUTH)
        arming = await it.arm("await_taken")
        verdict = await it.driver.watch("await_taken", {}, arming, limit_s=10, fresh=True)
        assert (verdict.outcome, verdict.facts["taken"]) == (Outcome.DONE, "witnessed")
        assert it.acts() == ["card_drawn", "card_presented"]
        assert "disturbed" not in it.shows()


@virtual_time
async def test_a_card_that_is_left_is_captured_and_counted() -> None:
    async with branch(customer={"policy": "leave"}) as it:
        await it.attempt("draw_card")
        await it.attempt("present_card")
        arming = await it.arm("await_taken")
        verdict = await it.driver.watch("await_taken", {}, arming, limit_s=5, fresh=True)
        assert (verdict.outcome, verdict.reason) == (Outcome.FAILED, "not_taken")
        assert told(await it.attempt("capture_card")) == (Outcome.DONE, Whereabouts.BIN)
        assert it.acts() == ["card_drawn", "card_presented", "card_captured"]


@virtual_time
async def test_a_card_grabbed_at_the_last_moment_is_found_to_be_taken() -> None:
    async with branch(customer={"policy": "last_moment"}) as it:
        await it.attempt("draw_card")
        await it.attempt("present_card")
        verdict = await it.attempt("capture_card")
        assert (verdict.outcome, verdict.facts["taken"]) == (Outcome.DONE, "inferred")
        assert it.acts() == ["card_drawn", "card_presented"]


@virtual_time
async def test_presenting_is_refused_when_it_would_draw_another_card() -> None:
    async with branch() as it:
        with pytest.raises(DeviceRefused, match="no_card"):
            await it.arm("present_card")
        assert it.acts() == []


@virtual_time
async def test_an_empty_stacker_is_refused() -> None:
    async with branch(cards=1, customer={"policy": "take", "after_s": 0}) as it:
        await it.attempt("draw_card")
        await it.attempt("present_card")
        await asyncio.sleep(1)
        with pytest.raises(DeviceRefused, match="stacker_empty"):
            await it.arm("draw_card")


@pytest.mark.rule("PHY-5")
@virtual_time
async def test_a_power_cut_in_mid_draw_is_noted_and_the_card_is_found() -> None:
    async with branch() as it:
        verdict = await it.attempt("draw_card", lambda: it.fault("power_loss", at_fraction=0.5, off_s=1))
        assert told(verdict) == (Outcome.DONE, Whereabouts.TRANSPORT)
        assert it.notes.kinds[-1] == "power_lost"
        assert it.acts() == ["card_drawn"]


# Faults that the machine or its line may have just as an act begins, with what they are called in the simulator.
FAULTS = st.one_of(
    st.tuples(
        st.sampled_from(["jam", "sensor_error", "cannot_reach_ic", "motor_error"]),
        st.fixed_dictionaries({"at_fraction": st.floats(0, 1)}),
    ),
    st.tuples(
        st.just("power_loss"),
        st.fixed_dictionaries({"at_fraction": st.floats(0, 1), "off_s": st.floats(0.1, 6)}),
    ),
    st.tuples(
        st.just("silence"),
        st.fixed_dictionaries({"count": st.integers(1, 6), "executes": st.booleans()}),
    ),
    st.tuples(
        st.just("late_answer"),
        st.fixed_dictionaries({"count": st.integers(1, 4), "delay_s": st.floats(0.1, 5)}),
    ),
    st.tuples(
        st.just("garbage"),
        st.fixed_dictionaries(
            {
                "count": st.integers(1, 4),
                "where": st.sampled_from(["before", "inside", "after"]),
                "hex": st.binary(min_size=1, max_size=20).map(bytes.hex),
            }
        ),
    ),
    st.tuples(st.sampled_from(["half_frame", "wrong_bcc"]), st.fixed_dictionaries({"count": st.integers(1, 5)})),
    st.tuples(st.sampled_from(["nak_storm", "no_ack"]), st.fixed_dictionaries({"count": st.integers(1, 5)})),
    st.tuples(
        st.just("flood"),
        st.fixed_dictionaries({"for_s": st.floats(0.1, 4), "bytes_per_s": st.integers(100, 20000)}),
    ),
    st.tuples(st.just("cut"), st.fixed_dictionaries({"after_s": st.floats(0, 1)})),
)


def strike(it: Branch, faults: list[tuple[str, dict[str, Any]]]) -> None:
    for name, args in faults:
        if name == "cut":
            asyncio.get_running_loop().call_later(args["after_s"], it.near.cut)
        else:
            it.fault(name, **args)


def check(act: str, verdict: Verdict, done: list[str]) -> None:
    """At most one act of the wanted kind, none of another, and the verdict is the truth."""
    assert done in ([], [ACT_OF[act]]), f"{act} gave {done}"
    if verdict.outcome is Outcome.DONE and verdict.facts.get("taken") != "inferred":
        assert done == [ACT_OF[act]], verdict
    if verdict.outcome is Outcome.NO_EFFECT:
        assert done == [], verdict
    assert verdict.lane_shut or verdict.outcome in (Outcome.DONE, Outcome.NO_EFFECT), verdict


async def troubled_scene(troubles: dict[str, list[tuple[str, dict[str, Any]]]]) -> None:
    async with branch(customer={"policy": "leave"}) as it:
        for act in ACT_OF:
            before = len(it.acts())
            try:
                verdict = await it.attempt(act, lambda act=act: strike(it, troubles[act]))  # type: ignore[misc]
            except (DeviceUnavailable, DeviceRefused, NothingToDo):
                assert len(it.acts()) == before
                return
            check(act, verdict, it.acts()[before:])
            if verdict.outcome is not Outcome.DONE or act == "capture_card":
                return
            await asyncio.sleep(20)  # floods end, power returns
            await it.come_back()


@pytest.mark.rule("PHY-2")
@settings(max_examples=120, deadline=None)
@given(st.fixed_dictionaries({act: st.lists(FAULTS, max_size=2) for act in ACT_OF}))
def test_whatever_fails_the_verdict_is_what_the_ledger_shows(
    troubles: dict[str, list[tuple[str, dict[str, Any]]]],
) -> None:
    run(troubled_scene(troubles))

"""The card dispenser driver: draws, presents, captures, watches the gate, and says what an attempt came to.

Knows one unit and its evidence; must not know orders, when to try again, or that anything else shares its line.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping

from device_drivers.crt591 import commands, evidence, preconditions, self_test, twin
from device_drivers.crt591.conversation import ChangedError, Conversation
from device_drivers.crt591.evidence import AWAIT_TAKEN, CAPTURE, DRAW, PRESENT, Readings
from device_drivers.crt591.profile import Crt591Profile
from device_drivers.crt591.replies import Failure, Reply
from device_drivers.crt591.unit import Unit, UnitRefusedError
from device_drivers.device import ActKind, ActSpec, Arming, Json, Notebook, Outcome, Twin, Verdict, Whereabouts
from device_drivers.errors import DeviceRefused, DeviceUnavailable, OutcomeUnknown
from device_drivers.links.line import SharedLine

FRESH_S = 0.5  # readings of an arming older than this are looked at again before its frame leaves
READINGS_MAX = 5  # how often a reading that keeps changing is taken again before a person is asked
_MOTIONS = {DRAW: commands.DRAW, PRESENT: commands.PRESENT, CAPTURE: commands.CAPTURE}
Sleep = Callable[[float], Awaitable[None]]


class CardDispenser:
    """A `device.Driver` for one CRT-591/571 unit."""

    def __init__(
        self,
        device_id: str,
        line: SharedLine,
        profile: Crt591Profile,
        notebook: Notebook,
        *,
        is_tcp: bool,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self.device_id = device_id
        self._profile = profile
        self._notebook = notebook
        self._is_tcp = is_tcp
        self._sleep = sleep
        self._conversation = Conversation(profile)
        self._unit = Unit(line, self._conversation, notebook)
        self._armed_at_s = 0.0  # loop time of the newest arming's readings
        self._since_s: float | None = None  # loop time of this process's first connection
        self._acts = {spec.name: spec for spec in _acts(profile.act_max_s)}

    @property
    def acts(self) -> Mapping[str, ActSpec]:
        """draw_card, present_card, capture_card, await_taken."""
        return self._acts

    @property
    def settle_s(self) -> float:
        """act_max_s, on TCP with drain_s."""
        return self._profile.settle_s(is_tcp=self._is_tcp)

    async def connect(self) -> None:
        """Takes hold of the line. Raises DeviceUnavailable."""
        if self._since_s is None:
            self._since_s = asyncio.get_running_loop().time()
        await self._unit.connect()

    async def disconnect(self) -> None:
        """Lets go of the line; harmless when not connected."""
        await self._unit.disconnect()

    async def probe(self) -> Twin:
        """State and identity. Initialises (PM 37) a unit that is not reset, and once any with no card in its gate."""
        try:
            readings = await self._unit.read()
            if not self._unit.counts and readings.st0 != 1:  # a card in the gate may be in a customer's hand
                await self._unit.initialise()
                readings = await self._unit.read()
            state = twin.State(readings)
            identity = await self._unit.identity()
        except UnitRefusedError as error:
            state, identity = twin.State(code=error.code), self._unit.known_identity()
        return twin.describe(state, self._profile, identity, self._counters())

    async def recover(self) -> None:
        """Clears the unit's errors by PM 37 (the card stays where it is); for after a person looked at the machine.

        An error that stays is told by the next probe or arming, which refuse as ever. Raises DeviceUnavailable.
        """
        with contextlib.suppress(UnitRefusedError):
            await self._unit.ask(commands.STATUS)  # PM 37 wipes what the unit may tell only once
            await self._unit.initialise()

    async def arm(self, act: str, params: Mapping[str, Json]) -> Arming:
        """Entry off, status, bin counter; preconditions. Raises DeviceRefused, DeviceUnavailable, NothingToDo."""
        self._spec(act)
        given = preconditions.baseline(act, params)
        preconditions.check_machine(act, params, self._named())
        if act != AWAIT_TAKEN:
            await self._unit.command(commands.ENTRY_OFF)
        if act == CAPTURE:
            await self._spare_the_hand()
            await self._make_it_count()
        remembered = self._unit.bin_with_card_in_gate
        was_at = preconditions.was_at(params) if remembered is None else 1
        readings = await self._unit.read()
        preconditions.check(act, readings, remembered if given is None else given, was_at)
        self._armed_at_s = asyncio.get_running_loop().time()
        return Arming({**readings.facts(), **self._named()})

    async def act(self, act: str, params: Mapping[str, Json], arming: Arming) -> Verdict:
        """Writes the motion frame once. Raises OutcomeUnknown; DeviceUnavailable, DeviceRefused: nothing was sent."""
        before = Readings.of(arming)
        motion = _MOTIONS.get(self._spec(act).name)
        if motion is None:
            raise DeviceRefused("invalid_act", f"{act} moves nothing; it is watched")
        self._unit.forget()
        try:
            reply = await self._conversation.move(motion, before.st0, self._armed_at_s + FRESH_S)
        except ChangedError as error:
            await self._unit.noted(error.reply)
            raise DeviceRefused("unexpected_readings", f"before {motion.name}: {error}") from error
        try:
            return await self._judge_live(act, reply, before, arming)
        except (DeviceUnavailable, DeviceRefused) as error:
            raise OutcomeUnknown(error.reason, f"after {motion.name}: {error.detail}") from error

    async def watch(
        self, act: str, params: Mapping[str, Json], arming: Arming, *, limit_s: float, fresh: bool
    ) -> Verdict:
        """Looks every `poll_s` until the card left the gate. Raises DeviceUnavailable when the line is lost."""
        if self._spec(act).kind is not ActKind.WATCH:
            raise DeviceRefused("invalid_act", f"{act} is no watch")
        before = self._watched_from(arming, params)
        if not fresh and (other := await self._other_machine(arming)):
            return other
        loop = asyncio.get_running_loop()
        until = loop.time() + (limit_s if fresh else max(limit_s, self._profile.take_min_s))
        while True:
            verdict = await self._look(act, before, arming)
            if verdict.outcome is not Outcome.NO_EFFECT:
                return _witnessed(verdict) if self._unit.st0_before == 1 else verdict
            left = until - loop.time()
            if left <= 0:
                return Verdict(Outcome.FAILED, "not_taken", Whereabouts.MOUTH, verdict.facts)
            await self._sleep(min(self._profile.poll_s, left))

    async def reconcile(self, act: str, params: Mapping[str, Json], arming: Arming) -> Verdict:
        """The evidence table, once settled; 'not done' takes two equal readings. Raises DeviceUnavailable."""
        watched = self._spec(act).kind is ActKind.WATCH
        before = self._watched_from(arming, params) if watched else Readings.of(arming)
        if other := await self._other_machine(arming):
            return other
        previous: Json = None
        for _ in range(READINGS_MAX):
            verdict = await self._look(act, before, arming)
            readings = verdict.facts.get("readings")
            if verdict.outcome is not Outcome.NO_EFFECT or watched or readings == previous:
                return verdict
            previous = readings
            await self._sleep(self._profile.act_max_s)
        return evidence.unsteady(Readings(**previous))

    async def stop(self) -> None:
        """EOT: the act in flight, if any, ends as OutcomeUnknown("stopped") until its status was read."""
        await self._conversation.stop()

    async def self_test(self) -> self_test.SelfTest:
        """Looks at line, state, identity, sensors and counter; moves and resets nothing."""
        return await self_test.run(self.device_id, self._unit.ask, lambda: sum(self._counters().values()))

    async def _judge_live(self, act: str, reply: Reply, before: Readings, arming: Arming) -> Verdict:
        if isinstance(reply, Failure):
            await self._unit.noted(reply)
            verdict = evidence.judge_error(act, reply.code)
            if verdict is None:  # a refusal; that nothing moved is believed only from two readings (reconcile)
                raise UnitRefusedError(reply)
            return verdict
        after = await self._unit.read()
        verdict = evidence.judge(act, before, after, await self._notebook.notes_since(arming))
        if verdict.outcome is not Outcome.NO_EFFECT:
            return verdict
        if act == DRAW:  # drawn, it said, and no card is there: a second draw could be a second card
            return evidence.contradiction(after)
        raise OutcomeUnknown("contradiction", f"{act}: success was told, but the sensors show {after}")

    async def _spare_the_hand(self) -> None:
        """After a restart a card in the gate is left there for `take_min_s`: somebody may be taking it just now."""
        loop = asyncio.get_running_loop()
        until = (self._since_s or 0.0) + self._profile.take_min_s
        while (left := until - loop.time()) > 0 and (await self._unit.read()).st0 == 1:
            await self._sleep(min(self._profile.poll_s, left))

    async def _make_it_count(self) -> None:
        """Without PM 37 a capture leaves the bin counter as it is, and the card would be judged taken."""
        if not self._unit.counts and (await self._unit.read()).st0:
            await self._unit.initialise()

    async def _look(self, act: str, before: Readings, arming: Arming) -> Verdict:
        """One reading, judged; an error code in its place is judged too."""
        try:
            after = await self._unit.read()
        except UnitRefusedError as error:
            return evidence.judge_error(act, error.code) or evidence.unreadable(error.reason, error.code)
        return evidence.judge(act, before, after, await self._notebook.notes_since(arming))

    def _named(self) -> dict[str, str]:
        """The unit's serial number as far as it was asked on this connection: arming asks nothing more for it."""
        known = self._unit.known_identity().get("serialNumber", "")
        return {preconditions.SERIAL_NUMBER: known} if known else {}

    async def _other_machine(self, arming: Arming) -> Verdict | None:
        """A verdict when the address leads to another unit by now; a serial number that is not known says nothing."""
        was = preconditions.serial_number(arming.readings)
        now = await self._unit.serial_number() if was else ""
        return evidence.other_machine(was, now) if now and now != was else None

    def _watched_from(self, arming: Arming, params: Mapping[str, Json]) -> Readings:
        before = Readings.of(arming)
        given = preconditions.baseline(AWAIT_TAKEN, params)
        return before if given is None else Readings(before.st0, before.st1, before.st2, given)

    def _counters(self) -> dict[str, int]:
        return twin.counters(self._conversation.counters, self._conversation.garbage_bytes)

    def _spec(self, act: str) -> ActSpec:
        if act not in self._acts:
            raise DeviceRefused("unknown_act", f"{act!r}; a card dispenser offers {', '.join(self._acts)}")
        return self._acts[act]


def _witnessed(verdict: Verdict) -> Verdict:
    """The same process saw the card in the gate, and the line was never lost since."""
    if verdict.facts.get("taken") != "inferred":
        return verdict
    facts = {**verdict.facts, "taken": "witnessed"}
    return Verdict(verdict.outcome, verdict.reason, verdict.item, facts, verdict.lane_shut)


def _acts(act_max_s: float) -> tuple[ActSpec, ...]:
    return (
        ActSpec(DRAW, ActKind.POSITIONAL, "Draws one card from the stacker into the transport.", act_max_s),
        ActSpec(PRESENT, ActKind.POSITIONAL, "Moves the card in the transport out to the gate.", act_max_s),
        ActSpec(CAPTURE, ActKind.COUNTABLE, "Takes the card back into the error bin.", act_max_s),
        ActSpec(AWAIT_TAKEN, ActKind.WATCH, "Watches the gate until the card was taken.", 0.0),
    )

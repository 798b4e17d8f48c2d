"""The card dispenser driver: draws, presents, captures, watches the gate, and says what an attempt came to.

Knows one unit and its evidence; must not know orders, when to try again, or that anything else shares its line.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from device_drivers.crt591 import commands, evidence, preconditions, self_test, twin
from device_drivers.crt591.codes import MOVED_BY_HAND, NOT_RESET, explain
from device_drivers.crt591.conversation import Conversation
from device_drivers.crt591.evidence import AWAIT_TAKEN, CAPTURE, DRAW, PRESENT, Readings
from device_drivers.crt591.profile import Crt591Profile
from device_drivers.crt591.replies import Failure, MalformedReplyError, Reply, Success, parse_bin_counter, parse_text
from device_drivers.device import ActKind, ActSpec, Arming, Json, Notebook, Outcome, Twin, Verdict, Whereabouts
from device_drivers.errors import DeviceRefused, DeviceUnavailable, OutcomeUnknown
from device_drivers.links.line import SharedLine
from device_drivers.links.link import LinkError

READINGS_MAX = 5  # how often a reading that keeps changing is taken again before a person is asked
_MOTIONS = {DRAW: commands.DRAW, PRESENT: commands.PRESENT, CAPTURE: commands.CAPTURE}
_IDENTITY = {
    "serialNumber": commands.SERIAL_NUMBER,
    "configuration": commands.CONFIGURATION,
    "firmware": commands.FIRMWARE,
}

Sleep = Callable[[float], Awaitable[None]]


class UnitRefusedError(DeviceRefused):
    """The unit answered with an error code."""

    def __init__(self, failure: Failure) -> None:
        code = explain(failure.code)
        super().__init__(code.reason, f"{code.meaning} ({failure.code})")
        self.code = failure.code


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
        self._line = line
        self._profile = profile
        self._notebook = notebook
        self._is_tcp = is_tcp
        self._sleep = sleep
        self._conversation = Conversation(profile)
        self._identity: dict[str, str] = {}
        self._probed = False  # since this process began: decides on the one reset that makes the bin counter count
        self._last_st0: int | None = None  # what the unbroken line told last; None after a loss of line or power
        self._st0_before: int | None = None  # the reading before that
        self._mouth_bin: int | None = None  # the bin counter while a card was last seen in the gate
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
        await self.disconnect()
        try:
            self._conversation.hold = await self._line.hold()
        except LinkError as error:
            raise DeviceUnavailable("line_unavailable", str(error)) from error

    async def disconnect(self) -> None:
        """Lets go of the line; harmless when not connected."""
        hold, self._conversation.hold = self._conversation.hold, None
        self._forget()
        self._identity = {}
        if hold is not None:
            await hold.let_go()

    async def probe(self) -> Twin:
        """State and identity. Initialises (PM 37) a unit that is not reset, and at the first probe an empty one."""
        try:
            readings = await self._read()
            if not self._probed and readings.st0 == 0:
                await self._initialise()
                readings = await self._read()
            self._probed = True
            state = twin.State.of(readings)
            await self._identify()
        except UnitRefusedError as error:
            state = twin.State(code=error.code)
        return twin.describe(state, self._profile, self._identity, self._counters())

    async def recover(self) -> None:
        """Clears the unit's errors by PM 37 (the card stays where it is); for after a person looked at the machine."""
        await self._initialise()

    async def arm(self, act: str, params: Mapping[str, Json]) -> Arming:
        """Entry off, status, bin counter; preconditions. Raises DeviceRefused, DeviceUnavailable, NothingToDo."""
        self._spec(act)
        given = preconditions.baseline(params)
        if act != AWAIT_TAKEN:
            await self._command(commands.ENTRY_OFF)
        remembered = self._mouth_bin
        readings = await self._read()
        preconditions.check(act, readings, remembered if given is None else given)
        return Arming(readings.facts())

    async def act(self, act: str, params: Mapping[str, Json], arming: Arming) -> Verdict:
        """Writes the motion frame once. Raises OutcomeUnknown; DeviceUnavailable, DeviceRefused: nothing was sent."""
        before = Readings.of(arming)
        motion = _MOTIONS.get(self._spec(act).name)
        if motion is None:
            raise DeviceRefused("invalid_act", f"{act} moves nothing; it is watched")
        self._last_st0 = None
        reply = await self._conversation.move(motion)
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
        loop = asyncio.get_running_loop()
        until = loop.time() + (limit_s if fresh else max(limit_s, self._profile.take_min_s))
        while True:
            verdict = await self._look(act, before, arming)
            if verdict.outcome is not Outcome.NO_EFFECT:
                return _witnessed(verdict) if self._st0_before == 1 else verdict
            left = until - loop.time()
            if left <= 0:
                return Verdict(Outcome.FAILED, "not_taken", Whereabouts.MOUTH, verdict.facts)
            await self._sleep(min(self._profile.poll_s, left))

    async def reconcile(self, act: str, params: Mapping[str, Json], arming: Arming) -> Verdict:
        """The evidence table, once settled; 'not done' takes two equal readings. Raises DeviceUnavailable."""
        watched = self._spec(act).kind is ActKind.WATCH
        before = self._watched_from(arming, params) if watched else Readings.of(arming)
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
        return await self_test.run(self.device_id, self._ask_noting, lambda: sum(self._counters().values()))

    async def _ask_noting(self, question: commands.Question) -> Reply:
        reply = await self._conversation.ask(question)
        if isinstance(reply, Failure):
            await self._note(reply)
        return reply

    async def _judge_live(self, act: str, reply: Reply, before: Readings, arming: Arming) -> Verdict:
        if isinstance(reply, Failure):
            await self._note(reply)
            verdict = evidence.judge_error(act, reply.code)
            if verdict is None:  # a refusal; that nothing moved is believed only from two readings (reconcile)
                raise UnitRefusedError(reply)
            return verdict
        after = await self._read()
        verdict = evidence.judge(act, before, after, await self._notebook.notes_since(arming))
        if verdict.outcome is not Outcome.NO_EFFECT:
            return verdict
        if act == DRAW:  # drawn, it said, and no card is there: a second draw could be a second card
            return evidence.contradiction(after)
        raise OutcomeUnknown("contradiction", f"{act}: success was told, but the sensors show {after}")

    async def _look(self, act: str, before: Readings, arming: Arming) -> Verdict:
        """One reading, judged; an error code in its place is judged too."""
        try:
            after = await self._read()
        except UnitRefusedError as error:
            return evidence.judge_error(act, error.code) or evidence.unreadable(error.reason, error.code)
        return evidence.judge(act, before, after, await self._notebook.notes_since(arming))

    def _watched_from(self, arming: Arming, params: Mapping[str, Json]) -> Readings:
        before = Readings.of(arming)
        given = preconditions.baseline(params)
        return before if given is None else Readings(before.st0, before.st1, before.st2, given)

    async def _read(self) -> Readings:
        """Status and bin counter. Raises UnitRefusedError, DeviceUnavailable."""
        try:
            status = (await self._command(commands.STATUS)).status
            count = parse_bin_counter((await self._command(commands.BIN_COUNTER)).data)
        except DeviceUnavailable:
            self._forget()
            raise
        except MalformedReplyError as error:
            raise DeviceUnavailable("nonsense", f"bin counter: {error}") from error
        self._st0_before, self._last_st0 = self._last_st0, status.st0
        if status.st0 == 1:
            self._mouth_bin = count
        return Readings(status.st0, status.st1, status.st2, count)

    async def _command(self, command: commands.Question | commands.Setting) -> Success:
        """Asks; keeps what is told once; after a power loss initialises and asks again. Raises UnitRefusedError."""
        reply = await self._conversation.ask(command)
        if isinstance(reply, Failure) and await self._note(reply):
            if reply.code == NOT_RESET:
                await self._initialise()
            reply = await self._conversation.ask(command)
        if isinstance(reply, Failure):
            raise UnitRefusedError(reply)
        return reply

    async def _initialise(self) -> None:
        """Reset PM 37: the card stays, the bin counter counts, entry is off (PHY-4)."""
        reply = await self._conversation.recover(commands.INITIALISE)
        if isinstance(reply, Failure):
            await self._note(reply)
            raise UnitRefusedError(reply)
        self._identity["model"] = parse_text(reply.data) or self._identity.get("model", "")

    async def _note(self, failure: Failure) -> bool:
        """Commits evidence that may be told only once, before the next frame (PHY-5). True when it was such."""
        kinds = {NOT_RESET: evidence.POWER_LOST} | dict.fromkeys(MOVED_BY_HAND, evidence.MOVED_BY_HAND)
        kind = kinds.get(failure.code)
        if kind is None:
            return False
        self._forget()
        await self._notebook.note(kind, {"code": failure.code})
        return True

    async def _identify(self) -> None:
        """Asks who the unit is, once for each connection; what it does not support stays out."""
        for name, question in _IDENTITY.items():
            if name in self._identity:
                continue
            try:
                self._identity[name] = parse_text((await self._command(question)).data)
            except UnitRefusedError:
                self._identity[name] = ""

    def _forget(self) -> None:
        self._last_st0 = None
        self._mouth_bin = None

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

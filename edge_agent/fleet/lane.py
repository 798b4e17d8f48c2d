"""One device's lane: the one task that talks to its driver, takes up orders in turn, and settles what is in doubt.

Knows the order of things (settle, ask, arm, commit, act, commit); must not know a wire protocol, nor what an outcome
makes of an order (`orders.course`).
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from cloud_bridge.envelope import rfc3339
from cloud_bridge.ports import StoreFailed
from device_drivers.device import Driver, NothingToDo, Outcome, Twin, Verdict, Whereabouts
from device_drivers.errors import DeviceFault, DeviceRefused, DeviceUnavailable, OutcomeUnknown
from edge_agent.clock import Clock, Grade
from edge_agent.fleet.notebook import marked
from edge_agent.fleet.presence import Presence
from edge_agent.journal.journal import Journal, Tx
from edge_agent.orders import course
from edge_agent.orders.record import (
    DEVICE_CHANGED,
    AttemptRow,
    LaneRow,
    OrderRow,
    StepRow,
    attempts_of,
    find_order,
    get_order,
    get_step,
    lane_of,
    last_attempt,
    last_presence,
    next_on_device,
    queue_is_stale,
    steps_of,
    unsettled_attempts,
)
from edge_agent.orders.states import Order, Step

log = logging.getLogger(__name__)
Sleep = Callable[[float], Awaitable[None]]
BACKOFF_MIN_S = 0.25  # a replugged cable is back at once
LANE_ROUND_S = 120.0  # longer than any question or back-off; a watch adds its own limit
ROUND_SETTLES = 8  # and as often as it may have to settle in one round: an act, its settling, five looks
BACKOFF_MAX_S = 15.0  # a dead device costs one attempt in so many seconds


@dataclass(frozen=True, slots=True)
class Job:
    """What the lane does next: one step of one order."""

    order: OrderRow
    step: StepRow


@dataclass(slots=True)
class LaneParts:
    """What a lane is made of."""

    device: str
    kind: str
    role: str
    driver: Driver
    journal: Journal
    clock: Clock
    publish: Callable[[str, dict[str, Any]], None]  # (device, the members of its twin): newest wins, never blocks
    idle_poll_s: float = 5.0
    sleep: Sleep = asyncio.sleep
    jitter: Callable[[], float] = field(default=random.random)


class Lane:
    """Run as one named task. `wake` when the journal has something for it; `stop` ends it between two steps."""

    def __init__(self, parts: LaneParts) -> None:
        self.device = parts.device
        self._p = parts
        self._driver = parts.driver
        self._journal = parts.journal
        self._woken = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._stopping = False
        self._was_shut = False
        self.faults = 0  # times that the lane itself failed: never, if the tests are right
        self._presence = Presence()
        self._twin = Twin("starting")
        self._published: dict[str, Any] = {}
        self.due_s = 0.0  # loop time by which the lane must have come round again; the watchdog looks at it

    @property
    def state(self) -> str:
        """The twin's word for the device, for the birth."""
        return self._twin.device

    def wake(self) -> None:
        self._woken.set()

    async def stop(self, limit_s: float) -> None:
        """No further step is begun; an act that is under way gets `limit_s` to come to its end."""
        self._stopping = True
        self._woken.set()
        try:
            async with asyncio.timeout(limit_s):
                await self._idle.wait()
        except TimeoutError:
            log.warning("%s: stopped while acting; the attempt will be in doubt", self.device)

    # -- the life of a connection --------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Connects, serves, comes back after each loss; ends only by cancellation."""
        backoff_s = BACKOFF_MIN_S
        while not self._stopping:
            self._beat()
            try:
                if await self._live():
                    backoff_s = BACKOFF_MIN_S
            except StoreFailed as error:
                log.error("%s: lane rests: %s", self.device, error)
            except Exception:  # a fault of ours in one lane must not stop the others; what it began is in doubt
                self.faults += 1
                log.exception("%s: lane failed, it begins anew", self.device)
            if not self._stopping:
                await self._rest(backoff_s)
                backoff_s = min(backoff_s * 2, BACKOFF_MAX_S)

    async def _live(self) -> bool:
        """One connection from its beginning to its loss; whether the device was there."""
        await self._doubt_what_was_begun()  # after a restart, and after the journal could not be written for a while
        try:
            await self._driver.connect()
            await self._serve()
        except DeviceUnavailable as lost:
            was_there = bool(self._presence.there)
            await self._lost(lost)
            return was_there
        finally:
            await self._driver.disconnect()
        return True

    async def _rest(self, seconds: float) -> None:
        await self._p.sleep(seconds * (0.75 + self._p.jitter() / 2))

    async def _serve(self) -> None:
        await self._p.sleep(self._driver.settle_s)  # PHY-1: it may still be moving, or hold bytes for a dead connection
        await self._settle_doubts()
        await self._observe()
        while not self._stopping:
            self._beat()
            if not await self._next():
                await self._wait_or_poll()

    def _beat(self, allowance_s: float = LANE_ROUND_S) -> None:
        self.due_s = asyncio.get_running_loop().time() + allowance_s + ROUND_SETTLES * self._driver.settle_s

    async def _wait_or_poll(self) -> None:
        try:
            async with asyncio.timeout(self._p.idle_poll_s):
                await self._woken.wait()
            self._woken.clear()
        except TimeoutError:
            await self._observe()

    async def _observe(self) -> None:
        """Asks the device how it is; moves nothing."""
        twin = await self._driver.probe()
        await self._present(there=True, reason="back")
        await self._publish(twin)

    async def _lost(self, lost: DeviceUnavailable) -> None:
        log.debug("%s: %s", self.device, lost)
        await self._present(there=False, reason=lost.reason)
        await self._publish(Twin("offline", lost.reason, identity=self._twin.identity))
        await self._journal.write(lambda tx: self._say_waiting(tx, lost.reason))

    async def _present(self, *, there: bool, reason: str) -> None:
        told = self._presence.told
        say = self._presence.tell(there, reason, asyncio.get_running_loop().time())
        if say is None or (there and told is None):
            return
        state = "online" if there else "offline"
        log.info("%s: %s (%s)", self.device, state, say)
        data = {"device": self.device, "state": state, "reason": say, "facts": {"changes": self._presence.changes}}
        try:
            await self._journal.write(lambda tx: tx.emit(DEVICE_CHANGED, self.device, data))
        except StoreFailed:
            self._presence.told = told  # it is still to be told
            raise

    def _say_waiting(self, tx: Tx, reason: str) -> None:
        order = self._next_order(tx, lane_of(tx, self.device))
        if order is None or order.step is None or order.device != self.device:
            return
        step = get_step(tx, order.id, order.step)
        if step.state in (Step.PENDING, Step.NO_EFFECT, Step.IN_DOUBT) and self._is_timely(order, step):
            course.wait(tx, order, "device", reason)

    # -- what is in doubt ----------------------------------------------------------------------------------------------

    async def _doubt_what_was_begun(self) -> None:
        """After a restart whatever was armed or acting is in doubt (ORD-5); a watch goes on watching."""
        open_attempts = await self._journal.read(lambda tx: unsettled_attempts(tx, self.device))
        begun = [a for a in open_attempts if a.state in (Step.ARMED, Step.ACTING)]
        if not self._published:
            await self._remember()

        def doubt(tx: Tx) -> None:
            for attempt in begun:
                course.doubt(tx, attempt.order_id, attempt.step, "restarted")

        if begun:
            await self._journal.write(doubt)

    async def _remember(self) -> None:
        """What the process before told of the device, and whether it left the lane shut; asks the device nothing."""
        told, lane = await self._journal.read(lambda tx: (last_presence(tx, self.device), lane_of(tx, self.device)))
        self._presence.told, self._was_shut = told, lane.shut
        await self._publish(Twin("starting"))

    async def _settle_doubts(self) -> None:
        """Asks the device, which has had its time to come to rest, what each attempt in doubt came to."""
        for attempt in await self._journal.read(lambda tx: unsettled_attempts(tx, self.device)):
            lane = await self._journal.read(lambda tx: lane_of(tx, self.device))
            if attempt.state is Step.IN_DOUBT and not (lane.shut and lane.attempt == attempt.id):
                await self._reconcile(attempt)

    async def _reconcile(self, attempt: AttemptRow) -> None:
        params = await self._journal.read(lambda tx: self._params(tx, attempt.order_id, attempt.step))
        verdict = await _answer(self._driver.reconcile(attempt.act, params, marked(attempt)))
        log.info("%s: attempt %s was in doubt: %s (%s)", self.device, attempt.id, verdict.outcome, verdict.reason)
        await self._settle(attempt, verdict)

    # -- the next step -------------------------------------------------------------------------------------------------

    def _next_order(self, tx: Tx, lane: LaneRow) -> OrderRow | None:
        if lane.holder is not None:
            return find_order(tx, lane.holder)
        unknown = self._p.clock.grade() is Grade.UNKNOWN
        return next_on_device(tx, self.device, None if unknown else rfc3339(self._p.clock.now()))

    def _pick(self, tx: Tx) -> Job | None:
        lane = lane_of(tx, self.device)
        self._was_shut = self._was_shut or lane.shut
        order = None if lane.shut else self._next_order(tx, lane)
        if order is None or order.step is None or order.device != self.device or order.state is Order.NEEDS_ATTENTION:
            return None
        step = get_step(tx, order.id, order.step)
        if order.held and step.undoes is None and not step.watch:
            return None
        return Job(order, step) if self._is_timely(order, step) else None

    def _is_timely(self, order: OrderRow, step: StepRow) -> bool:
        """Without a clock no act of an order with times is begun; what it began is always brought to an end."""
        timed = (order.deadline or order.not_before) and step.undoes is None and not step.watch
        return not timed or step.state is Step.IN_DOUBT or self._p.clock.grade() is not Grade.UNKNOWN

    async def _tell_queue(self) -> None:
        if await self._journal.read(lambda tx: queue_is_stale(tx, self.device)):
            await self._journal.write(lambda tx: course.tell_queue(tx, self.device))

    async def _next(self) -> bool:
        """Does one step if one is due. False: nothing can be done until something changes."""
        job = await self._journal.read(self._pick)
        if job is None:
            await self._tell_queue()
            return False
        if self._was_shut and not await self._recover(job):
            return False
        self._idle.clear()
        try:
            if self._stopping:
                return False
            if job.step.state is Step.WAITING:
                await self._resume(job.step)
                return True
            return await self._begin(job)
        finally:
            self._idle.set()

    async def _recover(self, job: Job) -> bool:
        """A person looked at it: its errors may go, the item stays where it is."""
        try:
            await self._driver.recover()
        except DeviceRefused as refusal:
            reason = refusal.reason
            await self._journal.write(lambda tx: course.wait(tx, job.order, "device", reason))
            return False
        self._was_shut = False
        return True

    async def _resume(self, step: StepRow) -> None:
        attempt = await self._journal.read(lambda tx: last_attempt(tx, step))
        assert attempt is not None
        await self._watch(step, attempt, fresh=False)

    async def _begin(self, job: Job) -> bool:
        order, step = job.order, job.step
        params = await self._journal.read(lambda tx: self._params(tx, order.id, step.name))
        try:
            arming = await self._driver.arm(step.act, params)
        except DeviceRefused as refusal:
            waits_for, reason = refusal.waits_for, refusal.reason
            await self._journal.write(lambda tx: course.wait(tx, order, waits_for, reason))
            await self._observe()
            return False
        except NothingToDo as needless:
            verdict = needless.verdict
            await self._journal.write(lambda tx: course.unneeded(tx, order.id, step.name, verdict))
            await self._note_lane()
            return True
        armed = await self._journal.write(lambda tx: course.arm(tx, order.id, step.name, arming, self._p.clock))
        if isinstance(armed, course.NotNow):
            log.info("%s: order %s step %s not armed: %s", self.device, order.id, step.name, armed.reason)
            return armed.reason in ("moved_on", "expired")
        if step.watch:
            await self._watch(step, armed, fresh=True)
        else:
            await self._act(armed, params)
        return True

    async def _act(self, attempt: AttemptRow, params: dict[str, Any]) -> None:
        """The one place where a machine is made to move: the attempt is on disk."""
        self._journal.post(lambda tx: course.acting(tx, attempt))
        log.info("%s: order %s: %s", self.device, attempt.order_id, attempt.act)
        try:
            verdict = await self._driver.act(attempt.act, params, marked(attempt))
        except OutcomeUnknown as unknown:
            log.warning("%s: attempt %s in doubt: %s", self.device, attempt.id, unknown)
            reason = unknown.reason
            await self._journal.write(lambda tx: course.doubt(tx, attempt.order_id, attempt.step, reason))
            await self._observe_busy(reason)
            await self._p.sleep(self._driver.settle_s)
            await self._reconcile(attempt)
            await self._observe()
            return
        except DeviceUnavailable as unsent:
            await self._settle(attempt, Verdict(Outcome.NO_EFFECT, unsent.reason, facts={"sent": False}))
            raise
        except (DeviceRefused, DeviceFault) as no:
            outcome = Outcome.FAILED if isinstance(no, DeviceFault) else Outcome.NO_EFFECT
            verdict = Verdict(outcome, no.reason, Whereabouts(no.item), lane_shut=isinstance(no, DeviceFault))
        await self._settle(attempt, verdict)

    async def _watch(self, step: StepRow, attempt: AttemptRow, *, fresh: bool) -> None:
        params = await self._journal.read(lambda tx: self._params(tx, attempt.order_id, attempt.step))
        self._idle.set()  # watching moves nothing: a stop need not wait for the customer
        limit_s = step.limit_s or 0.0
        self._beat(LANE_ROUND_S + limit_s)
        watching = self._driver.watch(attempt.act, params, marked(attempt), limit_s=limit_s, fresh=fresh)
        verdict = await _answer(watching)
        self._idle.clear()
        await self._settle(attempt, verdict)

    async def _settle(self, attempt: AttemptRow, verdict: Verdict) -> None:
        order = await self._journal.write(lambda tx: course.settle(tx, attempt.order_id, attempt.step, verdict))
        log.info("%s: order %s %s: %s (%s)", self.device, order.id, attempt.step, verdict.outcome, verdict.reason)
        self._was_shut = self._was_shut or verdict.lane_shut  # people may decide before anybody looks
        await self._note_lane()

    async def _note_lane(self) -> None:
        """A lane that was shut is told, and the driver shall recover its device when it is open again."""
        lane = await self._journal.read(lambda tx: lane_of(tx, self.device))
        if lane.shut:
            self._was_shut = True
            await self._observe()

    def _params(self, tx: Tx, order_id: str, step_name: str) -> dict[str, Any]:
        """The order's parameters and what its attempt before read here (the bin counter of the presenting)."""
        order = get_order(tx, order_id)
        earlier = [a for a in attempts_of(tx, order_id) if a.device == self.device and a.step != step_name]
        names = [s.name for s in steps_of(tx, order_id)]
        earlier.sort(key=lambda a: names.index(a.step))
        readings = dict(earlier[-1].arming.readings) if earlier else {}
        return {
            **order.parameters,
            "order": order_id,
            "step": step_name,
            "earlier": readings,
            **({"bin": readings["bin"]} if "bin" in readings else {}),
        }

    # -- the twin ------------------------------------------------------------------------------------------------------

    async def _observe_busy(self, reason: str) -> None:
        await self._publish(
            Twin("deviceBusy", reason, self._twin.media, self._twin.storage, self._twin.identity, self._twin.counters)
        )

    async def _publish(self, twin: Twin) -> None:
        """Hands the twin on when it says something new (counters alone are no news)."""
        self._twin = twin
        lane = await self._journal.read(lambda tx: lane_of(tx, self.device))
        members: dict[str, Any] = {
            "device": self.device,
            "kind": self._p.kind,
            "role": self._p.role,
            "state": twin.device,
            "reason": twin.reason,
        }
        members |= {"lane": "shut" if lane.shut else "open", "media": twin.media, "order": lane.holder}
        members |= {"storage": {k: dict(v) for k, v in twin.storage.items()}, "identity": dict(twin.identity)}
        if lane.shut and not twin.reason:
            members["reason"] = lane.reason
        if members != self._published:
            self._published = members
            self._p.publish(self.device, {**members, "counters": dict(twin.counters)})


async def _answer(question: Awaitable[Verdict]) -> Verdict:
    """What the driver says of an attempt; a no in place of an answer is for a person to settle."""
    try:
        return await question
    except (DeviceRefused, DeviceFault, OutcomeUnknown) as no:
        return Verdict(Outcome.UNKNOWN, no.reason, Whereabouts(no.item), lane_shut=True)

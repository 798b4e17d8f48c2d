"""One step's work at one device: ask, arm, commit, act, commit; and settling what is in doubt.

Knows the order of these things; must not know a wire protocol, nor what an outcome makes of an order
(`orders.course`), nor whose turn it is (`queue`).
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

from device_drivers.device import Arming, HasCells, NothingToDo, Outcome, Twin, Verdict, Whereabouts
from device_drivers.errors import DeviceFault, DeviceRefused, DeviceUnavailable, OutcomeUnknown
from edge_agent.custody import stock
from edge_agent.fleet.materials import NotReady
from edge_agent.fleet.notebook import marked
from edge_agent.fleet.params import params_of, params_to_arm
from edge_agent.fleet.parts import LaneParts
from edge_agent.fleet.queue import Job
from edge_agent.fleet.showing import Showing
from edge_agent.journal.journal import Tx
from edge_agent.orders import course, shelving
from edge_agent.orders.reading import lane_of, last_attempt, unsettled_attempts
from edge_agent.orders.rows import AttemptRow, OrderRow, StepRow
from edge_agent.orders.states import Step

log = logging.getLogger(__name__)
AtRest = Callable[[float], AbstractContextManager[None]]


class Work:
    """What a lane does with its driver, one thing at a time."""

    def __init__(
        self, parts: LaneParts, showing: Showing, at_rest: Callable[[float], AbstractContextManager[None]]
    ) -> None:
        """`at_rest(limit_s)` is entered while something is watched for so long that moves nothing."""
        self.device = parts.device
        self.was_shut = False  # somebody must have looked before its errors may go
        self._p = parts
        self._driver = parts.driver
        self._journal = parts.journal
        self._showing = showing
        self._at_rest = at_rest
        self._has_cells = isinstance(parts.driver, HasCells)

    async def observe(self) -> None:
        """Asks the device how it is; moves nothing."""
        books = self._journal.glance(lambda tx: stock.lots_at(tx, self.device)) if self._has_cells else []
        twin = await self._driver.probe()
        if self._has_cells:
            await self._confirm(twin, books)
        await self._showing.seen(twin)

    async def _confirm(self, twin: Twin, books: list[stock.Lot]) -> None:
        """The books follow what the cells show; what people said during the look waits for the next one."""
        unlike = await self._journal.read(lambda tx: shelving.unlike(tx, self.device, twin.storage, books))
        if unlike:
            await self._journal.write(lambda tx: shelving.confirm(tx, self.device, twin.storage, books))

    # -- what is in doubt ----------------------------------------------------------------------------------------------

    async def doubt_what_was_begun(self) -> None:
        """After a restart whatever was armed or acting is in doubt (ORD-5); a watch goes on watching."""
        open_attempts = await self._journal.read(lambda tx: unsettled_attempts(tx, self.device))
        begun = [a for a in open_attempts if a.state in (Step.ARMED, Step.ACTING)]

        def doubt(tx: Tx) -> None:
            for attempt in begun:
                course.doubt(tx, attempt.order_id, attempt.step, "restarted")

        if begun:
            await self._journal.write(doubt)

    async def settle_doubts(self) -> None:
        """Asks the device, which has had its time to come to rest, what each attempt in doubt came to."""
        for attempt in await self._journal.read(lambda tx: unsettled_attempts(tx, self.device)):
            asked = self._journal.glance(partial(_asked, attempt))
            if attempt.state is Step.IN_DOUBT and not asked:
                await self._reconcile(attempt)

    async def _reconcile(self, attempt: AttemptRow) -> None:
        params = await self._journal.read(lambda tx: params_of(tx, attempt))
        verdict = await _answer(self._driver.reconcile(attempt.act, params, marked(attempt)))
        log.info("%s: attempt %s was in doubt: %s (%s)", self.device, attempt.id, verdict.outcome, verdict.reason)
        await self._settle(attempt, verdict)

    # -- one step ------------------------------------------------------------------------------------------------------

    async def recover(self, job: Job) -> bool:
        """A person looked at it: its errors may go, the item stays where it is."""
        try:
            await self._driver.recover()
        except DeviceRefused as refusal:
            reason = refusal.reason
            await self._journal.write(lambda tx: course.wait_before(tx, job.step, "device", reason))
            return False
        self.was_shut = False
        return True

    async def do(self, job: Job) -> bool:
        """One step. False: it cannot be begun until something changes."""
        if job.step.state is Step.WAITING:
            await self._resume(job.step)
            return True
        return await self._begin(job)

    async def _resume(self, step: StepRow) -> None:
        attempt = await self._journal.read(lambda tx: last_attempt(tx, step))
        assert attempt is not None
        await self._watch(step, attempt, fresh=False)

    async def _begin(self, job: Job) -> bool:
        order, step = job.order, job.step
        try:
            params = await self._gather(job)
            arming = await self._driver.arm(step.act, params)
        except (NotReady, DeviceRefused) as no:
            return await self._refused(job, no)
        except NothingToDo as needless:
            verdict = needless.verdict
            await self._journal.write(lambda tx: course.unneeded(tx, order.id, step.name, verdict, device=self.device))
            await self._note_lane()
            return True
        armed = await self._journal.write(lambda tx: self._arm(tx, job, arming))
        if isinstance(armed, course.NotNow):
            log.info("%s: order %s step %s not armed: %s", self.device, order.id, step.name, armed.reason)
            return armed.reason in ("moved_on", "expired")
        if step.watch:
            await self._watch(step, armed, fresh=True)
        else:
            await self._act(armed, params)
        return True

    def _arm(self, tx: Tx, job: Job, arming: Arming) -> AttemptRow | course.NotNow:
        """On a full disk nothing new is begun; what was begun is undone and watched on the reserve (OUT-4)."""
        if tx.disk_full and job.step.undoes is None and not job.step.watch:
            return course.NotNow(course.wait_before(tx, job.step, "device", "disk_full"))
        return course.arm(tx, job.order.id, job.step.name, arming, self._p.clock, device=self.device)

    async def _gather(self, job: Job) -> dict[str, Any]:
        """What the driver is handed for the attempt that would be armed now; raises NotReady."""
        params = self._journal.glance(lambda tx: params_to_arm(tx, job.step))
        if job.step.watch:
            return params
        brought = await self._p.materials.gather(job.order, job.step, params["attempt"], params["reprint"])
        return {**params, **brought}

    async def _refused(self, job: Job, no: NotReady | DeviceRefused) -> bool:
        """The order waits for what would change it; what will always be refused is given up."""
        order, step, reason, waits_for = job.order, job.step, no.reason, no.waits_for
        log.info("%s: order %s step %s: %s", self.device, order.id, step.name, no)
        if waits_for == "never":
            why = no.facts if isinstance(no, DeviceRefused) else {}
            named = (order.id, step.name, reason, why)
            await self._journal.write(lambda tx: course.give_up(tx, *named, device=self.device))
            await self._note_lane()
            return True
        await self._journal.write(lambda tx: course.wait_before(tx, step, waits_for, reason))
        if isinstance(no, DeviceRefused):
            await self.observe()
        return False

    async def _act(self, attempt: AttemptRow, params: dict[str, Any]) -> None:
        """The one place where a machine is made to move: the attempt is on disk."""
        self._journal.post(lambda tx: course.acting(tx, attempt), patient=True)
        log.info("%s: order %s: %s", self.device, attempt.order_id, attempt.act)
        try:
            verdict = await self._driver.act(attempt.act, params, marked(attempt))
        except OutcomeUnknown as unknown:
            await self._find_out(attempt, unknown)
            return
        except DeviceUnavailable as unsent:
            await self._settle(attempt, Verdict(Outcome.NO_EFFECT, unsent.reason, facts={"sent": False}))
            raise
        except (DeviceRefused, DeviceFault) as no:
            outcome = Outcome.FAILED if isinstance(no, DeviceFault) else Outcome.NO_EFFECT
            verdict = Verdict(outcome, no.reason, Whereabouts(no.item), lane_shut=isinstance(no, DeviceFault))
        await self._settle(attempt, verdict)

    async def _find_out(self, attempt: AttemptRow, unknown: OutcomeUnknown) -> None:
        log.warning("%s: attempt %s in doubt: %s", self.device, attempt.id, unknown)
        reason = unknown.reason
        await self._journal.write(lambda tx: course.doubt(tx, attempt.order_id, attempt.step, reason))
        await self._showing.busy(reason, unknown.facts.get("storage"))
        await self._p.sleep(self._driver.settle_s)
        await self._reconcile(attempt)
        await self.observe()

    async def _watch(self, step: StepRow, attempt: AttemptRow, *, fresh: bool) -> None:
        params = await self._journal.read(lambda tx: params_of(tx, attempt))
        limit_s = step.limit_s or 0.0
        with self._at_rest(limit_s):
            watching = self._driver.watch(attempt.act, params, marked(attempt), limit_s=limit_s, fresh=fresh)
            verdict = await _answer(watching)
        await self._settle(attempt, verdict)

    async def _settle(self, attempt: AttemptRow, verdict: Verdict) -> None:
        def settle(tx: Tx) -> tuple[OrderRow, bool]:
            return course.settle_attempt(tx, attempt.id, verdict), lane_of(tx, self.device).shut

        order, shut = await self._journal.write(settle)
        log.info("%s: order %s %s: %s (%s)", self.device, order.id, attempt.step, verdict.outcome, verdict.reason)
        self.was_shut = self.was_shut or verdict.lane_shut  # people may decide before anybody looks
        await self._tell_shut(shut=shut)

    async def _note_lane(self) -> None:
        lane = self._journal.glance(lambda tx: lane_of(tx, self.device))
        await self._tell_shut(shut=lane.shut)

    async def _tell_shut(self, *, shut: bool) -> None:
        """A lane that is shut is shown; the driver shall recover its device when it is open again."""
        self.was_shut = self.was_shut or shut
        if shut:
            await self.observe()


def _asked(attempt: AttemptRow, tx: Tx) -> bool:
    """Whether people were asked about it: since they may have been at the machine, it is theirs to say."""
    lane, lot = lane_of(tx, attempt.device), stock.lot_of(tx, attempt.device, attempt.order_id)
    at_cell = lot is not None and lot.state is stock.Shelf.SHUT and lot.attempt == attempt.id
    return at_cell or (lane.shut and lane.attempt == attempt.id)


async def _answer(question: Awaitable[Verdict]) -> Verdict:
    """What the driver says of an attempt; a no in place of an answer is for a person to settle."""
    try:
        return await question
    except (DeviceRefused, DeviceFault, OutcomeUnknown) as no:
        return Verdict(Outcome.UNKNOWN, no.reason, Whereabouts(no.item), lane_shut=True)

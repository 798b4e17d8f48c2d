"""The demo's day: submits the planned orders, makes the faults happen, and lets people settle what the machine cannot.

Knows scheduler, house and plan; what is shown is the stage's, what is right is judged in verdict.py.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from central_scheduler.console import lines
from central_scheduler.demo import plan
from central_scheduler.demo.house import House
from central_scheduler.demo.machines import RECEIPT
from central_scheduler.demo.plan import Errand
from central_scheduler.demo.staff import Staff
from central_scheduler.demo.stage import Stage
from central_scheduler.orderbook import OrderBook, OrderView, Question
from central_scheduler.words import Words
from cloud_bridge.client import Scheduler
from cloud_bridge.messages.catalogue import BORN
from cloud_bridge.messages.reports import EventData, Reply, Session, StepChanged
from cloud_bridge.messages.words import Choice, Code

SCENE = "collect_card"
QUIET_S = 30.0  # a branch that tells nothing for so long has lost an order; each order's next event takes a tenth of it
WAIT_LIMIT_S = 180.0  # whatever it tells
PROOF_S = 10.0  # and so long people leave a machine that may still prove by itself what they are asked about
MID_ACT_S = 0.2  # an act takes 0.4 s
LATE_S = 3.0  # until the deadline of an order that waits behind a card in the gate; longer on a slow box
LATE_TRIPS = 10  # as many times as an order needs to be accepted
OUTAGE_S = 0.8
PAPER_LINE = 16  # far enough in the sheet for all of it to be in the printer by then
BY_PEOPLE = ("completed", "partly_completed", "failed")  # what may come of an order that people decided on
PAUSE_S = (4.0, 8.0)  # between the orders of the quiet time after the plan


class Day:
    """`listen` runs beside everything else; then `ready`, `follow_plan`, perhaps `go_on`, and `settle`."""

    def __init__(self, house: House, scheduler: Scheduler, words: Words, seed: int) -> None:
        self.book = OrderBook()
        self.errands: dict[str, Errand] = {}
        self.refused: dict[str, Reply] = {}
        self._house = house
        self._staff = Staff(house)
        self._scheduler = scheduler
        self._words = words
        self._random = random.Random(seed)
        self._changed = asyncio.Event()
        self._births = 0
        self._stage: Stage | None = None

    def shown_on(self, stage: Stage) -> None:
        self._stage = stage

    def _say(self, key: str, **places: object) -> None:
        assert self._stage is not None, "the stage opens before the day begins"
        self._stage.say(self._words(f"demo.{key}", **places), style="bold blue")

    # -- hearing -------------------------------------------------------------------------------------------------------

    async def listen(self) -> None:
        """Everything that the branch tells goes into the book and onto the stage."""
        assert self._stage is not None, "the stage opens before the day begins"
        async for heard in self._scheduler.messages():
            data = heard.data
            if isinstance(data, EventData) and self.book.take(data):
                self._stage.say(lines.event(data, self._words))
            if isinstance(data, Session) and heard.type == BORN.type:
                self._births += 1
                self._stage.say(lines.session(heard.envelope, data, self._words))
            self._changed.set()

    async def _until(self, wish: Callable[[], bool], quiet_s: float = QUIET_S) -> bool:
        """False when the branch told nothing for `quiet_s`: on a slow box everything comes, and takes its time."""
        end_s = time.monotonic() + WAIT_LIMIT_S
        while not wish():
            self._changed.clear()
            if time.monotonic() > end_s or not await _set_within(self._changed, quiet_s):
                return False
        return True

    async def ready(self) -> bool:
        """Whether the branch showed itself in time."""
        return await self._until(lambda: self._births > 0)

    async def _acting(self, errand: Errand, step: str) -> bool:
        def seen() -> bool:
            told = self.book.order(errand.order).told
            return any(isinstance(e, StepChanged) and e.step == step and e.to == "acting" for e in told)

        return await self._until(seen)

    async def _ended(self, *errands: Errand) -> None:
        """Until each has its end; what the plan did not mean to ask of people is asked of them all the same."""
        for errand in errands:
            await self._end_of(self.book.order(errand.order))

    async def _end_of(self, order: OrderView) -> None:
        while not order.ended:
            if not await self._until(lambda: order.ended or order.question is not None):
                return
            proven = await self._until(lambda: order.ended or order.question is None, PROOF_S)
            if not proven and not await self._settled_by_staff(order):
                return

    async def _settled_by_staff(self, order: OrderView) -> bool:
        """People look at the machine and say what they see; whichever end that leads to is right then."""
        question = order.question
        choice = None if question is None else await self._staff.look(order, question)
        if question is None or choice is None:
            return question is None  # the machine was quicker
        errand = self.errands[order.id]
        self.errands[order.id] = replace(errand, expected=tuple(dict.fromkeys((*errand.expected, *BY_PEOPLE))))
        await self._say_seen(order, question, choice, plan.TWO_PEOPLE)
        return await self._until(lambda: order.question is not question)

    # -- asking --------------------------------------------------------------------------------------------------------

    async def _submit(self, errand: Errand, deadline: datetime | None = None) -> Reply:
        self.errands[errand.order] = errand
        reply = await self._scheduler.submit(
            SCENE,
            {"take_s": errand.take_s, "language": errand.language},
            order=errand.order,
            instruction_id=errand.order,
            priority=errand.priority,
            order_deadline=deadline,
        )
        if reply.status == "rejected":
            self.refused[errand.order] = reply
        return reply

    # -- the plan ------------------------------------------------------------------------------------------------------

    async def follow_plan(self) -> None:
        """All of them, from easy to hard; each fault strikes the order that it is meant for."""
        await self._queue()
        await self._left()
        await self._silence()
        await self._kill()
        await self._cancel()
        await self._hold()
        await self._power()
        await self._paper()
        await self._by_hand()
        await self._submit(plan.LAST)
        await self._ended(plan.LAST)

    async def _queue(self) -> None:
        """Three wait behind a card in the gate: one goes first, one is asked for twice, one's deadline passes."""
        await self._house.machine("customer", next=True, policy="leave")
        await self._submit(plan.PLAIN)
        plain = self.book.order(plan.PLAIN.order)
        await self._until(lambda: plain.waiting_for == "customer" or plain.ended)
        began_s = time.monotonic()
        await self._submit(plan.REPEAT)
        late_s = max(LATE_S, LATE_TRIPS * (time.monotonic() - began_s))
        await self._submit(plan.LATE, datetime.now(UTC) + timedelta(seconds=late_s))
        await self._submit(plan.FIRST)
        self._say("event_repeat", order=plan.REPEAT.order)
        await self._submit(plan.REPEAT)
        await self._ended(plan.LATE)
        await self._house.machine("customer", take=True)
        await self._ended(plan.PLAIN, plan.FIRST, plan.REPEAT)

    async def _left(self) -> None:
        self._say("event_leave")
        await self._house.machine("customer", next=True, policy="leave")
        await self._submit(plan.LEFT)
        await self._ended(plan.LEFT)

    async def _silence(self) -> None:
        await self._submit(plan.SILENCE)
        await self._acting(plan.SILENCE, "draw")
        self._say("event_silence")
        await self._house.machine("fault", name="silence", args={"for_s": OUTAGE_S})
        await self._ended(plan.SILENCE)

    async def _kill(self) -> None:
        step = self._random.choice(("draw", "present"))
        await self._submit(plan.KILL)
        await self._acting(plan.KILL, step)
        await asyncio.sleep(MID_ACT_S)
        self._say("event_kill")
        await self._house.agent.kill()
        self._say("event_restart")
        await self._house.start_agent()
        await self._ended(plan.KILL)

    async def _cancel(self) -> None:
        await self._submit(plan.CANCEL)
        await self._acting(plan.CANCEL, "draw")
        self._say("event_cancel", order=plan.CANCEL.order)
        reply = await self._scheduler.cancel(plan.CANCEL.order)
        if reply.code in {Code.TOO_LATE, Code.TERMINAL}:  # on a slow box it may be past that already: right then, too
            self.errands[plan.CANCEL.order] = replace(plan.CANCEL, expected=("completed",))
        await self._ended(plan.CANCEL)

    async def _hold(self) -> None:
        await self._submit(plan.BESIDE)
        await self._submit(plan.HOLD)
        self._say("event_hold", order=plan.HOLD.order)
        await self._scheduler.hold(plan.HOLD.order)
        await self._ended(plan.BESIDE)
        self._say("event_release", order=plan.HOLD.order)
        await self._scheduler.release(plan.HOLD.order)
        await self._ended(plan.HOLD)

    async def _power(self) -> None:
        """The power goes before the card has left its stack; nobody but a person can know that."""
        self._say("event_power")
        await self._house.machine("fault", name="power_loss", args={"off_s": OUTAGE_S, "at_fraction": 0.2})
        await self._submit(plan.POWER)
        await self._decide(plan.POWER, Choice.NO_EFFECT, plan.TWO_PEOPLE)
        await self._ended(plan.POWER)

    async def _paper(self) -> None:
        """The paper ends in the middle of a receipt; filled up again, the printer itself proves that all came out."""
        self._say("event_paper")
        await self._house.machine("fault", of=RECEIPT, name="paper_end", args={"at_line": PAPER_LINE})
        await self._submit(plan.PAPER)
        if await self._asked(plan.PAPER):
            self._say("event_refill")
            await self._house.machine("refill", of=RECEIPT)
        await self._ended(plan.PAPER)

    async def _by_hand(self) -> None:
        """The printer loses its power in mid-receipt, and what lay in it; the receipt is written by hand."""
        self._say("event_printer_power")
        lost = {"off_s": OUTAGE_S, "at_line": PAPER_LINE}
        await self._house.machine("fault", of=RECEIPT, name="power_loss", args=lost)
        await self._submit(plan.BY_HAND)
        await self._decide(plan.BY_HAND, Choice.BY_HAND, plan.ONE_PERSON)
        await self._ended(plan.BY_HAND)

    async def _asked(self, errand: Errand) -> bool:
        order = self.book.order(errand.order)
        await self._until(lambda: order.question is not None or order.ended)
        return order.question is not None

    async def _decide(self, errand: Errand, choice: Choice, people: Sequence[str]) -> None:
        """What people saw, once they are asked."""
        order = self.book.order(errand.order)
        if await self._asked(errand) and (question := order.question):
            await self._say_seen(order, question, choice, people)
            await self._until(lambda: order.question is not question)

    async def _say_seen(self, order: OrderView, question: Question, choice: Choice, people: Sequence[str]) -> None:
        told = {"people": lines.people(people), "choice": self._words.word("choice", choice)}
        self._say("event_resolve", step=question.step, order=order.id, **told)
        await self._scheduler.resolve(order.id, question.step, question.attempt, choice, list(people))

    # -- afterwards ----------------------------------------------------------------------------------------------------

    async def go_on(self, stop: asyncio.Event) -> None:
        """Until `stop`: now and then one more order, with a customer who takes the card or leaves it."""
        number = len(self.errands)
        while not await _set_within(stop, self._random.uniform(*PAUSE_S)):
            number += 1
            takes = self._random.random() < 0.75
            after_s = self._random.uniform(0.2, 1.5)
            await self._house.machine("customer", next=True, policy="take" if takes else "leave", after_s=after_s)
            # That customer may also meet the card of somebody who submits from another terminal: both ends are right.
            errand = Errand(f"demo-{number:02}", "plan_random", ("completed", "failed"), take_s=3.0)
            await self._submit(errand)
            await self._ended(errand)

    async def settle(self) -> None:
        """Lets what has begun come to its end, bounded."""
        known = [self.book.order(name) for name in {*self.errands, *self.book.orders} - set(self.refused)]
        await self._until(lambda: all(order.ended or order.question for order in known))


async def _set_within(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True

"""A card machine and its driver without a wire: a test says beforehand how each act ends and what the line does.

Knows the driver contract, the dispenser's evidence table and the form of a ledger; no bytes, no orders.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from device_drivers.device import ActSpec, Arming, Notebook, NothingToDo, Outcome, Twin, Verdict, Whereabouts
from device_drivers.errors import DeviceFault, DeviceRefused, DeviceUnavailable, OutcomeUnknown
from tests.edge_agent.parts import ACTS, DEVICE

Json = dict[str, Any]
ACT_S = 0.5
POLL_S = 0.5
NEVER = float("inf")


POWER_LOST, BY_HAND = "power_lost", "moved_by_hand"
_WHERE = {0: Whereabouts.STOCK, 1: Whereabouts.MOUTH, 2: Whereabouts.TRANSPORT}


def _now() -> float:
    return asyncio.get_running_loop().time()


def judge(act: str, before: Json, after: Json, notes: list[str]) -> Verdict:
    """The dispenser's rows of evidence.md. `before`, `after`: {"st0": 0 | 1 | 2, "bin": n}."""
    st0, gained = after["st0"], after["bin"] - before["bin"]
    if gained == 1 and st0 == 0:
        kept = act in ("present_card", "capture_card")
        return Verdict(Outcome.DONE if kept else Outcome.FAILED, "retained", Whereabouts.BIN, {"retained": True})
    lost_track = BY_HAND in notes or (POWER_LOST in notes and act in ("draw_card", "capture_card"))
    if gained or (st0 == 0 and lost_track):
        return Verdict(Outcome.UNKNOWN, notes[0] if notes else "unexpected_readings", lane_shut=True)
    at_rest = {"draw_card": 0, "present_card": 2, "capture_card": st0, "await_taken": 1}[act]
    if st0 == at_rest and not (act == "capture_card" and st0 == 0):
        return Verdict(Outcome.NO_EFFECT, f"not_{act}", _WHERE[st0])
    if st0 == 0:
        return Verdict(Outcome.DONE, "taken", Whereabouts.CUSTOMER, {"taken": "inferred"})
    return Verdict(Outcome.DONE, act, _WHERE[st0])


@dataclass(slots=True)
class Machine:
    """Metal: what is where, and the ledger of what happened. It outlives every driver that talks to it."""

    device: str = DEVICE
    cards: int = 10_000
    customer_s: float = 2.0  # how long after the presenting the customer takes the card; NEVER
    transport: str | None = None
    mouth: str | None = None
    bin: int = 0
    bin_full: bool = False
    moving_until: float = 0.0
    ledger: list[Json] = field(default_factory=list)
    untold: list[str] = field(default_factory=list)  # what it will tell once, at the next question
    drawn_for: list[str] = field(default_factory=list)  # the order of each card, as the lane named it
    _serials: Any = field(default_factory=lambda: itertools.count(1))

    def readings(self) -> Json:
        """A question while it moves disturbs it (PHY-1)."""
        if _now() < self.moving_until:
            self.note("show", "disturbed")
        st0 = 2 if self.transport else 1 if self.mouth else 0
        return {"st0": st0, "cards": self.cards, "full": self.bin_full, "bin": self.bin}

    def note(self, kind: str, act: str, serial: str | None = None) -> None:
        line: Json = {"n": len(self.ledger) + 1, "t": _now(), "device": self.device, "kind": kind, "act": act}
        self.ledger.append(line | {"detail": {"serial": serial} if serial else {}})

    def acts(self) -> list[str]:
        return [line["act"] for line in self.ledger if line["kind"] == "act"]

    def move(self, act: str, order: str) -> None:
        """One motion frame: as dangerous as the machine, it draws whenever the transport is empty."""
        before = len(self.acts())
        self.moving_until = _now() + ACT_S - 0.01  # the answer comes as the motion ends
        {"draw_card": self._draw, "present_card": self._present, "capture_card": self._capture}[act]()
        self.drawn_for += [order] * self.acts()[before:].count("card_drawn")

    def _draw(self) -> None:
        if self.transport is None and self.cards:
            self.cards -= 1
            self.transport = f"S{next(self._serials)}"
            self.note("act", "card_drawn", self.transport)

    def _present(self) -> None:
        self._draw()
        serial, self.transport = self.transport, None
        if serial is not None:
            self.mouth = serial
            self.note("act", "card_presented", serial)
            if self.customer_s < NEVER:
                asyncio.get_running_loop().call_later(self.customer_s, self.take, serial)

    def _capture(self) -> None:
        serial = self.transport or self.mouth
        if serial is not None:
            self.transport = self.mouth = None
            self.bin += 1
            self.note("act", "card_captured", serial)

    def take(self, serial: str | None = None) -> None:
        """The customer takes the card, if it still stands there."""
        if self.mouth is not None and serial in (None, self.mouth):
            taken, self.mouth = self.mouth, None
            self.note("show", "card_taken", taken)

    def remove(self) -> None:
        """Hands clear the machine."""
        serial, self.transport, self.mouth = self.transport or self.mouth, None, None
        self.untold.append(BY_HAND)
        if serial is not None:
            self.note("show", "card_removed", serial)


async def _nothing(_act: str) -> None:
    return None


@dataclass(slots=True)
class FakeDriver:
    """Implements `device.Driver`. `plan` holds how the next acts end; an empty plan means that all goes well.

    ok | silent_done | silent_not | unsent | refused | jam | fault | retained | lost_track | cut_done | cut_not
    """

    machine: Machine
    notebook: Notebook | None = None
    plan: deque[str] = field(default_factory=deque)
    up: bool = True
    settle_s: float = 1.0
    question_s: float = 0.0  # how long the answer to a question is on its way
    calls: list[str] = field(default_factory=list)
    before_arm: Callable[[str], Awaitable[None]] = _nothing  # before it looks
    after_arm: Callable[[str], Awaitable[None]] = _nothing  # when it has looked, and nobody knows yet
    before_act: Callable[[str], Awaitable[None]] = _nothing  # when the lane hands the act over: nothing was sent yet
    during_act: Callable[[str], Awaitable[None]] = _nothing  # the frame is out
    refuses: str = ""  # what arming says no with
    recover_refuses: bool = False
    reconciles: deque[Exception | Verdict] = field(default_factory=deque)
    asked_at: list[float] = field(default_factory=list)

    @property
    def acts(self) -> Mapping[str, ActSpec]:
        return ACTS

    async def _question(self, name: str) -> None:
        self.calls.append(name)
        if not self.up:
            raise DeviceUnavailable("line_lost")
        self.asked_at.append(_now())
        await self._hear()

    async def _hear(self) -> None:
        while self.machine.untold and self.notebook is not None:
            await self.notebook.note(self.machine.untold[0], {})
            del self.machine.untold[0]  # told, and kept (PHY-5)

    async def connect(self) -> None:
        self.calls.append("connect")
        if not self.up:
            raise DeviceUnavailable("no_device")

    async def disconnect(self) -> None:
        self.calls.append("disconnect")

    async def probe(self) -> Twin:
        await self._question("probe")
        st0 = self.machine.readings()["st0"]
        return Twin("online", media="present" if st0 else "notPresent", identity={"model": "fake"})

    async def recover(self) -> None:
        await self._question("recover")
        if self.recover_refuses:
            raise DeviceRefused("card_jam")

    async def arm(self, act: str, params: Mapping[str, Any]) -> Arming:
        await self._question(f"arm {act}")
        await self.before_arm(act)
        readings = self.machine.readings()
        if self.refuses and act != "await_taken":
            raise DeviceRefused(self.refuses)
        self._check(act, readings, params)
        await asyncio.sleep(self.question_s)
        await self.after_arm(act)
        return Arming(readings)

    def _check(self, act: str, now: Json, params: Mapping[str, Any]) -> None:
        if act == "capture_card" and now["st0"] == 0:
            before = {"st0": 1, "bin": params.get("bin", now["bin"])}
            raise NothingToDo(judge(act, before, now, []))
        if act == "draw_card" and now["st0"]:
            raise DeviceRefused("card_in_transport", item=_WHERE[now["st0"]])
        if act == "draw_card" and not now["cards"]:
            raise DeviceRefused("stacker_empty", waits_for="stock")
        if act == "present_card" and now["st0"] != 2:
            if now["st0"] == 1:
                raise NothingToDo(judge(act, now, now, []))
            raise DeviceRefused("no_card")
        if act != "await_taken" and now["full"]:
            raise DeviceRefused("error_bin_full")

    async def act(self, act: str, params: Mapping[str, Any], arming: Arming) -> Verdict:
        self.calls.append(f"act {act}")
        await self.before_act(act)
        word = self.plan.popleft() if self.plan else "ok"
        if word == "unsent" or not self.up:
            self.up = self.up and word != "unsent"
            raise DeviceUnavailable("line_lost")
        if word == "refused":
            raise DeviceRefused("not_now")
        self._move(act, word, str(params["order"]))
        await self.during_act(act)
        await asyncio.sleep(ACT_S)
        return await self._tell(act, word, arming)

    def _move(self, act: str, word: str, order: str) -> None:
        jammed = word in ("jam", "fault")
        if word in ("ok", "silent_done", "cut_done", "retained") or (jammed and act == "draw_card"):
            self.machine.move(act, order)
        if word == "retained":
            self.machine.move("capture_card", order)

    async def _tell(self, act: str, word: str, arming: Arming) -> Verdict:
        if word.startswith("cut"):
            self.up = False
        if word == "lost_track":
            self.machine.untold.append(POWER_LOST)
        if word.startswith(("cut", "silent", "lost")):
            raise OutcomeUnknown("no_answer")
        if word == "fault":
            raise DeviceFault("card_jam", item=Whereabouts.TRANSPORT)
        if word == "jam":
            return Verdict(Outcome.FAILED, "card_jam", Whereabouts.TRANSPORT, {}, lane_shut=True)
        verdict = await self._judge(act, arming)
        await asyncio.sleep(self.question_s)
        return verdict

    async def _judge(self, act: str, arming: Arming) -> Verdict:
        await self._hear()
        notes = await self.notebook.notes_since(arming) if self.notebook else []
        return judge(act, dict(arming.readings), self.machine.readings(), notes)

    async def watch(
        self, act: str, params: Mapping[str, Any], arming: Arming, *, limit_s: float, fresh: bool
    ) -> Verdict:
        self.calls.append(f"watch {'fresh' if fresh else 'resumed'}")
        until = _now() + limit_s
        before = {"st0": 1, "bin": params.get("bin", arming.readings["bin"])}
        while True:
            await self._question("look")
            notes = await self.notebook.notes_since(arming) if self.notebook else []
            verdict = judge(act, before, self.machine.readings(), notes)
            if verdict.outcome is not Outcome.NO_EFFECT:
                return verdict
            if _now() >= until:
                return Verdict(Outcome.FAILED, "not_taken", Whereabouts.MOUTH)
            await asyncio.sleep(POLL_S)

    async def reconcile(self, act: str, params: Mapping[str, Any], arming: Arming) -> Verdict:
        await self._question(f"reconcile {act}")
        if self.reconciles:
            answer = self.reconciles.popleft()
            if isinstance(answer, Verdict):
                return answer
            raise answer
        verdict = await self._judge(act, arming)
        await asyncio.sleep(self.question_s)
        return verdict

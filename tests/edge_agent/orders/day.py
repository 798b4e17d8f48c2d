"""One day at a branch, event by event: orders, commands, faults, deaths, people; and what must hold after each.

The reference knows only what a customer and an auditor could know: what was asked and answered, what the machine's
ledger says, what was told. It does not know how the engine decides.
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

from edge_agent.orders.states import ENDS, UNSETTLED
from tests.edge_agent.bench import Bench
from tests.edge_agent.machine import NEVER
from tests.edge_agent.orders.paper_scenes import PRINTERS, SCENES
from tests.edge_agent.parts import DEVICE, Json, Wall, at
from tests.edge_agent.printer import Printer
from tests.virtual_time import VirtualTimeLoop

Event = tuple[Any, ...]
MAX_ORDERS = 6


class Told:
    """What anybody may conclude from the events alone."""

    def __init__(self) -> None:
        self.seq = 0
        self.orders: dict[str, str] = {}
        self.waiting_for: dict[str, str | None] = {}
        self.presented: set[str] = set()  # the presenting was armed, and not evidenced as without effect
        self.asks: dict[str, Json] = {}
        self.changes: Counter[str] = Counter()

    def hear(self, seq: int, type_: str, data: Json) -> None:
        assert seq == self.seq + 1, "a gap in what was told"
        self.seq = seq
        if type_ == "branchgate.order.changed.v1":
            self._order(data)
        elif type_ == "branchgate.step.changed.v1" and data["step"] == "present":
            self._present(data)

    def _order(self, data: Json) -> None:
        order = data["order"]
        self.changes[order] += 1
        self.orders[order] = data["to"]
        self.waiting_for[order] = data.get("waiting_for")
        self.asks.pop(order, None)
        if data["to"] == "needs_attention":
            self.asks[order] = data["facts"]

    def _present(self, data: Json) -> None:
        if data["to"] == "no_effect":
            self.presented.discard(data["order"])
        elif data["to"] != "skipped" or data["item"] == "mouth":
            self.presented.add(data["order"])

    @property
    def open(self) -> dict[str, str]:
        return {order: state for order, state in self.orders.items() if state not in ENDS}


class Day:
    """`with Day() as day: day.live(events)`; `evening` brings everything to its end."""

    def __init__(self) -> None:
        self.loop = VirtualTimeLoop()
        self.wall = Wall()
        self._folder = tempfile.TemporaryDirectory(prefix="day-")
        self._told = Told()
        self.count = 0
        self.happened = 0

    def __enter__(self) -> Self:
        self.bench = Bench(Path(self._folder.name), self.wall, printers={name: Printer(name) for name in PRINTERS})
        self.bench.scenes = self.bench.scenes | SCENES
        self.bench.wall.follow = lambda: self.loop.time() - 1000
        self.bench.fast = True
        self.do(self.bench.open())
        self.bench.driver.question_s = 0.1
        return self

    def __exit__(self, *_: object) -> None:
        self.do(self.bench.close())
        self.loop.close()
        self._folder.cleanup()

    def do(self, work: Any) -> Any:
        return self.loop.run_until_complete(work)

    def told(self, until: int | None = None) -> Told:
        """All that was told, or all up to that seq."""
        sql = "SELECT seq, type, data FROM outbox WHERE seq > ? AND seq <= ? ORDER BY seq"
        last = until if until is not None else 1_000_000
        for row in self.bench.look(lambda tx: tx.all(sql, self._told.seq, last)):
            self._told.hear(row["seq"], row["type"], json.loads(row["data"]))
        return self._told

    def live(self, events: Iterable[Event]) -> None:
        for name, *words in events:
            self.happened += 1
            getattr(self, name)(*words)
            self.look()

    # -- what is asked -------------------------------------------------------------------------------------------------

    def submit(
        self, priority: int, take_s: int, deadline_s: int | None, not_before_s: int | None, scene: str | None = None
    ) -> None:
        """One of the scenes with paper, or a card and nothing else."""
        if self.count >= MAX_ORDERS:
            return
        self.count += 1
        times = {"deadline": deadline_s, "not_before": not_before_s}
        given: Json = {name: self.moment(s) for name, s in times.items() if s is not None}
        given["parameters"] = {"take_s": take_s} if scene else {"take_s": take_s, "receipt": False}
        given["scene"] = scene or "collect_card"
        self.hand_in(f"o{self.count}", {"priority": priority, **given})

    def moment(self, seconds: float) -> str:
        """So many seconds from now, as whoever orders says it."""
        return at(self.loop.time() - 1000 + seconds)

    def hand_in(self, order: str, data: Json) -> None:
        self.do(self.bench.submit(order, **data))

    def command(self, noun: str, number: int) -> None:
        if not self.count:
            return
        order = f"o{number % self.count + 1}"
        self.told()
        reply = self.do(self.bench.ask(f"order.{noun}", subject=order))
        told = self.told(reply["after"])  # as it stood in the transaction that answered
        code = reply.get("code")
        if code is None:
            assert noun != "cancel" or order not in told.presented
        elif code == "terminal":
            assert order not in told.open
        elif code == "too_late":
            assert noun == "cancel"
            assert order in told.presented
        else:
            assert (noun, code) == ("release", "invalid")

    def resolve(self, number: int) -> None:
        for order, asks in list(self.told().asks.items()):
            choices = sorted(asks["choices"])
            device = [None, *PRINTERS][number % 3]
            self.decide(order, asks, choices[number % len(choices)], device)

    def decide(self, order: str, asks: Json, choice: str, device: str | None = None) -> None:
        """People tell the truth of what they see, and take the card out when they say that it is safe."""
        machine, act = self.bench.machine, asks["step"]
        empty = machine.transport is None and machine.mouth is None
        seen = {
            **{step: self._lies_outside(asks) for step in ("receipt", "ticket", "receipt.undo")},
            "draw": not empty,
            "present": machine.transport is None,
            "take": machine.mouth is None,
            "draw.undo": empty,
        }
        if choice in ("done", "no_effect") and "done" in asks["choices"]:
            choice = "done" if seen[act] else "no_effect"
        if choice == "failed" and asks["device"] == DEVICE:
            self.do(self._remove())
        data = {"step": act, "attempt": asks["attempt"], "choice": choice, "people": ["zhang", "li"]}
        data |= {"device": device} if device and choice == "again" else {}
        reply = self.do(self.bench.ask("order.resolve", data, subject=order))
        assert reply["status"] == "accepted", reply

    def _lies_outside(self, asks: Json) -> bool:
        """Whether the sheet of that attempt, or the slip that voids its order's, lies before those who look."""
        printers = self.bench.printers.values()
        if asks["step"] == "receipt.undo":
            return any(name.split("/")[0] == asks["attempt"].split("/")[0] for p in printers for name in p.voided())
        return any(name == asks["attempt"] for p in printers for name, _ in p.sheets())

    # -- what happens --------------------------------------------------------------------------------------------------

    def plan(self, *words: str) -> None:
        """How the next acts will end."""
        self.bench.driver.plan.extend(words)

    def press(self, printer: str, *words: str) -> None:
        """How the next sheets of a printer will end."""
        self.bench.presses[printer].plan.extend(words)

    def paper(self, printer: str, what: str, well: bool) -> None:
        """What is wrong with a printer, or well again."""
        press = self.bench.presses[printer]
        if what == "line":
            press.up = well
        elif what == "cover":
            press.refuses = "" if well else "card_jam"
        else:
            press.machine.never = not well

    def time(self, seconds: float) -> None:
        self.do(self.bench.while_s(seconds))

    def fault(self, what: str, well: bool) -> None:
        machine, driver = self.bench.machine, self.bench.driver
        if what == "line":
            driver.up = well
        elif what == "shutter":
            driver.refuses = "" if well else "shutter_open"
        elif what == "clock":
            self.bench.wall.known = well
        elif what == "bin":
            machine.bin_full = not well
        else:
            machine.cards = 10_000 if well else 0

    def customers(self, seconds: float | None) -> None:
        """How long the next ones will let their card stand; None: for ever."""
        self.bench.machine.customer_s = NEVER if seconds is None else seconds

    def take(self) -> None:
        self.do(self._take())

    async def _remove(self) -> None:
        self.bench.machine.remove()

    async def _take(self) -> None:
        self.bench.machine.take()

    def hands(self, emptied: bool) -> None:
        """Somebody opens the machine, takes out what is in it, and perhaps sets the counter of its bin back.

        Not between the last look before an act and the first after it: what hands undo there no software can see.
        """
        begun = "SELECT 1 FROM attempts WHERE state IN ('armed', 'acting', 'in_doubt')"
        if not self.bench.only_lane._idle.is_set() or self.bench.one(begun) is not None:
            return
        self.do(self._remove())
        if emptied:
            self.bench.machine.bin = 0

    def restart(self) -> None:
        self.do(self.bench.restart())

    def full(self, commits: int) -> None:
        """The disk takes no more for so many commits."""
        disk = self.bench.disk
        until = disk.commits + commits

        def fill() -> None:
            disk.full = disk.commits <= until

        disk.hook = fill
        self.time(2)
        disk.hook, disk.full = (lambda: None), False

    # -- what must hold ------------------------------------------------------------------------------------------------

    def look(self) -> None:
        told = self.told()
        self._rows_and_events_agree(told)
        self._what_is_unsettled_stands_in_the_ring()
        self._the_machine_is_one_orders_at_most(told)
        self._a_printer_is_one_orders_at_most(told)
        # Each thing that happens changes an order a few times, and then it is silent.
        assert all(count <= 16 + 6 * self.happened for count in told.changes.values()), told.changes

    def _rows_and_events_agree(self, told: Told) -> None:
        rows = self.bench.look(lambda tx: tx.all("SELECT id, state FROM orders"))
        assert {row["id"]: row["state"] for row in rows} == told.orders
        for order, state in told.orders.items():
            says = told.waiting_for[order] is not None
            assert says == (state in ("waiting", "needs_attention")), (order, state, told.waiting_for[order])

    def _what_is_unsettled_stands_in_the_ring(self) -> None:
        rows = self.bench.look(lambda tx: tx.all("SELECT id, state FROM attempts"))
        unsettled = [row["id"] for row in rows if row["state"] in UNSETTLED]
        assert set(unsettled) == set(self.bench.journal.ring.entries)
        assert all(count == 1 for count in Counter(attempt.split("/")[0] for attempt in unsettled).values())

    def _the_machine_is_one_orders_at_most(self, told: Told) -> None:
        machine, lane = self.bench.machine, self.bench.lane()
        assert lane.holder is None or lane.holder in told.open
        assert not lane.shut or told.open[lane.holder or ""] == "needs_attention"
        drawn = [line["detail"]["serial"] for line in machine.ledger if line["act"] == "card_drawn"]
        owner = dict(zip(drawn, machine.drawn_for, strict=True)).get(machine.transport or machine.mouth or "")
        assert owner not in told.open or lane.holder == owner
        assert self.bench.only_lane.faults == 0

    def _a_printer_is_one_orders_at_most(self, told: Told) -> None:
        for printer in PRINTERS:
            lane = self.bench.lane(printer)
            assert lane.holder is None or lane.holder in told.open
            assert not lane.shut or told.open[lane.holder or ""] == "needs_attention"
            assert self.bench.lanes[printer].faults == 0

    # -- the end of the day --------------------------------------------------------------------------------------------

    def evening(self) -> None:
        """Everything works again and people answer: each order must come to its end, and the checker must agree."""
        for round_ in range(12 + 6 * self.count):
            self.happened += 1
            self.bench.driver.plan.clear()
            for printer in PRINTERS:
                self.bench.presses[printer].plan.clear()
                for what in ("line", "cover", "text"):
                    self.paper(printer, what, well=True)
            for what in ("line", "shutter", "clock", "bin", "stacker"):
                self.fault(what, well=True)
            told = self.told()
            if not told.open:
                break
            for order in told.open:
                self.do(self.bench.ask("order.release", subject=order))
                if round_ > 8 + 2 * self.count:  # its card was taken out by hand: it waits for ever, and says so
                    self.do(self.bench.ask("order.cancel", subject=order))
            for order, asks in list(told.asks.items()):
                wanted = ("failed", *(["again"] if round_ < 2 else []), "by_hand")
                choice = next(choice for choice in wanted if choice in asks["choices"])
                self.decide(order, asks, choice, PRINTERS[round_ % 2])
            self.time(45)
        assert not self.told().open
        self.look()
        assert [self.bench.lane(device).holder for device in (DEVICE, *PRINTERS)] == [None] * 3
        assert not self.bench.journal.ring.entries
        self.bench.verdict()

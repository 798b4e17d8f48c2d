"""A short way to write down what a branch told and what its machine did, for tests of the checker.

Knows the form of events and ledger lines; must not know what is right or wrong in them.
"""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


class Story:
    """Collects events (in order, gap-free) and ledger lines of one journal and one device."""

    def __init__(self, *, journal: str = "j1", device: str = "card-1") -> None:
        self.journal, self.device = journal, device
        self.events: list[Json] = []
        self.ledger: list[Json] = []
        self._step_state: dict[tuple[str, str], str] = {}
        self._order_state: dict[str, str] = {}
        self._serials = iter(f"S{n}" for n in range(1, 1000))

    def tell(self, noun: str, **data: Any) -> Json:
        seq = len(self.events) + 1
        event: Json = {
            "id": f"{self.journal}-{seq}",
            "type": f"branchgate.{noun}.v1",
            "data": {"journal": self.journal, "seq": seq},
        }
        event["data"] |= data
        self.events.append(event)
        return event

    def order(self, order: str, *states: str, **data: Any) -> Story:
        for to in states:
            extra = {"waiting_for": "customer"} if to == "waiting" else {}
            self.tell(
                "order.changed",
                **{"order": order, "scene": "collect_card", "to": to} | extra | data | self._from(order),
            )
            self._order_state[order] = to
        return self

    def _from(self, order: str) -> Json:
        was = self._order_state.get(order)
        return {} if was is None else {"from": was}

    def step(self, order: str, step: str, act: str, *states: str, k: int = 1, **data: Any) -> None:
        for to in states:
            was = self._step_state.get((order, step), "pending")
            attempt = {} if to in {"skipped", "compensated"} else {"attempt": f"{order}/{step}/{k}"}
            words = {"order": order, "step": step, "act": act, "device": self.device, "from": was, "to": to}
            self.tell("step.changed", **words | attempt | data)
            self._step_state[order, step] = to

    def sheet(self, *names: str, reprint: int = 0, void: bool = False, text: tuple[str, ...] = (), **more: Any) -> None:
        """A sheet as it lies there, and its line in the ledger."""
        lines = ["作废 VOID"] * void + [f"重印 REPRINT {reprint}"] * bool(reprint)
        lines += [*text, *(f"No. {name}" for name in names)]
        number = 1 + sum(line["act"] == "sheet_out" for line in self.ledger)
        words = {
            "sheet": number,
            "attempts": list(names),
            "reprint": reprint,
            "void": void,
            "lines": lines,
            "cut": True,
        }
        self.line("act", "sheet_out", **words | more)

    def line(self, kind: str, act: str, **detail: Any) -> None:
        words = {"n": len(self.ledger) + 1, "t": 0.5 * len(self.ledger), "device": self.device}
        self.ledger.append(words | {"kind": kind, "act": act, "detail": detail})

    def act(self, act: str, serial: str) -> None:
        self.line("act", act, serial=serial)

    # -- whole scenes -----------------------------------------------------------------------------------------------

    def draw(self, order: str, serial: str, *states: str, acts: int = 1, **data: Any) -> None:
        self.step(order, "draw", "draw_card", *(states or ("armed", "acting", "done")), **data)
        for _ in range(acts):
            self.act("card_drawn", serial)

    def present(self, order: str, serial: str, *states: str, acts: int = 1, **data: Any) -> None:
        self.step(order, "present", "present_card", *(states or ("armed", "acting", "done")), **data)
        for _ in range(acts):
            self.act("card_presented", serial)

    def capture(self, order: str, serial: str, *states: str, acts: int = 1, **data: Any) -> None:
        self.step(order, "draw.undo", "capture_card", *(states or ("armed", "acting", "done")), **data)
        for _ in range(acts):
            self.act("card_captured", serial)

    def handed_over(self, order: str, serial: str) -> None:
        """Accepted, drawn, presented, taken, completed."""
        self.order(order, "accepted", "running")
        self.draw(order, serial)
        self.present(order, serial)
        self.taken(order, serial)

    def taken(self, order: str, serial: str) -> None:
        self.step(order, "take", "await_taken", "armed", "acting", "waiting")
        self.order(order, "waiting")
        self.line("show", "card_taken", serial=serial)
        self.step(order, "take", "await_taken", "done", item="customer", facts={"taken": "witnessed"})
        self.order(order, "running", "completed")

    def taken_back(self, order: str, serial: str) -> None:
        """Accepted, drawn, presented, left standing, captured, failed."""
        self.order(order, "accepted", "running")
        self.draw(order, serial)
        self.present(order, serial)
        self.step(order, "take", "await_taken", "armed", "acting", "waiting", "failed", item="mouth")
        self.capture(order, serial, item="bin")
        self.order(order, "failed", reason="not_taken")

    def printed(self, order: str, *states: str, k: int = 1, sheets: int = 1, reprint: int = 0, **data: Any) -> None:
        """An attempt of the step `receipt`, told `states`, and its sheets."""
        proof = {"facts": {"evidence": "printed", "reprint": reprint}}
        states = states or ("armed", "acting", "done")
        self.step(order, "receipt", "print_receipt", *states, k=k, **proof | data)
        for _ in range(sheets):
            self.sheet(f"{order}/receipt/{k}", reprint=reprint, text=(f"Receipt of {order}",))

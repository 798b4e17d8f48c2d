"""A receipt printer and its driver without a wire: what lies before the customer, and what the printer says of it.

Knows the driver contract, the evidence table's row of printers and the form of a ledger (SIM-1); no bytes, no orders.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from device_drivers.device import ActKind, ActSpec, Arming, Notebook, Outcome, Twin, Verdict, Whereabouts
from device_drivers.errors import DeviceFault, DeviceRefused, DeviceUnavailable, OutcomeUnknown

Json = dict[str, Any]
ROLE = "receipt-printer"
PRINT_S = 0.5
SOON_S = 12.0  # after so long a printer that was refilled goes on by itself, and tells it
PAPER = {
    spec.name: spec
    for spec in (
        ActSpec("print_receipt", ActKind.POSITIONAL, "Prints a receipt.", PRINT_S),
        ActSpec("print_ticket", ActKind.IDEMPOTENT, "Prints a ticket.", PRINT_S),
        ActSpec("void_receipt", ActKind.IDEMPOTENT, "Prints a slip that voids one.", PRINT_S),
    )
}


def _now() -> float:
    return asyncio.get_running_loop().time()


@dataclass(slots=True)
class Printer:
    """Metal: the sheets that lie outside, and what it will tell once. It outlives every driver."""

    device: str
    ledger: list[Json] = field(default_factory=list)
    proofs: dict[str, tuple[float, str]] = field(default_factory=dict)  # attempt -> (from when it is told, as what)
    never: bool = False  # a text that it cannot print

    def sheet(self, attempt: str, reprint: int, voids: list[str]) -> None:
        names = voids or [attempt]
        detail = {"sheet": len(self.ledger) + 1, "attempts": names, "reprint": reprint, "void": bool(voids)}
        line: Json = {"n": len(self.ledger) + 1, "t": _now(), "device": self.device, "kind": "act", "act": "sheet_out"}
        self.ledger.append(line | {"detail": detail})

    def sheets(self) -> list[tuple[str, int]]:
        """Each sheet that counts: its attempt, and the number of its mark."""
        details = [line["detail"] for line in self.ledger]
        return [(detail["attempts"][0], detail["reprint"]) for detail in details if not detail["void"]]

    def voided(self) -> list[str]:
        return [name for line in self.ledger if line["detail"]["void"] for name in line["detail"]["attempts"]]


async def _nothing(_act: str) -> None:
    return None


# How an act may end: is a sheet outside, and when does the printer tell it (None: never).
ENDS: dict[str, tuple[bool, float | None]] = {
    "ok": (True, 0.0),
    "late": (True, 0.0),
    "soon": (True, SOON_S),
    "mute": (True, None),
    "nothing": (False, None),
    "cut_soon": (True, SOON_S),
    "cut_nothing": (False, None),
    "torn": (False, None),
    "jam": (True, None),
}


@dataclass(slots=True)
class FakePrinter:
    """Implements `device.Driver`. `plan` holds how the next acts end: a word of ENDS, or unsent, refused, no_effect."""

    machine: Printer
    notebook: Notebook
    plan: deque[str] = field(default_factory=deque)
    up: bool = True
    refuses: str = ""
    settle_s: float = 1.0
    question_s: float = 0.0
    calls: list[str] = field(default_factory=list)
    params: list[Json] = field(default_factory=list)
    before_act: Callable[[str], Awaitable[None]] = _nothing

    @property
    def acts(self) -> Mapping[str, ActSpec]:
        return PAPER

    async def connect(self) -> None:
        if not self.up:
            raise DeviceUnavailable("no_device")

    async def disconnect(self) -> None:
        return None

    async def probe(self) -> Twin:
        """Listens, too: what is told late of an act is handed on, and told no more."""
        self._ask("probe")
        for attempt, (when, how) in list(self.machine.proofs.items()):
            if _now() >= when:
                await self.notebook.proved(attempt, _proof(how))
                del self.machine.proofs[attempt]
        return Twin("online")

    def _ask(self, name: str) -> None:
        self.calls.append(name)
        if not self.up:
            raise DeviceUnavailable("line_lost")

    async def recover(self) -> None:
        self._ask("recover")

    async def arm(self, act: str, params: Mapping[str, Any]) -> Arming:
        self._ask(f"arm {act}")
        if self.machine.never:
            raise DeviceRefused("unsupported_data", facts={"where": "text"}, waits_for="never")
        if self.refuses:
            raise DeviceRefused(self.refuses)
        return Arming({"reprint": params["reprint"]}, memory={"open_job": params["attempt"]})

    async def act(self, act: str, params: Mapping[str, Any], arming: Arming) -> Verdict:
        self.calls.append(f"act {act}")
        self.params.append(dict(params))
        await self.before_act(act)
        word = self.plan.popleft() if self.plan else "ok"
        if word == "unsent" or not self.up:
            self.up = self.up and word != "unsent"
            raise DeviceUnavailable("line_lost")
        if word == "refused":
            raise DeviceRefused("not_now")
        printed, told_s = ENDS[word]
        attempt = str(params["attempt"])
        if printed:
            self.machine.sheet(attempt, params["reprint"], params.get("undoes", []))
        if told_s is not None and word != "ok":
            self.machine.proofs[attempt] = (_now() + told_s, "printed")
        await asyncio.sleep(PRINT_S)
        return self._tell(word, params["reprint"])

    def _tell(self, word: str, reprint: int) -> Verdict:
        if word.startswith("cut"):
            self.up = False
        if word == "jam":
            raise DeviceFault("card_jam")
        if word == "torn":
            return Verdict(Outcome.FAILED, "card_jam", memory={"open_job": None})
        if word != "ok":
            raise OutcomeUnknown("no_answer")
        return _proof("printed", reprint)

    async def watch(
        self, act: str, params: Mapping[str, Any], arming: Arming, *, limit_s: float, fresh: bool
    ) -> Verdict:
        raise AssertionError(f"a printer watches nothing: {act}")

    async def reconcile(self, act: str, params: Mapping[str, Any], arming: Arming) -> Verdict:
        self._ask(f"reconcile {act}")
        self.params.append(dict(params))
        when, how = self.machine.proofs.get(params["attempt"], (float("inf"), ""))
        if _now() >= when:
            del self.machine.proofs[params["attempt"]]
            return _proof(how, params["reprint"])
        if PAPER[act].kind is ActKind.IDEMPOTENT:
            return Verdict(Outcome.FAILED, "unproven")
        return Verdict(Outcome.UNKNOWN, "unproven", lane_shut=True)


def _proof(how: str, reprint: int | None = None) -> Verdict:
    facts: Json = {"evidence": how} | ({"reprint": reprint} if reprint is not None else {})
    return Verdict(Outcome.DONE, "printed", Whereabouts.CUSTOMER, facts, memory={"open_job": None})

"""A CRT-591 line on the bench: bytes as hexadecimal text in, what leaves and what happens out, on a clock of its own.

Knows how to drive a sans-io machine by hand; no loop, no file, no waiting.
"""

from __future__ import annotations

from typing import Any

from simulators.crt591 import Crt591Line, parse_options
from simulators.machine import Action, Effect, Send
from simulators.plan import Plan

STATUS = "F2 00 00 03 43 31 30 03 B0"
RESET_KEEP = "F2 00 00 03 43 30 37 03 B6"
DRAW = "F2 00 00 03 43 32 31 03 B2"
PRESENT = "F2 00 00 03 43 32 39 03 BA"
CAPTURE = "F2 00 00 03 43 32 33 03 B0"
COUNTER = "F2 00 00 03 43 A5 30 03 24"
ACK, NAK, EOT = "06", "15", "04"


class Bench:
    """`sent` and `effects` collect what left and what happened, each with its time."""

    def __init__(self, plan: Plan | None = None, *, units: dict[int, str] | None = None, **options: Any) -> None:
        parsed = parse_options({"customer": {"policy": "leave"}, **options})
        names = {0: "card-1"} if units is None else units
        self.line = Crt591Line({unit: (name, parsed) for unit, name in names.items()}, plan)
        self.now = 100.0
        self.actions: list[tuple[float, Action]] = []

    def send(self, text: str) -> None:
        self.line.receive(bytes.fromhex(text), self.now)
        self._take(self.line.advance(self.now))

    def run(self, for_s: float) -> None:
        """Let time pass, waking the machine exactly when it asks for it."""
        end_s = self.now + for_s
        while (due_s := self.line.next_time()) is not None and due_s <= end_s:
            self.now = max(self.now, due_s)
            self._take(self.line.advance(self.now))
        self.now = end_s

    def ask(self, text: str, for_s: float = 2.0) -> str:
        """What the line says within `for_s` after these bytes, ACK included."""
        before = len(self.actions)
        self.send(text)
        self.run(for_s)
        return spaced(b"".join(action.data for _, action in self.actions[before:] if isinstance(action, Send)))

    def control(self, **request: Any) -> dict[str, Any]:
        answer = self.line.control(request, self.now)
        self._take(self.line.advance(self.now))
        return answer

    def ready(self) -> Bench:
        """Reset without moving a card, counter working; the bench forgets what it saw so far."""
        self.ask(RESET_KEEP)
        self.actions.clear()
        return self

    def _take(self, actions: list[Action]) -> None:
        self.actions += [(self.now, action) for action in actions]

    @property
    def sent(self) -> bytes:
        return b"".join(action.data for _, action in self.actions if isinstance(action, Send))

    @property
    def effects(self) -> list[Effect]:
        return [action for _, action in self.actions if isinstance(action, Effect)]

    @property
    def acts(self) -> list[tuple[str, str]]:
        """What the ledger counts: act and serial number."""
        return [(effect.act, effect.detail["serial"]) for effect in self.effects if effect.kind == "act"]

    @property
    def shows(self) -> list[str]:
        return [effect.act for effect in self.effects if effect.kind == "show"]


def spaced(data: bytes) -> str:
    return data.hex(" ").upper()


def frame(body: str, unit: int = 0) -> str:
    """A command frame around CM, PM and data, made by the rule of the manual."""
    return reply("43" + body, unit)


def reply(body: str, unit: int = 0) -> str:
    """A frame around everything from the type byte to the end of the data."""
    inner = bytes.fromhex(body)
    head = bytes((0xF2, unit)) + len(inner).to_bytes(2, "big") + inner + b"\x03"
    check = 0
    for byte in head:
        check ^= byte
    return spaced(head + bytes((check,)))

"""Any simulated line on the bench: bytes as hexadecimal text in, what leaves and what happens out, on its own clock.

Knows how to drive a sans-io machine by hand; no loop, no file, no waiting.
"""

from __future__ import annotations

from typing import Any

from simulators.machine import Action, Effect, Send


class LineBench:
    """A line, its clock, and what left it: bytes with their time, effects, and whatever else it asked for."""

    def __init__(self, line: Any) -> None:
        self.line = line
        self.now = 100.0
        self.sent: list[tuple[float, bytes]] = []
        self.effects: list[Effect] = []
        self.actions: list[Action] = []

    def send(self, text: str, for_s: float = 0.05) -> str:
        """What comes back within `for_s`."""
        self.sent.clear()
        self.line.receive(bytes.fromhex(text), self.now)
        self.run(for_s)
        return b"".join(data for _, data in self.sent).hex(" ").upper()

    def run(self, for_s: float) -> None:
        """Let time pass, waking the machine exactly when it asks for it."""
        end_s = self.now + for_s
        self._take()
        while (due_s := self.line.next_time()) is not None and due_s <= end_s:
            self.now = max(self.now, due_s)
            self._take()
        self.now = end_s

    def control(self, do: str, **more: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self.line.control({"do": do, **more}, self.now)
        self._take()
        return answer

    def fault(self, name: str, device: str | None = None, **args: Any) -> None:
        of = {"device": device} if device else {}
        self.control("fault", name=name, args=args, **of)

    def _take(self) -> None:
        for action in self.line.advance(self.now):
            if isinstance(action, Send):
                self.sent.append((self.now, action.data))
            elif isinstance(action, Effect):
                self.effects.append(action)
            else:
                self.actions.append(action)

"""Plays the device's side of a recording: the same bytes are answered as they were, and what differs is told.

Knows bytes and turns, no frame: a driver that asks otherwise than the recorded one did is answered by the same question
somewhere else in the recording, if it was ever asked, and told where it left the tape.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

from simulators.machine import Action, Agenda, ControlError, Effect, Send
from simulators.replay.tape import Turn

GAP_S = 0.25  # so long nothing came: what was heard is the whole question
LONGEST = 64 * 1024


def _aloud(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


class Player:
    """See `simulators.machine.Machine`. `tell` hears each place where the driver leaves the recording."""

    def __init__(self, device: str, turns: list[Turn], tell: Callable[[str], None] = _aloud) -> None:
        self._device, self._turns, self._tell = device, turns, tell
        self._agenda, self._out = Agenda(), list[Action]()
        self._at = 0  # the next turn of the tape
        self._heard = bytearray()
        self._heard_at_s = 0.0
        self._began = False
        self.same = self.elsewhere = self.unknown = 0

    def receive(self, data: bytes, now: float) -> None:
        self._begin(now)
        self._agenda.run(now)
        self._heard += data[: LONGEST - len(self._heard)]
        self._heard_at_s = now
        self._look(now)
        if self._heard:
            self._agenda.at(now + GAP_S, self._silence)

    def next_time(self) -> float | None:
        return self._agenda.next_time()

    def advance(self, now: float) -> list[Action]:
        self._begin(now)
        self._agenda.run(now)
        done, self._out = self._out, []
        return done

    def snapshot(self) -> dict[str, Any]:
        return {"at": self._at, "same": self.same, "elsewhere": self.elsewhere, "unknown": self.unknown}

    def restore(self, saved: Mapping[str, Any], now: float) -> None:
        self._at, self.same = int(saved["at"]), int(saved["same"])
        self.elsewhere, self.unknown = int(saved["elsewhere"]), int(saved["unknown"])
        self._began = True

    def control(self, request: Mapping[str, Any], now: float) -> dict[str, Any]:
        if request.get("do") != "state":
            raise ControlError("a recording can only be asked: 'do' must be state")
        return {"turns": len(self._turns), **self.snapshot()}

    # -- inside --------------------------------------------------------------------------------------------------------

    def _begin(self, now: float) -> None:
        """What the device said before anybody asked."""
        if not self._began:
            self._began = True
            if self._turns and not self._turns[0].asked:
                self._answer(self._turns[0], now)
                self._at = 1

    def _look(self, now: float) -> None:
        """Answers whatever is whole: the tape's next question, else the longest that was ever asked."""
        while self._heard:
            found = self._find()
            if found is None:
                return
            turn = self._turns[found]
            del self._heard[: len(turn.asked)]
            if found == self._at:
                self.same += 1
            else:
                self.elsewhere += 1
                self._differs(
                    now, "replay_elsewhere", f"turn {found + 1} instead of {self._at + 1}: {_hex(turn.asked)}"
                )
            self._at = found + 1
            self._answer(turn, now)

    def _find(self) -> int | None:
        heard, expected = bytes(self._heard), self._turns[self._at].asked if self._at < len(self._turns) else b""
        if expected and heard.startswith(expected):
            return self._at
        if expected.startswith(heard):  # more may come
            return None
        places = [n for n, turn in enumerate(self._turns) if turn.asked and heard.startswith(turn.asked)]
        ahead = [n for n in places if n >= self._at]
        return ahead[0] if ahead else places[-1] if places else None

    def _silence(self, now: float) -> None:
        if not self._heard or now < self._heard_at_s + GAP_S:
            return
        heard = bytes(self._heard)
        self._heard.clear()
        self.unknown += 1
        due = self._turns[self._at].asked if self._at < len(self._turns) else b""
        self._differs(now, "replay_unknown", f"never asked in the recording: {_hex(heard)}; next there is {_hex(due)}")

    def _answer(self, turn: Turn, now: float) -> None:
        for piece in turn.answers:
            self._agenda.at(now + piece.after_s, lambda _, data=piece.data: self._out.append(Send(data)))  # type: ignore[misc]

    def _differs(self, now: float, act: str, what: str) -> None:
        self._tell(f"{act}: {what}")
        self._out.append(Effect(now, self._device, "show", act, {"what": what}))


def _hex(data: bytes) -> str:
    return data[:64].hex(" ").upper() + (" …" if len(data) > 64 else "") or "the end"

"""What a unit puts on the line, and when: control bytes, answers with the wire's faults in them, floods.

Knows bytes, times and armed wire faults; it never decides whether anything moves.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from simulators.faults import Armed
from simulators.machine import Action, Agenda, Plug, Send, Unplug

FLOOD_TICK_S = 0.02


class Transmitter:
    """`cut` makes everything that has not left yet never leave."""

    def __init__(self, agenda: Agenda, armed: Armed, emit: Callable[[Action], None]) -> None:
        self._agenda, self._armed, self._emit = agenda, armed, emit
        self._power_cycle = object()

    def send(self, data: bytes, when_s: float) -> None:
        """Bytes at a time, unless the power goes before."""
        cycle = self._power_cycle

        def unless_power_went(_: float) -> None:
            if self._power_cycle is cycle:
                self._emit(Send(data))

        self._agenda.at(when_s, unless_power_went)

    def answer(self, frame: bytes, now: float) -> None:
        """An answer frame, as the armed faults let it out."""
        if self._armed.lasting("silence", now):
            return
        late = self._armed.take("late_answer", now)
        delay_s = float(late.args["delay_s"]) if late else 0.0
        self.send(spoil(frame, self._armed, now), now + delay_s)

    def flood(self, for_s: float, bytes_per_s: int, now: float) -> None:
        """Garbage without end for a while, as a broken transmitter sends it."""
        noise = random.Random(bytes_per_s)
        per_tick = max(1, int(bytes_per_s * FLOOD_TICK_S))

        def tick(at_s: float) -> None:
            self.send(noise.randbytes(per_tick), at_s)
            if at_s + FLOOD_TICK_S < now + for_s:
                self._agenda.at(at_s + FLOOD_TICK_S, tick)

        self._agenda.at(now, tick)

    def unplug(self, for_s: float | None) -> None:
        """The line is pulled; the unit goes on."""
        self._emit(Unplug(for_s))

    def plug(self) -> None:
        """The line is put back."""
        self._emit(Plug())

    def cut(self) -> None:
        """No power."""
        self._power_cycle = object()


def spoil(frame: bytes, armed: Armed, now: float) -> bytes:
    """What the wire makes of an answer: a wrong check byte, half of it, garbage around or inside it."""
    if armed.take("wrong_bcc", now):
        frame = frame[:-1] + bytes((frame[-1] ^ 0x5A,))
    if armed.take("half_frame", now):
        frame = frame[: len(frame) // 2]
    garbage = armed.take("garbage", now)
    if garbage is None:
        return frame
    noise: bytes = garbage.args["hex"]
    cut = {"before": 0, "inside": len(frame) // 2}.get(garbage.args["where"], len(frame))
    return frame[:cut] + noise + frame[cut:]

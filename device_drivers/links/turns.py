"""Who has a shared line next: acts before questions before polls, within each by arrival, and nobody waits for ever.

Knows only urgency, order of arrival and how often somebody was overtaken; must not know what is done in a turn.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import IntEnum

OVERTAKEN_MAX = 4  # turns in a row that may pass by whoever waits longest; then that one is next, whatever it wants


class Urgency(IntEnum):
    """What an exchange is for; the smaller is served first."""

    ACT = 0  # something moves, opens, stamps or shows
    ASK = 1  # somebody waits for the answer
    POLL = 2  # nobody waits; it comes again by itself


@dataclass(slots=True, eq=False)
class _Waiter:
    urgency: Urgency
    turn: asyncio.Future[None]


class Turns:
    """A lock whose next owner is chosen by urgency. `overtaken` and `owed` count what that did to others."""

    def __init__(self) -> None:
        self._taken = False
        self._waiting: list[_Waiter] = []  # by arrival
        self._in_a_row = 0
        self.overtaken = 0  # turns that passed by somebody who had waited longer
        self.owed = 0  # turns given to whoever waited longest, before somebody more urgent

    @property
    def waiting(self) -> int:
        """How many wait."""
        return sum(not waiter.turn.done() for waiter in self._waiting)

    @asynccontextmanager
    async def turn(self, urgency: Urgency) -> AsyncIterator[None]:
        """Alone until the block ends."""
        await self.take(urgency)
        try:
            yield
        finally:
            self.pass_on()

    async def take(self, urgency: Urgency) -> None:
        """Returns when it is the caller's turn, who then owes a `pass_on`."""
        if not self._taken:
            self._taken = True
            return
        waiter = _Waiter(urgency, asyncio.get_running_loop().create_future())
        self._waiting.append(waiter)
        try:
            await waiter.turn
        except asyncio.CancelledError:
            if not waiter.turn.cancelled():  # it was given the turn just before it was cancelled
                self.pass_on()
            raise

    def pass_on(self) -> None:
        """Ends the turn: whoever is next has it."""
        self._waiting = [waiter for waiter in self._waiting if not waiter.turn.done()]  # some were cancelled
        if not self._waiting:
            self._taken, self._in_a_row = False, 0
            return
        chosen = self._choose()
        self._waiting.remove(chosen)
        chosen.turn.set_result(None)

    def _choose(self) -> _Waiter:
        oldest, urgent = self._waiting[0], min(self._waiting, key=lambda waiter: waiter.urgency)
        if urgent is oldest:
            self._in_a_row = 0
        elif self._in_a_row == OVERTAKEN_MAX:
            self._in_a_row = 0
            self.owed += 1
            return oldest
        else:
            self._in_a_row += 1
            self.overtaken += 1
        return urgent

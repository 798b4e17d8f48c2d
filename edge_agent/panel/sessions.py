"""Who is signed in at the panel: sessions in memory, bounded, ended by rest, by age, and by any change of the person.

Knows tokens and the steady clock; must not know HTTP. A restart of the agent ends them all. Whoever was let in for
longer than one answer listens here: it is told when anybody's access may have ended.
"""

from __future__ import annotations

import contextlib
import hmac
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass

IDLE_S = 15 * 60.0
LONGEST_S = 10 * 3600.0  # a working day
MOST, MOST_OF_ONE = 64, 4  # a branch has a handful of screens


@dataclass(slots=True)
class Session:
    """One sign-in. `csrf` must come in a header with whatever changes something."""

    person: str  # /people/{id}
    csrf: str
    begun_s: float
    used_s: float

    def is_meant(self, csrf: str) -> bool:
        """Whether a page of ours asks, and not another page in the same browser."""
        return hmac.compare_digest(csrf.encode("utf-8", "replace"), self.csrf.encode())


class Sessions:
    """`steady` tells seconds that no clock change bends."""

    def __init__(self, steady: Callable[[], float]) -> None:
        self._steady = steady
        self._open: dict[str, Session] = {}
        self._listeners: list[Callable[[], None]] = []

    def __len__(self) -> int:
        return len(self._open)

    def begin(self, person: str) -> tuple[str, Session]:
        """Its token, for the cookie alone, and the session; the oldest makes room."""
        self._sweep()
        own = [token for token, session in self._open.items() if session.person == person]
        for token in own[: max(0, len(own) - MOST_OF_ONE + 1)]:
            self.end(token)
        while len(self._open) >= MOST:
            self.end(next(iter(self._open)))
        now = self._steady()
        token = secrets.token_urlsafe(32)
        self._open[token] = Session(person, secrets.token_urlsafe(24), now, now)
        return token, self._open[token]

    def find(self, token: str) -> Session | None:
        """The session, used now; None when it ended."""
        self._sweep()
        session = self._open.get(token)
        if session is not None:
            session.used_s = self._steady()
        return session

    def stands(self, token: str) -> bool:
        """Whether it has not ended; this is no use of it, which would keep it open."""
        self._sweep()
        return token in self._open

    def end(self, token: str) -> None:
        self._open.pop(token, None)
        self._tell()

    def end_all_of(self, who: str) -> None:
        """Their role, password or access changed; an application has no session, and is told of all the same."""
        self._open = {token: one for token, one in self._open.items() if one.person != who}
        self._tell()

    @contextlib.contextmanager
    def listening(self, listener: Callable[[], None]) -> Iterator[None]:
        """`listener` is called whenever somebody's access may have ended."""
        self._listeners.append(listener)
        try:
            yield
        finally:
            self._listeners.remove(listener)

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()

    def _sweep(self) -> None:
        now = self._steady()
        self._open = {
            token: one
            for token, one in self._open.items()
            if now - one.used_s < IDLE_S and now - one.begun_s < LONGEST_S
        }

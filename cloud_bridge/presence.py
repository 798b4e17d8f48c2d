"""Notices, on the branch's own session topic, that another agent speaks for the branch.

Knows births and heartbeats as the contract's messages; must not know connections. Not every broker tells that a session
was taken over (mosquitto 2.0.11 just closes the socket), and a second agent may come with another client id.
"""

from __future__ import annotations

from cloud_bridge.envelope import BadMessage, read_envelope
from cloud_bridge.messages.catalogue import BEAT, BORN

Identity = tuple[str, int]  # journal, session


class Presence:
    """Feed it what we say (`said`) and what is heard on our topic (`is_stranger`)."""

    def __init__(self) -> None:
        self._own: Identity | None = None
        self._echoed = False
        self.is_heard = False  # our newest birth came back: what is heard from now on is said now

    def said(self, payload: bytes) -> None:
        """A birth of ours is going out."""
        self._own = _identity(payload) or self._own
        self.is_heard = False

    def is_stranger(self, payload: bytes) -> bool:
        """Whether somebody else was born here after us.

        What comes before the first echo of our own birth may be older than we are: a journal that this one replaced.
        """
        heard = _identity(payload)
        if heard is None or self._own is None:
            return False
        if heard == self._own:
            self._echoed = self.is_heard = True
            return False
        older_self = heard[0] == self._own[0] and heard[1] < self._own[1]
        return self._echoed and not older_self


def _identity(payload: bytes) -> Identity | None:
    try:
        envelope = read_envelope(payload)
    except BadMessage:
        return None
    journal, session = envelope.data.get("journal"), envelope.data.get("session")
    if envelope.type not in {BORN.type, BEAT.type} or not isinstance(journal, str) or not isinstance(session, int):
        return None
    return journal, session

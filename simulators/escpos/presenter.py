"""The presenter of a kiosk printer: the cut ticket waits in the mouth until it is taken, retracted or pushed out.

Knows one ticket and the customer before it; must not know printing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from simulators.customer import Customer
from simulators.machine import Agenda, Detail

Tell = Callable[[str, Detail, float], None]


class Presenter:
    def __init__(self, customer: Customer, agenda: Agenda, tell: Tell) -> None:
        self.everyone = customer
        self.coming: list[Customer] = []
        self.customer = customer
        self.ticket: Detail | None = None
        self._agenda, self._tell = agenda, tell
        self._decision: object = None

    def hold(self, ticket: Detail, now: float) -> None:
        """A new ticket; the one that was still there falls out in front of everybody."""
        self._leaves("ticket_pushed_out", now)
        self.ticket = dict(ticket)
        self._tell("ticket_presented", self.ticket, now)
        self.customer = self.coming.pop(0) if self.coming else self.everyone
        self.decide(now)

    def decide(self, now: float) -> None:
        """The customer in front of it makes up his mind."""
        if self.ticket is None:
            return
        decision = self._decision = object()
        after_s = self.customer.takes_after_s(str(self.ticket["sheet"]))

        def take(at_s: float) -> None:
            if self._decision is decision:
                self.take(at_s)

        if after_s is not None:
            self._agenda.at(now + after_s, take)

    def take(self, now: float) -> bool:
        """A hand takes it."""
        return self._leaves("ticket_taken", now)

    def retract(self, now: float) -> None:
        """Pulled in, unless the customer was waiting for just that."""
        if self.ticket is not None and self.customer.grabs_at_last_moment:
            self.take(now)
        self._leaves("ticket_retracted", now)

    def eject(self, now: float) -> None:
        """Pushed out to the floor."""
        self._leaves("ticket_ejected", now)

    def _leaves(self, how: str, now: float) -> bool:
        if self.ticket is None:
            return False
        ticket, self.ticket, self._decision = self.ticket, None, None
        self._tell(how, ticket, now)
        return True

    def restore(self, ticket: Mapping[str, Any] | None, now: float) -> None:
        self.ticket = None if ticket is None else dict(ticket)
        self.decide(now)

"""The gate and the person in front of it: who takes a presented card, and when.

Knows the card in the gate and the customer's mind; it never moves a card inwards.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from simulators.crt591.mechanics import Mechanics, Place
from simulators.customer import Customer
from simulators.machine import Agenda

Show = Callable[[str, dict[str, Any], float], None]


class Gate:
    """`pulling(now)` says whether the drive has the card in its grip, out of the customer's reach."""

    def __init__(
        self, customer: Customer, agenda: Agenda, metal: Mechanics, show: Show, pulling: Callable[[float], bool]
    ) -> None:
        self.everyone = customer
        self.coming: list[Customer] = []  # for the next cards presented, in order
        self.of_serial: dict[str, Customer] = {}
        self._agenda, self._metal, self._show, self._pulling = agenda, metal, show, pulling
        self._standing: object = None  # one for each time that a customer makes up their mind

    @property
    def customer(self) -> Customer:
        """Whoever the card in the gate is for."""
        return self.of_serial.get(self._metal.serial or "", self.everyone)

    def present(self, now: float) -> None:
        """A card has come out: its customer makes up their mind."""
        if self.coming and self._metal.serial is not None:
            self.of_serial[self._metal.serial] = self.coming.pop(0)
        self.decide(now)

    def decide(self, now: float) -> None:
        """What the customer of the card in the gate meant to do before is void."""
        standing = self._standing = object()
        after_s = self.customer.takes_after_s(self._metal.serial or "")

        def take_if_still_meant(at_s: float) -> None:
            if self._standing is standing:
                self.take(at_s)

        if after_s is not None:
            self._agenda.at(now + after_s, take_if_still_meant)

    def take(self, now: float) -> bool:
        """The customer takes the card, unless there is none in reach."""
        if self._metal.place is not Place.GATE or self._pulling(now):
            return False
        self._show("card_taken", {"serial": self._metal.remove()}, now)
        return True

"""What scenes, steps and parameters of orders are called in one language; their own name where nobody titled them.

Knows titles and the catalogue; must not know where they are shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from edge_agent.orders.rows import OrderRow
from edge_agent.orders.titles import Title, Titles
from edge_agent.texts import Texts


@dataclass(frozen=True, slots=True)
class Called:
    """For one page: `titles` of the orders on it."""

    texts: Texts
    titles: Mapping[str, Titles]

    def scene(self, order: OrderRow) -> str:
        return self._in(self._of(order.id).scene, order.scene)

    def step(self, order: str, name: str, act: str = "") -> str:
        """Its title, else what its act is called."""
        titles = self._of(order)
        return self._in(titles.steps.get(name, {}), self.texts.word("act", act or titles.acts.get(name, name)))

    def parameter(self, order: str, name: str) -> str:
        return self._in(self._of(order).parameters.get(name, {}), name)

    def _of(self, order: str) -> Titles:
        return self.titles.get(order, Titles())

    def _in(self, title: Title, name: str) -> str:
        return title.get(self.texts.lang) or next(iter(title.values()), "") or name

"""What people call an order's scene, its parameters and its steps: as the recipe said with which it was accepted.

Knows rows and recipes, each title as language -> words; must not know which language somebody speaks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from edge_agent.journal.tx import Tx
from edge_agent.orders.forms import form

Title = Mapping[str, str]
MOST = 500  # orders asked about at once: SQLite binds a bounded number of values


@dataclass(frozen=True, slots=True)
class Titles:
    """Of one order; a name that nobody titled is not in it."""

    scene: Title = field(default_factory=dict)
    parameters: Mapping[str, Title] = field(default_factory=dict)
    steps: Mapping[str, Title] = field(default_factory=dict)
    acts: Mapping[str, str] = field(default_factory=dict)  # of each step, also of those that were left out


def titles_of(tx: Tx, orders: Iterable[str]) -> dict[str, Titles]:
    """Order -> its titles; an order whose recipe is gone has none."""
    asked = list(dict.fromkeys(orders))[:MOST]
    marks = ", ".join("?" * len(asked))
    rows = tx.all(f"SELECT id, recipe_form FROM orders WHERE id IN ({marks})", *asked)  # noqa: S608  # marks alone
    numbers = {row["recipe_form"] for row in rows if row["recipe_form"] is not None}
    recipes = {number: _titles(form(tx, int(number))) for number in numbers}
    return {row["id"]: recipes.get(row["recipe_form"], Titles()) for row in rows}


def _titles(recipe: Mapping[str, Any]) -> Titles:
    parameters = {name: one["title"] for name, one in recipe.get("parameters", {}).items() if one.get("title")}
    steps = {one["name"]: one["title"] for one in recipe.get("step", []) if one.get("title")}
    acts = {one["name"]: one["act"] for one in recipe.get("step", []) if one.get("act")}
    return Titles(recipe.get("scene", {}).get("title") or {}, parameters, steps, acts)

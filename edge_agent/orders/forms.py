"""Recipes and templates as orders were accepted with them: each text stands once in the journal, under a number.

Knows rows and JSON; must not know what a recipe or a template says.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from pydantic import BaseModel

from edge_agent.journal.tx import Tx

PARSED_KEPT = 8  # the templates that a branch prints by turns; one with pictures may take a megabyte


class Bodies:
    """The JSON of each recipe and template, made once: none changes while the agent runs."""

    def __init__(self) -> None:
        self._made: dict[int, tuple[BaseModel, str]] = {}  # with the model: its id is nobody else's then

    def of(self, model: BaseModel) -> str:
        if id(model) not in self._made:
            self._made[id(model)] = model, model.model_dump_json(by_alias=True, exclude_none=True)
        return self._made[id(model)][1]


def keep_form(tx: Tx, body: str) -> int:
    """The number of this JSON text, written if it is new."""
    number: int | None = tx.row(("form", body))
    if number is None:
        row = tx.one("SELECT n FROM forms WHERE body = ?", body)
        number = int(row[0]) if row else tx.do("INSERT INTO forms (body) VALUES (?)", body)
        tx.rows["form", body] = number
    return number


def form(tx: Tx, number: int) -> dict[str, Any]:
    """What stands under a number; the same object each time, not to be changed. Raises KeyError."""
    row = tx.one("SELECT body FROM forms WHERE n = ?", number)
    if row is None:
        raise KeyError(f"form {number}")
    return _parsed(row[0])


@lru_cache(PARSED_KEPT)
def _parsed(body: str) -> dict[str, Any]:
    members: dict[str, Any] = json.loads(body)
    return members

"""Whether enough people decide (ORD-6): all at once, or one at the machine and a second somewhere else (远程授权).

Knows who is named, who is proven, and what one of two has decided; what a decision makes of an order is `people`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from cloud_bridge.envelope import Envelope
from cloud_bridge.messages.instructions import OrderResolve
from cloud_bridge.messages.words import TWO_PEOPLE, Choice, Code
from edge_agent.clock import Clock
from edge_agent.journal.tx import Tx
from edge_agent.orders.desk import JOURNAL_CHANGED, Desk, Rejected
from edge_agent.orders.rows import By, OrderRow

HOLDS_S = 1800.0  # on the steady clock, within one boot: whoever looked at the machine must look again then
WAITS = "approval_waits"


@dataclass(frozen=True, slots=True)
class Waits:
    """Fewer than it needs: they wait for another."""

    people: tuple[str, ...]


def authority(desk: Desk, tx: Tx, envelope: Envelope, data: OrderResolve) -> By | Waits:
    """Who decides. What makes safe needs one person, all else two distinct ones, never a scheduler. Raises Rejected."""
    people = named_people(envelope, data.people)
    proven = desk.caller.proven
    by = By(people, authenticated=bool(proven), proven=proven)
    if data.choice not in TWO_PEOPLE or len(people) > 1:
        return by
    waiting = [one for one in _waiting(tx, desk.clock, data) if spelling(one) != spelling(people[0])]
    if waiting:
        known = (*waiting, *proven)
        return By((*waiting, *people), authenticated=len(known) > len(waiting), proven=known)
    if proven and desk.caller.waits_for_another:
        return Waits(people)
    reason = "repeat_needs_two" if data.choice is Choice.AGAIN else "choice_needs_two"
    raise Rejected(Code.UNAUTHORIZED, reason, choice=data.choice.value)


def _waiting(tx: Tx, clock: Clock, data: OrderResolve) -> list[str]:
    sql = "SELECT person, steady_s FROM approvals WHERE attempt = ? AND choice = ? AND device IS ? AND boot = ?"
    rows = tx.all(sql, data.attempt, data.choice.value, data.device, clock.boot())
    return [row["person"] for row in rows if 0 <= clock.steady() - row["steady_s"] < HOLDS_S]


def keep(desk: Desk, tx: Tx, order: OrderRow, data: OrderResolve, waits: Waits) -> None:
    """One of two has decided; the centre is told, so that somebody there may be the other."""
    clock = desk.clock
    sql = (
        "INSERT INTO approvals (attempt, person, choice, device, boot, steady_s) VALUES (?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (attempt, person) DO UPDATE SET choice = excluded.choice, device = excluded.device, "
        "boot = excluded.boot, steady_s = excluded.steady_s"
    )
    for person in waits.people:
        tx.do(sql, data.attempt, person, data.choice.value, data.device, clock.boot(), clock.steady())
    facts = {"order": order.id, "step": data.step, "attempt": data.attempt, "choice": data.choice.value}
    facts |= {"device": data.device} if data.device else {}
    told = {"by": list(waits.people), "authenticated": True, "holds_s": HOLDS_S}
    tx.emit(JOURNAL_CHANGED, order.id, {"what": WAITS, "facts": facts | told}, order.n)


def settled(tx: Tx, attempt: str) -> None:
    """It was decided: nobody waits any more."""
    tx.do("DELETE FROM approvals WHERE attempt = ?", attempt)


def named_people(envelope: Envelope, names: Sequence[str]) -> tuple[str, ...]:
    """The distinct people named, /people/{id}; a scheduler is never one of them. Raises Rejected."""
    people = {spelling(name): name.strip().removeprefix("/people/").strip() for name in names}
    scheduler = (
        "" if envelope.source.startswith("/people/") else spelling(envelope.source.rstrip("/").rsplit("/", 1)[-1])
    )
    if any(not key or "/" in key or key == scheduler for key in people):
        raise Rejected(Code.INVALID, "bad_people")
    return tuple(f"/people/{name}" for name in people.values())


def word_of(desk: Desk, people: tuple[str, ...]) -> By:
    """What these people say, and whether it is proven that they do."""
    proven = desk.caller.proven
    return By(people, authenticated=bool(people) and set(people) <= set(proven), proven=proven)


def spelling(name: str) -> str:
    """One spelling for each name: full width, case, blanks and invisible characters make no second person."""
    bare = name.strip().removeprefix("/people/")
    return "".join(c for c in unicodedata.normalize("NFKC", bare).casefold() if c.isprintable() and not c.isspace())

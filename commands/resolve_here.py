"""A decision at the machine, on the branch's own box: `branchgate order resolve --config` asks each person's password.

Knows what is asked and how the answer is told; who may decide the agent says.
"""

from __future__ import annotations

from pathlib import Path

from central_scheduler.console import lines, values
from central_scheduler.console.order_resolve import Decision
from central_scheduler.console.problem import Exit, Problem
from central_scheduler.console.screen import Screen
from cloud_bridge.messages.words import TWO_PEOPLE
from commands.journal_here import told_of_journal
from commands.kit import T
from commands.people_here import house_of, wish
from commands.secrets import Secrets
from commands.together import accepted


def resolve_here(screen: Screen, decision: Decision, config: Path, secrets: Secrets, *, remote: bool) -> int:
    """Its exit code. Raises Problem."""
    values.order_id(decision.order, T("label.order"))
    people = values.people(decision.by, T("label.by"))
    needed = 2 if decision.choice in TWO_PEOPLE and not remote else 1
    if len(people) < needed:
        raise Problem(Exit.USAGE, "people_needed", choice=decision.choice, count=needed, given=len(people))
    house = house_of(config)
    data = {"step": decision.step, "attempt": decision.attempt or _attempt(config, decision), "note": decision.note}
    data |= {"choice": decision.choice.value} | ({"device": decision.device} if decision.device else {})
    proofs = [{"name": name, "password": secrets.of(name)} for name in people]
    members = {"order": decision.order, "data": data, "people": proofs, "waits_for_another": remote}
    return _told(screen, decision, people, wish(house, "order.resolve", **members))


def _attempt(config: Path, decision: Decision) -> str:
    house = house_of(config)
    with told_of_journal(house.journal):
        attempt = house.attempt(decision.order, decision.step)
    if attempt is None:
        raise Problem(Exit.NOT_FOUND, "no_step", order=decision.order, step=decision.step, steps="?")
    return attempt


def _told(screen: Screen, decision: Decision, people: list[str], reply: dict[str, object]) -> int:
    accepted(reply)
    result = reply.get("result")
    waits = isinstance(result, dict) and "approved" in result
    choice = T.word("choice", decision.choice)
    if not waits:
        screen.say(T("console.done_resolve", order=decision.order, step=decision.step, choice=choice))
    screen.say(T("console.approved_waits" if waits else "console.proven", people=lines.people(people)))
    if screen.as_json:
        screen.json(reply | {"by": people, "authenticated": True})
    return Exit.OK

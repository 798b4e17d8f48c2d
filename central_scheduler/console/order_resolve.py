"""A person's decision on a step that needs one, recorded with declared names (ORD-6).

Knows how many people a choice needs and which attempt was looked at; whether the choice is possible the branch decides.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from central_scheduler.console import lines, values
from central_scheduler.console.desk import Desk, answered, branch_line
from central_scheduler.console.order_show import Story, story_of
from central_scheduler.console.orders import reply_json
from central_scheduler.console.problem import Exit, Problem
from cloud_bridge.messages.words import TWO_PEOPLE, Choice


@dataclass(frozen=True, slots=True)
class Decision:
    """What was typed."""

    order: str
    step: str
    choice: Choice
    by: Sequence[str]
    attempt: str | None = None
    note: str = ""
    device: str | None = None  # the one that shall do it again


async def resolve(desk: Desk, decision: Decision, *, confirm: Callable[[str], bool] | None) -> int:
    """Records the decision; `confirm` asks back, None when the person said yes beforehand."""
    words = desk.words
    values.order_id(decision.order, words("label.order"))
    values.name(decision.step, words("label.step"))
    if decision.device is not None:
        values.name(decision.device, words("label.device"))
    people = values.people(decision.by, words("label.by"))
    needed = 2 if decision.choice in TWO_PEOPLE else 1
    if len(people) < needed:
        raise Problem(Exit.USAGE, "people_needed", choice=decision.choice, count=needed, given=len(people))
    async with branch_line(desk) as scheduler:
        attempt = decision.attempt or _attempt_in(await story_of(desk, scheduler, decision.order), decision)
        if confirm is not None and not _confirmed(desk, decision, people, confirm):
            desk.screen.say(words("console.not_confirmed"))
            return Exit.FAILED
        seen = (decision.order, decision.step, attempt, decision.choice, people, decision.note)
        asking = scheduler.resolve(*seen, device=decision.device, **desk.how())
        reply = await answered(desk, scheduler, asking)
    choice = words.word("choice", decision.choice)
    desk.screen.say(words("console.done_resolve", order=decision.order, step=decision.step, choice=choice))
    desk.screen.say(words("console.declared", people=lines.people(people)))
    if desk.screen.as_json:
        desk.screen.json(reply_json(reply) | {"by": people, "authenticated": False})
    return Exit.OK


def _attempt_in(story: Story, decision: Decision) -> str:
    """The attempt that the order asks about, if it says so; else the step's newest."""
    steps = [str(step["step"]) for step in story.get("steps", [])]
    if decision.step not in steps:
        raise Problem(Exit.NOT_FOUND, "no_step", order=decision.order, step=decision.step, steps=", ".join(steps))
    asked = story["history"][-1].get("facts") or {} if story.get("history") else {}
    if asked.get("step") == decision.step and asked.get("choices") and asked.get("attempt"):
        return str(asked["attempt"])
    attempts = [str(known["attempt"]) for known in story.get("attempts", []) if known["step"] == decision.step]
    if not attempts:
        raise Problem(Exit.FAILED, "no_doubt", order=decision.order, step=decision.step)
    return max(attempts, key=lambda attempt: int(attempt.rpartition("/")[2]))  # {order}/{step}/{k}


def _confirmed(desk: Desk, decision: Decision, people: Sequence[str], confirm: Callable[[str], bool]) -> bool:
    if not desk.screen.is_terminal or desk.screen.as_json:
        raise Problem(Exit.USAGE, "not_tty")
    question = desk.words(
        "console.confirm_resolve",
        choice=desk.words.word("choice", decision.choice),
        step=decision.step,
        order=decision.order,
        people=lines.people(people),
    )
    return confirm(question)

"""What a driver is told of an attempt beside its act: the order's parameters and what earlier attempts came to.

Knows rows and the members that `device.Driver` names; must not know what any driver does with them.
"""

from __future__ import annotations

from typing import Any

from edge_agent.journal.journal import Tx
from edge_agent.orders.reading import attempts_of, get_order, get_step, steps_of
from edge_agent.orders.rows import AttemptRow, StepRow, attempt_id
from edge_agent.orders.states import Step


def params_to_arm(tx: Tx, step: StepRow) -> dict[str, Any]:
    """Of the attempt that would be armed now."""
    return _params(tx, step, step.armings + 1, step.device)


def params_of(tx: Tx, attempt: AttemptRow) -> dict[str, Any]:
    """Of an attempt that was armed."""
    k = int(attempt.id.rpartition("/")[2])
    return _params(tx, get_step(tx, attempt.order_id, attempt.step), k, attempt.device)


def _params(tx: Tx, step: StepRow, k: int, device: str) -> dict[str, Any]:
    attempts = attempts_of(tx, step.order_id)
    before = [a for a in attempts if a.step == step.name and int(a.id.rpartition("/")[2]) < k]
    members: dict[str, Any] = {"order": step.order_id, "step": step.name, "attempt": attempt_id(step, k)}
    members |= {"reprint": sum(map(_may_have_had_effect, before))}
    members |= {"earlier": _earlier(tx, step, attempts, device)}
    if step.undoes:
        members["undoes"] = [a.id for a in attempts if a.step == step.undoes and _may_have_had_effect(a)]
    members |= _lot(tx, step, device)
    if "bin" in members["earlier"]:
        members["bin"] = members["earlier"]["bin"]
    return {**get_order(tx, step.order_id).parameters, **members}


def _lot(tx: Tx, step: StepRow, device: str) -> dict[str, Any]:
    """The order's cell at this device, and what lies in it."""
    return next((s.lot for s in steps_of(tx, step.order_id) if s.article and s.device == device), {})


def _may_have_had_effect(attempt: AttemptRow) -> bool:
    """Whether something of it may lie outside: people's word that there is nothing is no evidence."""
    return attempt.decided or attempt.state is not Step.NO_EFFECT


def _earlier(tx: Tx, step: StepRow, attempts: list[AttemptRow], device: str) -> dict[str, Any]:
    """What the order's attempt before read at this device (the bin counter of the presenting)."""
    names = [s.name for s in steps_of(tx, step.order_id)]
    others = [a for a in attempts if a.device == device and a.step != step.name]
    others.sort(key=lambda a: names.index(a.step))
    return dict(others[-1].arming.readings) if others else {}

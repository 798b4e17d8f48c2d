"""Messages of a branch as lines that people read.

Knows the contract's models and the catalogue; must not know where the lines go.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.text import Text

from central_scheduler.console.screen import painted
from central_scheduler.orderbook import question_in
from central_scheduler.words import Words
from cloud_bridge.envelope import Envelope
from cloud_bridge.messages import (
    BEAT,
    Death,
    DeviceChanged,
    DeviceReported,
    EventData,
    JournalChanged,
    OrderChanged,
    OrderCorrected,
    Reply,
    Session,
    StepChanged,
)


def event(told: EventData, words: Words) -> Text:
    """One event in one line, in the colour of the state that it tells."""
    line = _LINES[type(told)](told, words) if type(told) in _LINES else Text(type(told).__name__)
    if isinstance(told, OrderChanged) and (question := question_in(told)):
        options = " | ".join(f"{choice} = {words.word('choice', choice)}" for choice in question.choices)
        line.append("; " + words("watch.needs", attempt=question.attempt, choices=options), style="bold magenta")
    if people := getattr(told, "by", None):
        authentic = words("label.proven" if getattr(told, "authenticated", False) else "label.declared")
        line.append(f" [{', '.join(people)}: {authentic}]")
    return line


def short(told: EventData, words: Words) -> Text:
    """An event of an order in a few words, for a cell of a table."""
    if isinstance(told, StepChanged):
        line = f"{words.word('act', told.act)}: {words.word('step_state', told.to)}"
        return painted(line + _reason(told.reason, words), told.to)
    if isinstance(told, OrderChanged):
        return painted(words.word("order_state", told.to) + _reason(told.reason, words), told.to)
    return event(told, words)


def _reason(reason: str, words: Words) -> str:
    return f" – {words.word('reason', reason)}" if reason else ""


def _order(told: OrderChanged, words: Words) -> Text:
    state = words.word("order_state", told.to)
    if told.waiting_for and told.to != "needs_attention":
        what = words.word("waiting", told.waiting_for)
        return painted(
            words("watch.order_waits", order=told.order, state=state, what=what) + _reason(told.reason, words), told.to
        )
    return painted(words("watch.order", order=told.order, state=state) + _reason(told.reason, words), told.to)


def _step(told: StepChanged, words: Words) -> Text:
    act, state = words.word("act", told.act), words.word("step_state", told.to)
    line = words("watch.step", step=told.step, order=told.order, act=act, device=told.device or "–", state=state)
    return painted(line + _reason(told.reason, words) + _facts(told.facts), told.to)


def _corrected(told: OrderCorrected, words: Words) -> Text:
    state, truth = words.word("order_state", told.state), words.word("step_state", told.truth)
    line = words("watch.corrected", order=told.order, state=state, truth=truth)
    return painted(line + _reason(told.reason, words) + _facts(told.facts), "needs_attention")


def _device(told: DeviceChanged, words: Words) -> Text:
    state = words.word("device_state", told.state)
    reason = "" if told.reason == told.state else _reason(told.reason, words)
    return painted(words("watch.device", device=told.device, state=state) + reason, told.state)


def _journal(told: JournalChanged, words: Words) -> Text:
    return painted(words("watch.journal", what=words.word("journal", told.what)) + _reason(told.reason, words), "")


_LINES: dict[type[EventData], Callable[[Any, Words], Text]] = {
    OrderChanged: _order,
    StepChanged: _step,
    OrderCorrected: _corrected,
    DeviceChanged: _device,
    JournalChanged: _journal,
}


def _facts(facts: Mapping[str, Any]) -> str:
    plain = [f"{key}={value}" for key, value in facts.items() if isinstance(value, str | int | float | bool)]
    return f" ({', '.join(plain)})" if plain else ""


def facts(given: Mapping[str, Any]) -> str:
    """Evidence in one cell: `serial=…, taken=…`."""
    return _facts(given).strip(" ()")


def reply(told: Reply, words: Words) -> Text:
    """The answer to an instruction."""
    line = words("watch.reply", instruction=told.instruction, status=words.word("status", told.status))
    if told.code:
        line += f" – {told.code}: {words.word('code', str(told.code))} {told.message}".rstrip()
    return painted(line, told.status)


def session(envelope: Envelope, told: Session | Death, words: Words) -> Text:
    """A birth, heartbeat or death."""
    if isinstance(told, Death):
        reason = words.word("death", told.reason)
        return painted(words("watch.died", branch=envelope.branch, reason=reason), "failed")
    if envelope.type == BEAT.type:
        return painted(words("watch.beat", branch=envelope.branch, seq=told.after), "")
    clock = words.word("clock", told.clock)
    line = words("watch.born", branch=envelope.branch, epoch=told.epoch, journal=told.journal, clock=clock)
    return painted(line, "online")


def twin(told: DeviceReported, words: Words) -> Text:
    """A device's twin in short."""
    state = words.word("device_state", told.state)
    return painted(words("watch.twin", device=told.device, state=state) + _reason(told.reason, words), told.state)


def storage(units: Mapping[str, Mapping[str, Any]], words: Words) -> str:
    """Each storage unit of a device: what it is, how many it holds, how full it is."""
    return "; ".join(_unit(name, unit, words) for name, unit in units.items())


def _unit(name: str, unit: Mapping[str, Any], words: Words) -> str:
    kind = words.word("unit", str(unit.get("type", name)))
    level = str(unit.get("replenishmentStatus") or unit.get("status") or "unknown")
    count = f" {unit['count']}" if isinstance(unit.get("count"), int) else ""
    return f"{kind}{count} {words.word('supply', level)}"


def people(names: Sequence[str]) -> str:
    return ", ".join(name.removeprefix("/people/") for name in names)

"""Messages of a branch as lines that people read.

Knows the contract's models and the catalogue; must not know where the lines go.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.text import Text

from central_scheduler.console.screen import painted
from central_scheduler.orderbook import question_in
from central_scheduler.words import Words
from cloud_bridge.digests import shortened
from cloud_bridge.envelope import Envelope
from cloud_bridge.messages.catalogue import BEAT
from cloud_bridge.messages.reports import (
    CodeScanned,
    Death,
    DeviceChanged,
    DeviceCounted,
    DeviceObserved,
    DeviceReported,
    EventData,
    JournalChanged,
    OrderChanged,
    OrderCorrected,
    ReadingShown,
    Reply,
    Session,
    StepChanged,
    StockChanged,
)
from cloud_bridge.rejection import sentence


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
    line = words("watch.order", order=told.order, state=state) + _reason(told.reason, words)
    return painted(line + _without(told.facts, words) + _elsewhere(told.facts, words), told.to)


def _without(facts: Mapping[str, Any], words: Words) -> str:
    """The steps that the order goes on or ended without: as told when it was accepted, or at its end."""
    left = facts.get("left_out")
    if not isinstance(left, list):
        return ""
    return "".join(
        "; " + words("watch.without", step=str(one.get("step")), why=_why(one, words))
        for one in left
        if isinstance(one, dict)
    )


def _why(left: Mapping[str, Any], words: Words) -> str:
    if instead := left.get("instead"):
        return words.word("choice", str(instead))
    return words.word("reason", str(left.get("reason") or ""))


def _elsewhere(facts: Mapping[str, Any], words: Words) -> str:
    """The device that takes over by people's decision."""
    device = facts.get("device") if facts.get("decided") else None
    return "; " + words("watch.elsewhere", device=str(device)) if device else ""


def _step(told: StepChanged, words: Words) -> Text:
    act, state = words.word("act", told.act), words.word("step_state", told.to)
    line = words("watch.step", step=told.step, order=told.order, act=act, device=told.device or "–", state=state)
    return painted(line + _reason(told.reason, words) + _facts(told.facts), told.to)


def _corrected(told: OrderCorrected, words: Words) -> Text:
    state, truth = words.word("order_state", told.state), words.word("step_state", told.truth)
    line = words("watch.corrected", order=told.order, state=state, truth=truth)
    return painted(line + _reason(told.reason, words) + _facts(told.facts), "needs_attention")


def _device(told: DeviceChanged, words: Words) -> Text:
    if told.state == "input_changed":
        return _input(told, words)
    state = words.word("device_state", told.state)
    state = words.word("reason", state) if state == told.state else state  # what it noted has a reason's words
    reason = "" if told.reason == told.state else _reason(told.reason, words)
    return painted(words("watch.device", device=told.device, state=state) + reason, told.state)


def _input(told: DeviceChanged, words: Words) -> Text:
    name, word = (str(told.facts.get(key, "")) for key in ("input", "to"))
    kind, _, which = name.partition("_")  # cabinetDoor, or cabinetDoor_vault where there are several
    name, word = f"{words.word('auxiliary', kind)} {which}".rstrip(), words.word("auxiliary_state", word)
    return painted(words("watch.input", device=told.device, name=name, word=word) + _reason(told.reason, words), "")


def _scanned(told: CodeScanned, words: Words) -> Text:
    shown = words("watch.ending_in", shown=told.shown) if told.shown else ""
    line = words("watch.scanned", device=told.device, shown=shown, result=words.word("scan", told.result))
    line += words("watch.scan_order", order=told.order) if told.order else ""
    return painted(line + (words("watch.scan_asked", scan=told.scan) if told.scan else ""), "")


def _counted(told: DeviceCounted, words: Words) -> Text:
    """The sums of an hour, by the reader's own clock."""
    sums = ", ".join(
        f"{name} {one.sum} {words.word('measure', one.unit)}".rstrip()
        + "".join(f" ({words.word('reading_flag', flag)} x{times})" for flag, times in one.flags.items())
        for name, one in told.sums.items()
    )
    hour = told.hour.astimezone().strftime("%H:%M")
    return painted(words("watch.counted", device=told.device, hour=hour, sums=sums or "–"), "")


def readings(told: DeviceObserved, words: Words) -> Text:
    """What a device observed, each value with what was counted since the one before."""
    shown = ", ".join(_reading(one, words) for one in told.readings)
    line = words("watch.readings", device=told.device, readings=shown)
    return painted(line + ("; " + words("watch.shed", n=told.shed) if told.shed else ""), "")


def _reading(one: ReadingShown, words: Words) -> str:
    delta = f" ({one.delta:+})" if one.delta is not None else ""
    flag = f" [{words.word('reading_flag', one.flag)}]" if one.flag else ""
    return f"{one.name} {one.raw} {words.word('measure', one.unit)}".rstrip() + delta + flag


def _stock(told: StockChanged, words: Words) -> Text:
    lies = " ".join(filter(None, (told.article, told.serial)))
    state = words.word("shelf", told.to)
    line = words("watch.stock", device=told.device, cell=told.cell, article=lies or "–", state=state)
    whose = f" {told.order}" if told.order else ""
    return painted(line + whose + _reason(told.reason, words), told.to)


def _journal(told: JournalChanged, words: Words) -> Text:
    return painted(words("watch.journal", what=words.word("journal", told.what)) + _reason(told.reason, words), "")


_LINES: dict[type[EventData], Callable[[Any, Words], Text]] = {
    OrderChanged: _order,
    StepChanged: _step,
    OrderCorrected: _corrected,
    DeviceChanged: _device,
    DeviceCounted: _counted,
    StockChanged: _stock,
    CodeScanned: _scanned,
    JournalChanged: _journal,
}


def _facts(facts: Mapping[str, Any]) -> str:
    plain = [f"{key}={shortened(str(value))}" for key, value in facts.items() if isinstance(value, str | int | float)]
    return f" ({', '.join(plain)})" if plain else ""


def facts(given: Mapping[str, Any]) -> str:
    """Evidence in one cell: `serial=…, taken=…`."""
    return _facts(given).strip(" ()")


def reply(told: Reply, words: Words) -> Text:
    """The answer to an instruction."""
    line = words("watch.reply", instruction=told.instruction, status=words.word("status", told.status))
    if told.code:
        line += f" – {told.code}: {words.word('code', str(told.code))}"
        line += f" {sentence(words, told.reason, told.facts, told.message)}".rstrip()
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
    if told.audit is not None:  # worth keeping: `branchgate audit verify --head` asks for it
        line += " " + words("watch.audit", head=f"{told.audit.seq}:{told.audit.hash}")
    return painted(line, "online")


def twin(told: DeviceReported, words: Words) -> Text:
    """A device's twin in short."""
    state = words.word("device_state", told.state)
    return painted(words("watch.twin", device=told.device, state=state) + _reason(told.reason, words), told.state)


def scene(order: Mapping[str, Any], words: Words) -> str:
    """What its scene is called; its name where nobody titled it, or the branch does not say."""
    title = order.get("title")
    named = title.get(words.lang) if isinstance(title, Mapping) else None
    return str(named or order.get("scene", ""))


def media(code: str, words: Words) -> str:
    """What lies in a device's way; empty where it has none, or cannot tell."""
    return "" if code == "unknown" else words.word("media", code)


def storage(units: Mapping[str, Mapping[str, Any]], words: Words) -> str:
    """Each storage unit of a device: what it is, how many it holds, how full it is; of cells how many are how."""
    cells = [unit for unit in units.values() if "door" in unit or "shelf" in unit]
    told = [_unit(name, unit, words) for name, unit in units.items() if "door" not in unit and "shelf" not in unit]
    return "; ".join(told + ([_cells(cells, words)] if cells else []))


def _cells(cells: Sequence[Mapping[str, Any]], words: Words) -> str:
    levels = Counter(words.word("supply", _level(unit)) for unit in cells)
    return f"{words.word('unit', 'cells')} " + ", ".join(f"{count} {level}" for level, count in levels.items())


def _level(unit: Mapping[str, Any]) -> str:
    return str(unit.get("replenishmentStatus") or unit.get("status") or "unknown")


def _unit(name: str, unit: Mapping[str, Any], words: Words) -> str:
    kind, level = words.word("unit", str(unit.get("type", name))), _level(unit)
    count = f" {unit['count']}" if isinstance(unit.get("count"), int) else ""
    return f"{kind}{count} {words.word('supply', level)}"


def people(names: Sequence[str]) -> str:
    return ", ".join(name.removeprefix("/people/") for name in names)

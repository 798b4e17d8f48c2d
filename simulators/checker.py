"""The independent judge: joins what a scheduler was told with what the simulated machines did, and finds every lie.

Knows the contract's words and the ledger (SIM-1), each by its own copy; must not import, ask or trust the product. One
file without dependencies, so that it can be carried to any machine and read in one sitting.
"""

from __future__ import annotations

import argparse
import heapq
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Json = dict[str, Any]
Names = tuple[str, ...]

ACT_OF = {"draw_card": "card_drawn", "present_card": "card_presented", "capture_card": "card_captured"}
WATCHES = frozenset({"await_taken"})  # look only: no act of theirs may stand in a ledger
MOVING_RESETS = frozenset({"30", "31", "34", "35"})  # PHY-4: automatic recovery uses PM 37 only

ENDS = frozenset({"completed", "partly_completed", "failed", "cancelled", "expired"})
_BROKEN_OFF = frozenset({"failed", "cancelled", "expired"})
_ANY_END_OR_DOUBT = ENDS | {"needs_attention"}
ORDER_MOVES: dict[str | None, frozenset[str]] = {  # ORD-2; an end has no row: nothing leads out of it
    None: frozenset({"accepted", "scheduled", "waiting"}),
    "accepted": frozenset({"scheduled", "running", "waiting", "held", "cancelling", "needs_attention"}) | _BROKEN_OFF,
    "scheduled": frozenset({"accepted", "running", "waiting", "held", "cancelling"}) | _BROKEN_OFF,
    "running": frozenset({"waiting", "held", "cancelling"}) | _ANY_END_OR_DOUBT,
    "waiting": frozenset({"accepted", "scheduled", "running", "waiting", "held", "cancelling"}) | _ANY_END_OR_DOUBT,
    "held": frozenset({"accepted", "scheduled", "running", "waiting", "cancelling"}) | _ANY_END_OR_DOUBT,
    "cancelling": frozenset({"waiting"}) | _ANY_END_OR_DOUBT,
    "needs_attention": frozenset({"running", "waiting", "held", "cancelling"}) | ENDS,
}
_OUTCOMES = frozenset({"done", "no_effect", "failed"})
STEP_MOVES: dict[str | None, frozenset[str]] = {  # ORD-3
    None: frozenset({"pending"}),
    "pending": frozenset({"armed", "skipped"}),
    "armed": frozenset({"acting", "in_doubt", "no_effect"}),  # the last when nothing could be sent
    "acting": frozenset({"waiting", "in_doubt"}) | _OUTCOMES,
    "waiting": frozenset({"in_doubt"}) | _OUTCOMES,
    "in_doubt": _OUTCOMES,
    "no_effect": frozenset({"armed", "skipped"}),  # the last when the second attempt turned out needless
    "done": frozenset({"compensated"}),
}
UNSETTLED = frozenset({"armed", "acting", "waiting", "in_doubt"})
NOT_SECURED = frozenset({"transport", "mouth", "unknown"})
MAX_ATTEMPTS = 2  # ORD-3: armed once more after an evidenced no_effect


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken rule: `kind` is a stable word for tests, `text` names what and where."""

    kind: str
    text: str


@dataclass(slots=True)
class Attempt:
    """One arming as it was told, and the ledger acts that fell to it."""

    id: str
    order: str
    step: str
    act: str
    device: str
    state: str = "armed"
    item: str = "unknown"
    by_people: bool = False  # a person's word settled it
    facts: Json = field(default_factory=dict)
    acts: list[Json] = field(default_factory=list)


@dataclass(slots=True)
class Order:
    """One order as it was told."""

    id: str
    state: str
    reason: str = ""
    facts: list[Json] = field(default_factory=list)  # whatever was told that may say where the card went
    left_inside: bool = False  # it was told that the card stands in the machine or that nobody knows
    by_people: bool = False  # a person's word is in it, which is not held against the machine
    steps: dict[str, str] = field(default_factory=dict)
    decisions: int = 0  # people's, each of which may allow one more attempt

    @property
    def settled(self) -> bool:
        return self.state in ENDS or self.state == "needs_attention"


@dataclass(slots=True)
class Report:
    """The verdict. `ok` is true when nothing was violated."""

    violations: list[Violation] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    orders: dict[str, Order] = field(default_factory=dict)
    attempts: list[Attempt] = field(default_factory=list)
    repeats: int = 0
    acts: Counter[str] = field(default_factory=Counter)

    @property
    def ok(self) -> bool:
        return not self.violations

    @property
    def kinds(self) -> set[str]:
        return {violation.kind for violation in self.violations}

    def blame(self, kind: str, text: str) -> None:
        self.violations.append(Violation(kind, text))

    def count(self, state: str) -> int:
        """How many orders are in this state."""
        return sum(order.state == state for order in self.orders.values())

    def as_json(self) -> Json:
        """The verdict for programs: what is wrong, and each attempt with the acts that fell to it."""
        return {
            "ok": self.ok,
            "violations": [{"kind": violation.kind, "text": violation.text} for violation in self.violations],
            "notes": self.notes,
            "orders": {order.id: order.state for order in self.orders.values()},
            "attempts": [{"attempt": a.id, "order": a.order, "state": a.state, "acts": a.acts} for a in self.attempts],
        }

    def table(self) -> str:
        """The whole verdict as text: each attempt with its acts, then what is wrong."""
        rows = [("attempt", "device", "act", "told", "acts in the ledger")]
        for attempt in self.attempts:
            acts = ", ".join(f"#{act.get('n')} {act['act']} {_serial(act) or ''}".rstrip() for act in attempt.acts)
            rows.append((attempt.id, attempt.device, attempt.act, attempt.state, acts or "-"))
        widths = [max(len(row[column]) for row in rows) for column in range(4)]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, [*widths, 0], strict=True)).rstrip() for row in rows
        ]
        states = Counter(order.state for order in self.orders.values())
        lines += ["", "orders: " + (", ".join(f"{count} {state}" for state, count in sorted(states.items())) or "none")]
        lines += ["acts:   " + (", ".join(f"{count} {act}" for act, count in sorted(self.acts.items())) or "none")]
        lines += [f"events received twice: {self.repeats}"]
        lines += [f"note: {note}" for note in self.notes]
        lines += [f"VIOLATION {violation.kind}: {violation.text}" for violation in self.violations]
        lines += ["verdict: " + ("ok" if self.ok else f"{len(self.violations)} violation(s)")]
        return "\n".join(lines)


def check(
    events: Iterable[Json],
    ledgers: Iterable[Sequence[Json]],
    *,
    submitted: Iterable[str] | None = None,
    replies: Iterable[Json] = (),
    in_order: bool = True,
    tolerate: Iterable[str] = (),
) -> Report:
    """Judges one or more branches.

    Args:
        events: CloudEvents of the `events` topics as they arrived, repeats included.
        ledgers: the lines of each simulator's ledger, one sequence per file.
        submitted: the orders that a scheduler asked for; each must be known and settled. None: not checked.
        replies: CloudEvents of the `replies` topics.
        in_order: first arrivals must ascend by seq; False after events were asked for again.
        tolerate: kinds of violation to report as notes, because the scenario makes them on purpose.
    """
    report = Report()
    replies = list(replies)
    told = _read_events(events, report, in_order=in_order)
    _read_replies(replies, told, report)
    attempts = _rebuild(told, report)
    acts = _read_ledgers([list(ledger) for ledger in ledgers], report)
    for device in sorted({attempt.device for attempt in attempts if attempt.act not in WATCHES} | set(acts)):
        _assign([a for a in attempts if a.device == device and a.act not in WATCHES], acts.get(device, []), report)
    _judge_orders(report, acts)
    if submitted is not None:
        _judge_submitted(set(submitted), replies, report)
    tolerated = set(tolerate)
    report.notes += [f"tolerated {v.kind}: {v.text}" for v in report.violations if v.kind in tolerated]
    report.violations = [v for v in report.violations if v.kind not in tolerated]
    return report


# -- what was told -----------------------------------------------------------------------------------------------------


def _read_events(events: Iterable[Json], report: Report, *, in_order: bool) -> list[Json]:
    """Drops repeats by (journal, seq); the rest by journal in order of first sight, then by seq (ENV-2, OUT-3)."""
    journals: dict[str, dict[int, Json]] = {}
    for event in events:
        journal, seq = str(event["data"]["journal"]), int(event["data"]["seq"])
        if event.get("id") != f"{journal}-{seq}":
            report.blame("event_id", f"event {event.get('id')} is seq {seq} of journal {journal}")
        known = journals.setdefault(journal, {})
        if seq in known:
            report.repeats += 1
            if known[seq]["data"] != event["data"] or known[seq]["type"] != event["type"]:
                report.blame("event_changed", f"seq {seq} of journal {journal} came again with other content")
            continue
        if in_order and known and seq < max(known):
            report.blame("out_of_order", f"seq {seq} of journal {journal} came first after seq {max(known)}")
        known[seq] = event
    for journal, known in journals.items():
        gaps = sorted(set(range(1, max(known) + 1)) - set(known))
        if gaps:
            report.blame("gap", f"journal {journal} lacks seq {gaps[:10]} of {max(known)}")
    return [known[seq] for known in journals.values() for seq in sorted(known)]


def _read_replies(replies: list[Json], told: list[Json], report: Report) -> None:
    """One reply to each instruction, unchanged when repeated (INS-3); what it says was told must have come."""
    first: dict[tuple[str, str], Json] = {}
    highest: dict[str, int] = defaultdict(int)
    for event in told:
        highest[event["data"]["journal"]] = max(highest[event["data"]["journal"]], event["data"]["seq"])
    for reply in (reply["data"] for reply in replies):
        known = first.setdefault((reply["journal"], reply["instruction"]), reply)
        words = ("status", "code", "order")
        if reply.get("code") != "conflict" and any(known.get(word) != reply.get(word) for word in words):
            report.blame("reply_changed", f"instruction {reply['instruction']} was answered {known} and then {reply}")
        if reply["after"] > highest[reply["journal"]]:
            report.blame("lost_tail", f"a reply tells seq {reply['after']} of {reply['journal']}, which never came")


def _rebuild(told: list[Json], report: Report) -> list[Attempt]:
    """Walks orders and steps through their tables and collects the attempts in order of arming."""
    attempts: dict[str, Attempt] = {}
    steps: dict[tuple[str, str, str], str] = {}
    states: dict[tuple[str, str], str] = {}
    for event in told:
        noun, data = event["type"].split(".", 1)[-1], event["data"]
        if noun == "order.changed.v1":
            _order_moved(data, states, report)
        elif noun == "step.changed.v1":
            _step_moved(data, steps, attempts, report)
        elif noun == "order.corrected.v1":
            _corrected(data, attempts, report)
    report.attempts = list(attempts.values())
    return report.attempts


def _order_moved(data: Json, states: dict[tuple[str, str], str], report: Report) -> None:
    key, told_from, to = (data["journal"], data["order"]), data.get("from"), data["to"]
    known = states.get(key)
    if told_from != known:
        report.blame("order_jump", f"order {data['order']} went from {told_from} to {to}, but was {known}")
    if to not in ORDER_MOVES.get(known, frozenset()):
        report.blame("order_move", f"order {data['order']} went from {known} to {to}: ORD-2 has no such way")
    if to == "waiting" and not data.get("waiting_for"):
        report.blame("order_move", f"order {data['order']} waits and does not say for what")
    states[key] = to
    order = report.orders.setdefault(data["order"], Order(data["order"], to))
    order.state, order.reason = to, data.get("reason") or ""
    order.decisions += known == "needs_attention" and bool(data.get("by"))
    order.by_people |= bool(data.get("by"))
    order.facts.append(data.get("facts") or {})


def _step_moved(
    data: Json, steps: dict[tuple[str, str, str], str], attempts: dict[str, Attempt], report: Report
) -> None:
    key, told_from, to = (data["journal"], data["order"], data["step"]), data.get("from"), data["to"]
    name = f"step {data['step']} of order {data['order']}"
    known = steps.get(key, told_from if told_from in {None, "pending"} else None)
    if told_from != known:
        report.blame("step_jump", f"{name} went from {told_from} to {to}, but was {known}")
    if to not in STEP_MOVES.get(known, frozenset()):
        report.blame("step_move", f"{name} went from {known} to {to}: ORD-3 has no such way")
    steps[key] = to
    order = report.orders.get(data["order"])
    if order is None:
        report.blame("step_without_order", f"{name} moved before its order was told")
        order = report.orders.setdefault(data["order"], Order(data["order"], ""))
    order.steps[data["step"]] = to
    order.facts.append(data.get("facts") or {})
    order.by_people |= bool(data.get("by"))
    order.left_inside |= to in {"failed", "in_doubt"} and (data.get("item") or "unknown") in NOT_SECURED
    if to == "armed":
        _armed(data, attempts, report)
    elif to not in {"pending", "skipped", "compensated"}:
        _attempt_moved(data, attempts, report)


def _armed(data: Json, attempts: dict[str, Attempt], report: Report) -> None:
    attempt = Attempt(str(data.get("attempt")), data["order"], data["step"], data["act"], data.get("device") or "")
    if data.get("attempt") is None or attempt.id in attempts:
        report.blame(
            "attempt_id",
            f"step {data['step']} of order {data['order']} was armed as {attempt.id}: none, or used before",
        )
    if attempt.act not in ACT_OF and attempt.act not in WATCHES:
        report.blame("unknown_act", f"attempt {attempt.id} does {attempt.act}, which this checker cannot count")
    earlier = sum(a.order == attempt.order and a.step == attempt.step for a in attempts.values())
    order = report.orders.get(attempt.order)
    if earlier >= MAX_ATTEMPTS + (order.decisions if order else 0):
        report.blame("armed_again", f"attempt {attempt.id} is number {earlier + 1} of its step (ORD-3)")
    if order and order.state in ENDS:
        report.blame("armed_after_end", f"attempt {attempt.id} was armed when its order was {order.state}")
    attempts[attempt.id] = attempt


def _attempt_moved(data: Json, attempts: dict[str, Attempt], report: Report) -> None:
    attempt = attempts.get(str(data.get("attempt")))
    if attempt is None or (attempt.order, attempt.step) != (data["order"], data["step"]):
        report.blame(
            "attempt_id",
            f"step {data['step']} of order {data['order']} moved by attempt {data.get('attempt')}, never armed",
        )
        return
    attempt.state, attempt.item = data["to"], data.get("item") or "unknown"
    attempt.by_people = bool(data.get("by"))
    attempt.facts.update(data.get("facts") or {})


def _corrected(data: Json, attempts: dict[str, Attempt], report: Report) -> None:
    order = report.orders.get(data["order"])
    if order is None or order.state not in ENDS:
        report.blame("corrected_open", f"order {data['order']} was corrected, but had not ended")
        return
    order.facts.append({**(data.get("facts") or {}), "truth": data["truth"]})
    order.left_inside |= (data.get("item") or "unknown") in NOT_SECURED
    attempt = attempts.get(str(data.get("attempt")))
    if attempt is not None and data["truth"] in _OUTCOMES:
        attempt.state, attempt.by_people = data["truth"], bool(data.get("by"))


# -- what was done -----------------------------------------------------------------------------------------------------


def _serial(line: Json) -> str | None:
    serial = (line.get("detail") or {}).get("serial")
    return None if serial is None else str(serial)


def _read_ledgers(ledgers: list[list[Json]], report: Report) -> dict[str, list[Json]]:
    """The lines of each device in order, shows included; finds missing ones and abuse of the machine."""
    by_device: dict[str, list[Json]] = defaultdict(list)
    for ledger in ledgers:
        for expected, line in enumerate(ledger, start=1):
            if line["n"] != expected:
                report.blame("ledger_gap", f"line {expected} of the ledger of {line['device']} has n={line['n']}")
                break
        for line in ledger:
            by_device[line["device"]].append(line)
            _judge_line(line, report)
    for device, lines in by_device.items():
        _judge_cards(device, lines, report)
    return by_device


def _judge_line(line: Json, report: Report) -> None:
    if line["kind"] == "act":
        report.acts[line["act"]] += 1
    if line["act"] == "disturbed":
        report.blame("disturbed", f"ledger #{line['n']}: {line['device']} got a frame while it moved (PHY-1)")
    if line["act"] == "reset" and str((line.get("detail") or {}).get("pm")) in MOVING_RESETS:
        report.blame(
            "moving_reset", f"ledger #{line['n']}: {line['device']} was reset in a way that moves the card (PHY-4)"
        )


def _judge_cards(device: str, lines: list[Json], report: Report) -> None:
    drawn: set[str] = set()
    for line in (line for line in lines if line["kind"] == "act" and _serial(line)):
        serial = _serial(line) or ""
        if line["act"] == "card_drawn" and serial in drawn:
            report.blame("ledger_card", f"ledger #{line['n']}: card {serial} was drawn twice from {device}")
        if line["act"] != "card_drawn" and serial not in drawn:
            report.blame(
                "ledger_card", f"ledger #{line['n']}: {line['act']} of card {serial}, which {device} never drew"
            )
        drawn.add(serial)


# -- joining both ------------------------------------------------------------------------------------------------------


def _ways(attempt: Attempt) -> list[Names]:
    """The runs of acts that an attempt may have caused, as it was told; the likeliest first."""
    own = (ACT_OF.get(attempt.act, attempt.act),)
    kept = (*own, "card_captured") if attempt.act != "capture_card" else own  # the machine retained the card by itself
    if attempt.by_people or attempt.state in UNSETTLED or attempt.state == "failed":
        return [own, kept, ("card_captured",), ()] if attempt.item == "bin" else [own, ()]
    if attempt.state == "no_effect":
        return [()]
    if attempt.act == "capture_card" and (attempt.item == "customer" or "taken" in attempt.facts):
        return [()]  # the customer was quicker
    return [kept, own, ("card_captured",)] if attempt.item == "bin" else [own]


@dataclass(frozen=True, slots=True)
class _Path:
    """A way of assigning the first acts to the first attempts; `cards` is each open order's card."""

    cost: float
    attempts: int
    acts: int
    cards: frozenset[tuple[str, str]]
    before: _Path | None
    blames: tuple[Violation, ...] = ()
    taken: int = 0  # acts given to the attempt just decided


def _assign(attempts: list[Attempt], lines: list[Json], report: Report) -> None:
    """Gives each act of one device to an attempt, in order, with as few violations as can be, and blames those."""
    acts = [line for line in lines if line["kind"] == "act"]
    last_use = {attempt.order: index for index, attempt in enumerate(attempts)}
    start = _Path(0, 0, 0, frozenset(), None)
    heap: list[tuple[float, int, int, _Path]] = [(0.0, 0, 0, start)]
    seen: set[tuple[int, int, frozenset[tuple[str, str]]]] = set()
    ticket = 0
    while heap:
        _, _, _, path = heapq.heappop(heap)
        if (path.attempts, path.acts, path.cards) in seen:
            continue
        seen.add((path.attempts, path.acts, path.cards))
        if path.attempts == len(attempts) and path.acts == len(acts):
            _settle(path, attempts, acts, report)
            return
        for onward in _onward(path, attempts, acts, last_use):
            ticket += 1
            heapq.heappush(heap, (onward.cost, -(onward.attempts + onward.acts), ticket, onward))


def _onward(path: _Path, attempts: list[Attempt], acts: list[Json], last_use: Mapping[str, int]) -> Iterator[_Path]:
    if path.attempts < len(attempts):
        attempt = attempts[path.attempts]
        for cost, way, blame in _judged_ways(attempt):
            run = acts[path.acts : path.acts + len(way)]
            if tuple(act["act"] for act in run) == way:
                yield _step(path, attempt, run, cost, blame, last=last_use[attempt.order] == path.attempts)
    if path.acts < len(acts):
        act = acts[path.acts]
        after = f"after attempt {attempts[path.attempts - 1].id}" if path.attempts else "before any attempt"
        text = (
            f"ledger #{act['n']}: {act['act']} {_serial(act) or ''} on {act['device']} belongs to no attempt ({after})"
        )
        yield _Path(path.cost + 1, path.attempts, path.acts + 1, path.cards, path, (Violation("stray_act", text),))


def _judged_ways(attempt: Attempt) -> Iterator[tuple[float, Names, Violation | None]]:
    """What it may have caused for nothing, then what it may only have caused against a rule."""
    ways, own = _ways(attempt), (ACT_OF.get(attempt.act, attempt.act),)
    yield from ((0.0, way, None) for way in ways)
    told = f"attempt {attempt.id} was told {attempt.state}, but {attempt.device}"
    if own not in ways:
        yield 0.9, own, Violation("act_denied", f"{told} did it")
    if () not in ways:
        yield 1.0, (), Violation("missing_act", f"{told} never did it")


def _step(path: _Path, attempt: Attempt, run: list[Json], cost: float, blame: Violation | None, *, last: bool) -> _Path:
    cards, blames = dict(path.cards), [blame] if blame else []
    for act in run:
        serial, held = _serial(act), cards.get(attempt.order)
        if act["act"] == "card_drawn":
            cards[attempt.order] = serial or ""
        elif serial != held:
            cost += 1.5
            text = f"ledger #{act['n']}: {act['act']} of card {serial} for order {attempt.order}, whose card is {held}"
            blames.append(Violation("wrong_card", text))
        if "serial" in attempt.facts and str(attempt.facts["serial"]) != serial:
            cost += 1.5
            blames.append(
                Violation(
                    "wrong_card", f"attempt {attempt.id} told card {attempt.facts['serial']}, the ledger has {serial}"
                )
            )
    if last:
        cards.pop(attempt.order, None)
    return _Path(
        path.cost + cost,
        path.attempts + 1,
        path.acts + len(run),
        frozenset(cards.items()),
        path,
        tuple(blames),
        len(run),
    )


def _settle(path: _Path | None, attempts: list[Attempt], acts: list[Json], report: Report) -> None:
    blames: list[Violation] = []
    while path is not None and path.before is not None:
        blames[:0] = path.blames
        if path.attempts > path.before.attempts:
            attempts[path.attempts - 1].acts = acts[path.acts - path.taken : path.acts]
        path = path.before
    report.violations += blames


# -- orders as a whole -------------------------------------------------------------------------------------------------


def _judge_orders(report: Report, lines: Mapping[str, list[Json]]) -> None:
    """What each order's end says must fit what became of its card."""
    acts: dict[str, list[Json]] = defaultdict(list)
    for attempt in report.attempts:
        acts[attempt.order] += attempt.acts
    left = {
        (device, _serial(line))
        for device, all_ in lines.items()
        for line in all_
        if line["act"] in {"card_taken", "card_removed"}
    }
    for order in report.orders.values():
        own = acts[order.id]
        _judge_counts(order, own, report)
        _judge_end(order, own, left, report)
        if not order.settled:
            report.blame("unfinished", f"order {order.id} is still {order.state or 'untold'}")
    _judge_taken(report, acts, lines)


def _judge_counts(order: Order, own: list[Json], report: Report) -> None:
    for name in ("card_drawn", "card_presented"):
        serials = [str(_serial(act)) for act in own if act["act"] == name]
        if len(serials) > 1:
            report.blame("twice", f"order {order.id}: {name} {len(serials)} times ({', '.join(serials)})")


def _judge_end(order: Order, own: list[Json], left: set[tuple[str, str | None]], report: Report) -> None:
    if order.state == "completed":
        _judge_completed(order, own, left, report)
    if order.state == "failed" and not order.reason:
        report.blame("unexplained", f"order {order.id} failed and does not say why")
    if order.state in _BROKEN_OFF:
        drawn = [act for act in own if act["act"] == "card_drawn"]
        gone = left | {(act["device"], _serial(act)) for act in own if act["act"] == "card_captured"}
        inside = [act for act in drawn if (act["device"], _serial(act)) not in gone]
        if inside and not order.left_inside:
            report.blame(
                "forgotten", f"order {order.id} is {order.state}, its card {_serial(inside[0])} is still in the machine"
            )


def _judge_completed(order: Order, own: list[Json], left: set[tuple[str, str | None]], report: Report) -> None:
    presented = [act for act in own if act["act"] == "card_presented"]
    if not presented:
        report.blame("completed_without", f"order {order.id} is completed, but no card of it was presented")
    for act in presented:
        if (act["device"], _serial(act)) not in left:
            report.blame("not_taken", f"order {order.id} is completed, but nobody took card {_serial(act)}")
    watched = {attempt.step for attempt in report.attempts if attempt.order == order.id and attempt.act in WATCHES}
    for step, state in order.steps.items():
        late = (
            step in watched and state == "failed"
        )  # nobody was seen taking it; it was gone when it was to be captured
        if state not in {"done", "skipped", "compensated"} and not late:
            report.blame("completed_without", f"order {order.id} is completed, but its step {step} is {state}")


def _judge_taken(report: Report, acts: Mapping[str, list[Json]], lines: Mapping[str, list[Json]]) -> None:
    owner = {
        (a["device"], _serial(a)): order for order, own in acts.items() for a in own if a["act"] == "card_presented"
    }
    for device, all_ in lines.items():
        for line in (line for line in all_ if line["act"] == "card_taken"):
            order = report.orders.get(owner.get((device, _serial(line)), ""))
            if order is None:
                report.blame("taken_untold", f"card {_serial(line)} of {device} was taken, and no order tells of it")
            elif not _tells_taken(order):
                text = f"card {_serial(line)} of {device} was taken, but order {order.id} ended {order.state}"
                if order.by_people:
                    report.notes.append(f"{text}, by a person's decision")
                else:
                    report.blame("taken_untold", text)


def _tells_taken(order: Order) -> bool:
    told = any(facts.get("taken") or facts.get("truth") in {"taken", "done"} for facts in order.facts)
    return told or not order.settled or order.state in {"completed", "partly_completed", "needs_attention"}


def _judge_submitted(submitted: set[str], replies: list[Json], report: Report) -> None:
    refused = {r["data"]["instruction"] for r in replies if r["data"]["status"] == "rejected"}
    refused |= {r["data"].get("order") for r in replies if r["data"]["status"] == "rejected"}
    for order in sorted(submitted - set(report.orders) - refused):
        report.blame("lost", f"order {order} was submitted and never told of, nor refused")
    for order in sorted(set(report.orders) - submitted):
        report.blame("unasked", f"order {order} was never submitted")


# -- command -----------------------------------------------------------------------------------------------------------


def read_lines(path: Path) -> list[Json]:
    """A file of JSON lines. Raises ValueError naming file and line."""
    lines: list[Json] = []
    for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            value = json.loads(text)
        except ValueError as error:
            raise ValueError(f"{path}:{number}: not JSON: {error}") from error
        if not isinstance(value, dict):
            raise ValueError(f"{path}:{number}: not a JSON object")  # noqa: TRY004 - about the file, not a type of ours
        lines.append(value)
    return lines


def main(arguments: Sequence[str] | None = None, say: Callable[[str], object] = print) -> int:
    """`python simulators/checker.py --events F --ledger F ...`; 0 = ok, 1 = violated, 2 = cannot read."""
    parser = argparse.ArgumentParser(description="Judges what a branch told against what its simulated machines did.")
    parser.add_argument("--events", type=Path, required=True, help="JSON lines: the events topic as received")
    parser.add_argument("--ledger", type=Path, action="append", default=[], help="JSON lines: a simulator's ledger")
    parser.add_argument("--replies", type=Path, help="JSON lines: the replies topic as received")
    parser.add_argument("--submitted", type=Path, help="the ids of all submitted orders, one per line")
    parser.add_argument("--refetched", action="store_true", help="events were asked for again: need not ascend")
    parser.add_argument("--json", action="store_true", help="the verdict as one JSON object")
    given = parser.parse_args(arguments)
    try:
        report = check(
            read_lines(given.events),
            [read_lines(path) for path in given.ledger],
            submitted=given.submitted.read_text(encoding="utf-8").split() if given.submitted else None,
            replies=read_lines(given.replies) if given.replies else (),
            in_order=not given.refetched,
        )
    except (OSError, ValueError, KeyError) as error:
        say(f"cannot judge: {error!r}")
        return 2
    say(json.dumps(report.as_json(), ensure_ascii=False) if given.json else report.table())
    return 0 if report.ok else 1


if __name__ == "__main__":
    sys.exit(main())

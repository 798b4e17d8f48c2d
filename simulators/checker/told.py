"""Reads what a scheduler was told: events without gap or change, orders and steps through their tables.

Knows the contract's events; must not look at any ledger.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from simulators.checker.cells import Books
from simulators.checker.verdict import Attempt, Order, Report
from simulators.checker.words import (
    ACT_OF,
    CARD_ACTS,
    COUNTS,
    DECISIONS,
    ENDS,
    MAX_ATTEMPTS,
    NOT_SECURED,
    ORDER_MOVES,
    OUTCOMES,
    PRINTS,
    REPEATABLE,
    SHOWS,
    STEP_MOVES,
    UNSETTLED,
    WATCHES,
    Json,
)


def read_events(events: Iterable[Json], report: Report, *, in_order: bool) -> list[Json]:
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


def read_replies(replies: list[Json], told: list[Json], report: Report) -> None:
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


def rebuild(told: list[Json], report: Report) -> list[Attempt]:
    """Walks orders and steps through their tables and collects the attempts in order of arming."""
    attempts: dict[str, Attempt] = {}
    steps: dict[tuple[str, str, str], str] = {}
    states: dict[tuple[str, str], str] = {}
    books = Books(report)
    for event in told:
        noun, data = event["type"].split(".", 1)[-1], event["data"]
        if noun == "order.changed.v1":
            _order_moved(data, states, report)
        elif noun == "step.changed.v1":
            _step_moved(data, steps, attempts, report)
        elif noun == "order.corrected.v1":
            _corrected(data, attempts, report)
        elif noun == "stock.changed.v1":
            books.take(data)
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
    choice = (data.get("facts") or {}).get("decided")
    decided = (known == "needs_attention" or choice is not None) and choice != "release"  # that repeats nothing
    order.decisions += decided and bool(data.get("by"))
    order.by_people |= bool(data.get("by")) and choice != "release"
    order.end_facts = data.get("facts") or {}
    order.facts.append(order.end_facts)
    _judge_people(f"order {order.id}", data, report)


def _judge_people(name: str, data: Json, report: Report) -> None:
    """ORD-6: what makes safe needs one person, what lets go on or repeats an act two distinct ones."""
    choice = (data.get("facts") or {}).get("decided")
    people = set(data.get("by") or ())
    if choice is not None and len(people) < DECISIONS.get(str(choice), 2):
        report.blame("too_few_people", f"{name}: {choice} was decided by {', '.join(sorted(people)) or 'nobody'}")


def _step_moved(
    data: Json, steps: dict[tuple[str, str, str], str], attempts: dict[str, Attempt], report: Report
) -> None:
    key, told_from, to = (data["journal"], data["order"], data["step"]), data.get("from"), data["to"]
    name = f"step {data['step']} of order {data['order']}"
    known = steps.get(key, told_from if told_from in {None, "pending"} else None)
    if told_from != known:
        report.blame("step_jump", f"{name} went from {told_from} to {to}, but was {known}")
    order = report.orders.get(data["order"])
    again = known == "failed" and to == "armed" and (data["act"] in REPEATABLE or bool(order and order.decisions))
    if to not in STEP_MOVES.get(known, frozenset()) and not again:
        report.blame("step_move", f"{name} went from {known} to {to}: ORD-3 has no such way")
    steps[key] = to
    _judge_people(name, data, report)
    if order is None:
        report.blame("step_without_order", f"{name} moved before its order was told")
        order = report.orders.setdefault(data["order"], Order(data["order"], ""))
    order.steps[data["step"]] = to
    order.facts.append(data.get("facts") or {})
    order.by_people |= bool(data.get("by"))
    if data["act"] in CARD_ACTS or data["act"] in WATCHES:  # a receipt in doubt says nothing about a card
        order.left_inside |= to in {"failed", "in_doubt"} and (data.get("item") or "unknown") in NOT_SECURED
    if to == "armed":
        _armed(data, attempts, report)
    elif to not in {"pending", "skipped", "compensated"}:
        _attempt_moved(data, attempts, report)


def _armed(data: Json, attempts: dict[str, Attempt], report: Report) -> None:
    attempt = Attempt(str(data.get("attempt")), data["order"], data["step"], data["act"], data.get("device") or "")
    attempt.facts.update(data.get("facts") or {})
    if data.get("attempt") is None or attempt.id in attempts:
        report.blame(
            "attempt_id",
            f"step {data['step']} of order {data['order']} was armed as {attempt.id}: none, or used before",
        )
    if attempt.act not in ACT_OF and attempt.act not in PRINTS | WATCHES | SHOWS | COUNTS:
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
    attempt.doubted |= data["to"] == "in_doubt"
    attempt.facts.update(data.get("facts") or {})


def _corrected(data: Json, attempts: dict[str, Attempt], report: Report) -> None:
    order, attempt = report.orders.get(data["order"]), attempts.get(str(data.get("attempt")))
    open_ = attempt is None or attempt.state in UNSETTLED
    if order is None or (order.state not in ENDS and open_):
        report.blame("corrected_open", f"order {data['order']} was corrected, but neither it nor its attempt had ended")
        return
    order.facts.append({**(data.get("facts") or {}), "truth": data["truth"]})
    if attempt is None or attempt.act not in PRINTS:
        order.left_inside |= (data.get("item") or "unknown") in NOT_SECURED
    if attempt is not None and data["truth"] in OUTCOMES:
        attempt.state, attempt.by_people = data["truth"], bool(data.get("by"))

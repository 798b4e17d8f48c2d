"""What each order's end says must fit what became of its card.

Knows orders with their attempts and acts; how acts came to attempts is not asked again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from simulators.checker.verdict import Order, Report
from simulators.checker.words import AWAY, BROKEN_OFF, CARD_ACTS, INSTEAD, WATCHES, Json, serial_of


def judge_orders(report: Report, lines: Mapping[str, list[Json]]) -> None:
    """What each order's end says must fit what became of its card."""
    acts: dict[str, list[Json]] = defaultdict(list)
    for attempt in report.attempts:
        acts[attempt.order] += attempt.acts
    left = {
        (device, serial_of(line))
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
        serials = [str(serial_of(act)) for act in own if act["act"] == name]
        if len(serials) > 1:
            report.blame("twice", f"order {order.id}: {name} {len(serials)} times ({', '.join(serials)})")


def _judge_end(order: Order, own: list[Json], left: set[tuple[str, str | None]], report: Report) -> None:
    if order.state in {"completed", "partly_completed"}:
        _judge_completed(order, own, left, report)
    if order.state == "failed" and not order.reason:
        report.blame("unexplained", f"order {order.id} failed and does not say why")
    if order.state in BROKEN_OFF:
        drawn = [act for act in own if act["act"] == "card_drawn"]
        gone = left | {(act["device"], serial_of(act)) for act in own if act["act"] == "card_captured"}
        inside = [act for act in drawn if (act["device"], serial_of(act)) not in gone]
        if inside and not order.left_inside:
            report.blame(
                "forgotten",
                f"order {order.id} is {order.state}, its card {serial_of(inside[0])} is still in the machine",
            )


def _judge_completed(order: Order, own: list[Json], left: set[tuple[str, str | None]], report: Report) -> None:
    attempts = [attempt for attempt in report.attempts if attempt.order == order.id]
    presented = [act for act in own if act["act"] == "card_presented"]
    if not attempts or (not presented and any(attempt.act in CARD_ACTS for attempt in attempts)):
        what = "no card of it was presented" if attempts else "nothing of it was done"
        report.blame("completed_without", f"order {order.id} is {order.state}, but {what}")
    for act in presented:
        if (act["device"], serial_of(act)) not in left:
            report.blame("not_taken", f"order {order.id} is {order.state}, but nobody took card {serial_of(act)}")
    watched = {attempt.step for attempt in attempts if attempt.act in WATCHES}
    left_out = _left_out(order, report)
    for step, state in order.steps.items():
        # nobody was seen taking it; it was gone when it was to be captured
        late = step in watched and state == "failed"
        if state not in {"done", "skipped", "compensated"} and not late and step not in left_out:
            report.blame("completed_without", f"order {order.id} is {order.state}, but its step {step} is {state}")


def _left_out(order: Order, report: Report) -> set[str]:
    """The steps that a partly completed order was ended without; it must name each, and what stands for it."""
    decided = [facts for facts in order.facts if facts.get("decided") in INSTEAD]
    if order.state == "completed":
        if decided:
            choices = ", ".join(sorted({facts["decided"] for facts in decided}))
            report.blame("partly_untold", f"order {order.id} is completed, but people decided {choices}")
        return set()
    told = order.end_facts.get("left_out")
    named = told if isinstance(told, list) and all(isinstance(one, dict) for one in told) else []
    without = {str(one.get("step")): one.get("instead") for one in named}
    wrong = {step for step, instead in without.items() if instead not in INSTEAD | {AWAY} or _is_there(order, step)}
    untold = {facts["step"] for facts in decided if "step" in facts} - without.keys()
    if wrong or untold or not without:
        text = f"order {order.id} is partly completed without {told}"
        report.blame("partly_untold", f"{text}: not each step of it that is missing, or not what stands for it")
    return set(without)


def _is_there(order: Order, step: str) -> bool:
    return order.steps.get(step, "done") == "done"


def _judge_taken(report: Report, acts: Mapping[str, list[Json]], lines: Mapping[str, list[Json]]) -> None:
    owner = {
        (a["device"], serial_of(a)): order for order, own in acts.items() for a in own if a["act"] == "card_presented"
    }
    for device, all_ in lines.items():
        for line in (line for line in all_ if line["act"] == "card_taken"):
            order = report.orders.get(owner.get((device, serial_of(line)), ""))
            if order is None:
                report.blame("taken_untold", f"card {serial_of(line)} of {device} was taken, and no order tells of it")
            elif not _tells_taken(order):
                text = f"card {serial_of(line)} of {device} was taken, but order {order.id} ended {order.state}"
                if order.by_people:
                    report.notes.append(f"{text}, by a person's decision")
                else:
                    report.blame("taken_untold", text)


def _tells_taken(order: Order) -> bool:
    told = any(facts.get("taken") or facts.get("truth") in {"taken", "done"} for facts in order.facts)
    return told or not order.settled or order.state in {"completed", "partly_completed", "needs_attention"}


def judge_submitted(submitted: set[str], replies: list[Json], report: Report) -> None:
    refused = {r["data"]["instruction"] for r in replies if r["data"]["status"] == "rejected"}
    refused |= {r["data"].get("order") for r in replies if r["data"]["status"] == "rejected"}
    for order in sorted(submitted - set(report.orders) - refused):
        report.blame("lost", f"order {order} was submitted and never told of, nor refused")
    for order in sorted(set(report.orders) - submitted):
        report.blame("unasked", f"order {order} was never submitted")

"""One judgement from beginning to end: what was told, what was done, both joined, orders as a whole.

Knows in which order the rules are asked; each rule is its own file's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from simulators.checker.cards import assign
from simulators.checker.cash import judge_cash
from simulators.checker.cells import judge_cells
from simulators.checker.ends import judge_orders, judge_submitted
from simulators.checker.ledgers import read_ledgers
from simulators.checker.sheets import judge_sheets
from simulators.checker.told import read_events, read_replies, rebuild
from simulators.checker.verdict import Report
from simulators.checker.words import COUNTS, PRINTS, SHEET, SHOWS, WATCHES, Json


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
    told = read_events(events, report, in_order=in_order)
    read_replies(replies, told, report)
    attempts = rebuild(told, report)
    acts = read_ledgers([list(ledger) for ledger in ledgers], report)
    counted = [attempt for attempt in attempts if attempt.act not in WATCHES | PRINTS | SHOWS | COUNTS]
    for device in sorted({attempt.device for attempt in counted} | set(acts)):
        lines = [line for line in acts.get(device, []) if line["kind"] == "act" and line["act"] != SHEET]
        assign([attempt for attempt in counted if attempt.device == device], lines, report)
    judge_sheets(attempts, acts, report)
    judge_cash(attempts, acts, report)
    judge_orders(report, acts)
    judge_cells(report, acts)
    if submitted is not None:
        judge_submitted(set(submitted), replies, report)
    tolerated = set(tolerate)
    report.notes += [f"tolerated {v.kind}: {v.text}" for v in report.violations if v.kind in tolerated]
    report.violations = [v for v in report.violations if v.kind not in tolerated]
    return report

"""The end of the demo: the independent checker's word, each order's end against the plan, and the summary.

Knows the checker as a program that reads what was recorded; must not know how anything came about.
"""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.text import Text

from central_scheduler.console.screen import Screen, painted
from central_scheduler.demo.children import our_path, python
from central_scheduler.demo.day import QUIET_S, Day
from central_scheduler.orderbook import OrderView

CHECK_LIMIT_S = 20.0
SHEET, SLIP = "sheet_out", "void_slip"


@dataclass(slots=True)
class Verdict:
    """What is to be said at the end; `findings` are whole sentences, none when all is well."""

    findings: list[str] = field(default_factory=list)
    acts: dict[str, list[str]] = field(default_factory=dict)  # order -> what the ledger counts for it
    counted: dict[str, int] = field(default_factory=dict)  # act -> how often, in all ledgers
    judged: bool = False

    @property
    def good(self) -> bool:
        return self.judged and not self.findings


async def judge(day: Day, folder: Path, ledgers: Sequence[Path], screen: Screen) -> Verdict:
    """Runs the checker over what was recorded, and holds each order against its plan."""
    verdict = Verdict()
    words = screen.words
    submitted = folder / "submitted.txt"
    others = [order for order in day.book.orders if order not in day.errands]  # a person's, from another terminal
    submitted.write_text("\n".join([*day.errands, *others]) + "\n", encoding="utf-8")
    report = await _checker(folder, ledgers, submitted)
    if report is None:
        verdict.findings.append(words("demo.checker_bad", finding=words("demo.checker_none")))
    else:
        verdict.judged = True
        verdict.acts, verdict.counted = _acts(report), report["acts"]
        told = (f"{one['kind']}: {one['text']}" for one in report["violations"])
        verdict.findings += [words("demo.checker_bad", finding=finding) for finding in told]
    verdict.findings += [words("demo.gap", gap=f"{gap.first}–{gap.last}") for gap in day.book.gaps]
    for name in day.errands:
        if finding := _against_plan(day, name, screen):
            verdict.findings.append(finding)
    return verdict


async def _checker(folder: Path, ledgers: Sequence[Path], submitted: Path) -> dict[str, Any] | None:
    command = python(
        "simulators.checker", "--events", str(folder / "events.jsonl"), "--replies", str(folder / "replies.jsonl"),
        *(word for ledger in ledgers for word in ("--ledger", str(ledger))), "--submitted", str(submitted), "--json",
    )  # fmt: skip
    with (folder / "checker.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.PIPE, stderr=log, env=our_path(), start_new_session=True
        )
        try:
            async with asyncio.timeout(CHECK_LIMIT_S):
                said, _ = await process.communicate()
        except TimeoutError:
            process.kill()
            await process.wait()
            return None
    try:
        report: dict[str, Any] = json.loads(said)
    except ValueError:
        return None
    return report


def _acts(report: dict[str, Any]) -> dict[str, list[str]]:
    acts: dict[str, list[str]] = defaultdict(list)
    for attempt in report["attempts"]:
        acts[attempt["order"]] += [act["act"] for act in attempt["acts"]]
    return acts


def _against_plan(day: Day, name: str, screen: Screen) -> str | None:
    words, errand, order = screen.words, day.errands[name], day.book.order(name)
    if reply := day.refused.get(name):
        return words("demo.rejected_unexpectedly", order=name, code=words.word("code", str(reply.code)))
    state = words.word("order_state", order.state)
    if not order.ended:
        return words("demo.lost", order=name, seconds=f"{QUIET_S:g}", state=state)
    if order.state not in errand.expected:
        expected = " / ".join(words.word("order_state", state) for state in errand.expected)
        return words("demo.surprise", order=name, state=state, expected=expected)
    return None


def tell(day: Day, verdict: Verdict, screen: Screen, took_s: float) -> None:
    """The summary for people, or as one JSON value."""
    total = sum(len(acts) for acts in verdict.acts.values())
    if screen.as_json:
        screen.json(_as_json(day, verdict, took_s))
        return
    words = screen.words
    heads = [words(f"label.{name}") for name in ("order", "plan", "ended", "reason", "acts", "verdict")]
    screen.section(words("demo.summary"))
    screen.table(heads, [_row(day, order, verdict, screen) for order in day.book.orders.values()])
    if verdict.good:
        screen.say(
            Text(words("demo.good", orders=len(day.book.orders), acts=total, events=day.book.applied), "bold green")
        )
        screen.say(words("demo.sheets", sheets=verdict.counted.get(SHEET, 0), slips=verdict.counted.get(SLIP, 0)))
    else:
        screen.say(Text(words("demo.bad", count=len(verdict.findings)), "bold red"))
        for finding in verdict.findings:
            screen.say(Text(finding, "red"))
    screen.say(words("demo.took", seconds=f"{took_s:.1f}"))


def _row(day: Day, order: OrderView, verdict: Verdict, screen: Screen) -> list[str | Text]:
    words = screen.words
    errand = day.errands.get(order.id)
    acts = ", ".join(words.word("ledger", act) for act in verdict.acts.get(order.id, []))
    bad = any(order.id in finding for finding in verdict.findings)
    mark = Text("✗", "red") if bad or not verdict.judged else Text("✓", "green")
    return [
        order.id,
        words(f"demo.{errand.what if errand else 'plan_yours'}"),
        painted(words.word("order_state", order.state), order.state),
        words.word("reason", order.reason),
        acts or "–",
        mark,
    ]


def _as_json(day: Day, verdict: Verdict, took_s: float) -> dict[str, Any]:
    orders = [
        {
            "order": order.id,
            "state": order.state,
            "expected": list(day.errands[order.id].expected) if order.id in day.errands else None,
            "reason": order.reason,
            "acts": verdict.acts.get(order.id, []),
        }
        for order in day.book.orders.values()
    ]
    sheets = {"sheets": verdict.counted.get(SHEET, 0), "void_slips": verdict.counted.get(SLIP, 0)}
    events = sheets | {"events": day.book.applied, "took_s": round(took_s, 1)}
    return {"ok": verdict.good, "orders": orders, "findings": verdict.findings, **events}

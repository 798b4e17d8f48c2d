"""Cash that was told as counted, beside the notes that really passed: as many, of the same sum, each bundle used once.

Knows the ledger of a banknote counter; two notes that passed as one are two here, whatever the counter made of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from simulators.checker.verdict import Attempt, Report
from simulators.checker.words import COUNTS, Json

Bundle = tuple[int, int]  # real notes, and what they are worth
BUNDLES_MAX = 16  # of a device; in more no combination is looked for


def judge_cash(attempts: Sequence[Attempt], acts: dict[str, list[Json]], report: Report) -> None:
    """Each counting that was told as done has its bundles in the ledger, in order, and no other counting has them."""
    counted = [attempt for attempt in attempts if attempt.act in COUNTS and attempt.state == "done"]
    for device in sorted({attempt.device for attempt in counted}):
        bundles = passed(acts.get(device, []))[-BUNDLES_MAX:]
        for attempt in counted:
            if attempt.device == device and not attempt.by_people:
                bundles = _used(attempt, bundles, report)


def passed(lines: Sequence[Json]) -> list[Bundle]:
    """The bundles that came to their end, by what really passed."""
    bundles: list[Bundle] = []
    values: list[int] = []
    for line in lines:
        detail = line.get("detail") or {}
        if line["act"] == "note_passed":
            values.append(detail["value"])
        elif line["act"] == "notes_passed_double":
            values.append(detail["notes"][1]["value"])  # the first of the two is told as passed besides
        elif line["act"] == "batch_counted":
            bundles.append((len(values), sum(values)))
            values = []
        elif line["act"] == "power_lost" or (line["act"] == "notes_taken" and detail["by"] == "free"):
            values = []
    return bundles


def _used(attempt: Attempt, bundles: list[Bundle], report: Report) -> list[Bundle]:
    """What is left for others."""
    facts = attempt.facts
    wanted = (facts.get("count"), facts.get("sum"))
    for places in combinations(range(len(bundles)), len(facts.get("batches") or ())):
        notes, worth = (sum(bundles[at][which] for at in places) for which in (0, 1))
        if (notes, worth) == wanted and wanted[1] == facts.get("expected"):
            return bundles[places[-1] + 1 :]
    report.blame(
        "cash_miscounted", f"attempt {attempt.id} was told as {wanted}, but the counter's bundles are {bundles}"
    )
    return bundles

"""The checker as a program: files of JSON lines in, the verdict as a table or as JSON out.

Knows files and arguments; must not judge.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path

from simulators.checker.judge import check
from simulators.checker.words import Json


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

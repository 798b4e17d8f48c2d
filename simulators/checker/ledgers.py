"""Reads what the simulated machines did (SIM-1): whole ledgers, machines not abused, cards that exist.

Knows ledger lines; must not know what anybody told about them.
"""

from __future__ import annotations

from collections import defaultdict

from simulators.checker.sheets import is_void
from simulators.checker.verdict import Report
from simulators.checker.words import CELL_OPENED, MOVING_RESETS, Json, serial_of


def read_ledgers(ledgers: list[list[Json]], report: Report) -> dict[str, list[Json]]:
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
        report.acts["void_slip" if is_void(line) else line["act"]] += 1
    if line["act"] == "disturbed":
        report.blame("disturbed", f"ledger #{line['n']}: {line['device']} got a frame while it moved (PHY-1)")
    if line["act"] == "reset" and str((line.get("detail") or {}).get("pm")) in MOVING_RESETS:
        report.blame(
            "moving_reset", f"ledger #{line['n']}: {line['device']} was reset in a way that moves the card (PHY-4)"
        )


def _judge_cards(device: str, lines: list[Json], report: Report) -> None:
    drawn: set[str] = set()
    cards = (line for line in lines if line["kind"] == "act" and line["act"] != CELL_OPENED)
    for line in (line for line in cards if serial_of(line)):
        serial = serial_of(line) or ""
        if line["act"] == "card_drawn" and serial in drawn:
            report.blame("ledger_card", f"ledger #{line['n']}: card {serial} was drawn twice from {device}")
        if line["act"] != "card_drawn" and serial not in drawn:
            report.blame(
                "ledger_card", f"ledger #{line['n']}: {line['act']} of card {serial}, which {device} never drew"
            )
        drawn.add(serial)

"""What was told of cells must fit what became of what lay in them: right cell, right item, taken or still there.

Knows orders with their attempts and acts, the books as they were told, and ledgers; how acts came to attempts is not
asked again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from simulators.checker.verdict import Attempt, Order, Report, Violation
from simulators.checker.words import BROKEN_OFF, CELL_OPENED, Json, serial_of

_MOVES = frozenset({"item_taken", "item_put_back", "item_stolen", "cell_loaded"})
_THERE = frozenset({"sealed", "reserved"})  # where the books say that it lies behind its lock


def of_another(act: Json, attempt: Attempt) -> Iterator[Violation]:
    """An opening must be of the cell, and show the item, that the attempt named before it."""
    for name, kind in (("cell", "wrong_cell"), ("serial", "wrong_article")):
        told, found = attempt.facts.get(name), (act.get("detail") or {}).get(name)
        if told != found:
            yield Violation(kind, f"ledger #{act['n']}: attempt {attempt.id} told {name} {told}, it was {found}")


def judge_cells(report: Report, lines: Mapping[str, list[Json]]) -> None:
    """Asked of every branch; one without cells has nothing to answer."""
    gone = {device: _gone(all_) for device, all_ in lines.items()}
    for attempt in report.attempts:
        if attempt.act == "open_cell":
            _judge_attempt(attempt, lines.get(attempt.device, []), report)
    takers: dict[str, list[str]] = {}
    for device, taken in gone.items():
        for serial, line in taken.items():
            taker = _taker(report, device, line)
            takers.setdefault(taker, []).append(serial)
            if not taker:
                report.blame("taken_untold", f"item {serial} of {device} was taken, and no order opened its cell")
    for order in report.orders.values():
        if any(a.order == order.id and a.act == "open_cell" for a in report.attempts):
            _judge_order(order, takers.get(order.id, []), report)
    _judge_books(report, gone)


def _gone(lines: list[Json]) -> dict[str, Json]:
    """The items that were taken out of an open cell and not put back, each with the line that tells it."""
    last = {serial: line for line in lines if line["act"] in _MOVES and (serial := serial_of(line))}
    return {serial: line for serial, line in last.items() if line["act"] == "item_taken"}


def _taker(report: Report, device: str, line: Json) -> str:
    """The order for which the cell was opened last before something was taken out of it; empty: none."""
    openings = [
        (act["n"], attempt.order)
        for attempt in report.attempts
        for act in attempt.acts
        if attempt.device == device and act["act"] == CELL_OPENED and _cell(act) == _cell(line) and act["n"] < line["n"]
    ]
    return max(openings, default=(0, ""))[1]


def _judge_attempt(attempt: Attempt, lines: list[Json], report: Report) -> None:
    """Told as without effect: if its door did open, it was closed again with the item behind it."""
    if attempt.state != "no_effect" or attempt.by_people:
        return
    for act in attempt.acts:
        later = [line for line in lines if line["n"] > act["n"] and _cell(line) == _cell(act)]
        first = next((line for line in later if line["act"] in {"door_closed", CELL_OPENED}), None)
        if first is None or first["act"] != "door_closed" or serial_of(first) is None:
            report.blame("act_denied", f"attempt {attempt.id} was told no_effect, but cell {_cell(act)} stood open")


def _judge_order(order: Order, taken: list[str], report: Report) -> None:
    # Opened to see that it opens: told as closed again on its item, by a step of its own and not because it was left.
    acts = [one for one in report.attempts if one.order == order.id]
    shut = any((one.act, one.step, one.item) == ("secure_cell", "close", "stock") for one in acts)
    if order.state == "completed" and not taken and not order.by_people and not shut:
        report.blame("not_taken", f"order {order.id} is completed, but nobody took its item")
    if shut and taken:
        report.blame("taken_untold", f"order {order.id} told {', '.join(taken)} shut in again, but it was taken")
    if order.state in BROKEN_OFF and taken and not order.by_people:
        report.blame("taken_untold", f"order {order.id} is {order.state}, but {', '.join(taken)} was taken")


def _judge_books(report: Report, gone: Mapping[str, dict[str, Json]]) -> None:
    for (device, cell), told in report.books.items():
        serial = told.get("serial")
        if told["to"] in _THERE and serial in gone.get(device, {}):
            report.blame("stock_wrong", f"cell {cell} of {device} is {told['to']} with {serial}, which was taken")
        if told["to"] == "empty" and told.get("reason") == "taken" and serial not in gone.get(device, {}):
            report.blame("stock_wrong", f"cell {cell} of {device} is told taken, but nobody took {serial}")


@dataclass(slots=True)
class Books:
    """Follows the stock as it is told; what has a wrong beginning is blamed once."""

    report: Report

    def take(self, data: Json) -> None:
        key = (data["device"], data["cell"])
        known = self.report.books.get(key, {"to": "empty"})
        if data.get("from") != known["to"]:
            text = f"cell {key[1]} of {key[0]} went from {data.get('from')} to {data['to']}, but was {known['to']}"
            self.report.blame("stock_jump", text)
        if data["to"] == "reserved" and data.get("from") == "reserved" and data.get("order") != known.get("order"):
            self.report.blame("stock_twice", f"cell {key[1]} of {key[0]} is kept for two orders")
        if data["to"] == "declared" and data.get("reason") == "loaded" and len(set(data.get("by") or ())) < 2:
            self.report.blame("too_few_people", f"cell {key[1]} of {key[0]} was loaded by fewer than two people")
        self.report.books[key] = data


def _cell(line: Json) -> str | None:
    cell = (line.get("detail") or {}).get("cell")
    return None if cell is None else str(cell)

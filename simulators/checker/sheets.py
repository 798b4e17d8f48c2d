"""Joins printed sheets with the attempts that they name by their own text, and finds doubled, unmarked and mixed ones.

Knows the lines that every sheet bears and the evidence classes of ORD-10; must not know how a printer works.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from simulators.checker.verdict import Attempt, Report
from simulators.checker.words import PRINTS, SHEET, Json

_NAME = re.compile(r"No\. (\S+)\s*$")
_ATTEMPT = re.compile(r"\S+/\S+/[1-9]\d*")  # a text may speak of other numbers: No. 6222
_REPRINT = re.compile(r"^\s*重印 REPRINT (\d+)\s*$")
_VOID = "作废 VOID"
_POWER = frozenset({"power_lost", "buffer_cleared"})
_SHORTEST_ID = 3  # a shorter order id may stand in any text by chance


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet as it lies before a person who reads it; `line` is its line in the ledger."""

    line: Json
    names: tuple[str, ...]
    reprint: int
    void: bool

    @property
    def torn(self) -> bool:
        """The front part of a sheet that a hand took out, at a paper's end for example: it bears no number yet."""
        return not self.names and not self.void and self.line["detail"].get("cut") is False

    @property
    def label(self) -> str:
        return f"ledger #{self.line['n']} of {self.line['device']}: sheet {self.line['detail'].get('sheet')}"


def read_sheet(line: Json) -> Sheet:
    """By its own text; a document has none in the ledger, its job is named there."""
    detail = line["detail"]
    text = detail.get("lines")
    if text is None:
        return Sheet(line, tuple(detail["attempts"]), int(detail["reprint"]), bool(detail["void"]))
    reprints = [int(found[1]) for found in map(_REPRINT.match, text) if found]
    return Sheet(line, _names(text), max(reprints, default=0), any(words.strip() == _VOID for words in text))


def _names(text: Iterable[str]) -> tuple[str, ...]:
    """The attempt of each `No. ` line; a long one goes on in lines that begin with two blanks."""
    names: list[str] = []
    goes_on = False
    for words in text:
        found = _NAME.match(words)
        if found:
            names.append(found[1])
        elif goes_on and words.startswith("  ") and words.strip():
            names[-1] += words.strip()
        goes_on = found is not None or (goes_on and words.startswith("  "))
    return tuple(name for name in names if _ATTEMPT.fullmatch(name))


def is_void(line: Json) -> bool:
    """Whether this line of a ledger is a slip that only says what does not count."""
    return line["act"] == SHEET and read_sheet(line).void


def judge_sheets(attempts: list[Attempt], lines: Mapping[str, list[Json]], report: Report) -> None:
    """Each sheet belongs to one attempt, each attempt has as many sheets as was told of it (ORD-9, ORD-10)."""
    sheets = [sheet for all_ in lines.values() for sheet in _joined(all_)]
    known = {attempt.id: attempt for attempt in attempts if attempt.act in PRINTS}
    of_attempt: dict[str, list[Sheet]] = defaultdict(list)
    for sheet in sheets:
        if sheet.torn:
            report.notes.append(f"{sheet.label} was taken out by hand before its end")
        elif sheet.void:
            _judge_void(sheet, known, report)
        elif attempt := _attempt_of(sheet, known, report):
            of_attempt[attempt.id].append(sheet)
            attempt.acts.append(sheet.line)
    _judge_content(sheets, known, report)
    unpowered = {device for device, all_ in lines.items() if any(line["act"] in _POWER for line in all_)}
    for attempt in known.values():
        if attempt.act == "void_receipt":
            _judge_voided(attempt, sheets, known, report)
        else:
            _judge_count(attempt, of_attempt[attempt.id], unpowered, report)
    _judge_marks(known.values(), of_attempt, report)


def _joined(lines: Iterable[Json]) -> Iterator[Sheet]:
    """One device's sheets; where a hand took out the front part, its mark goes on for the rest that comes after it."""
    carried = 0
    for sheet in (read_sheet(line) for line in lines if line["act"] == SHEET):
        if sheet.torn:
            carried = max(carried, sheet.reprint)
            yield sheet
        else:
            yield sheet if sheet.void else replace(sheet, reprint=max(carried, sheet.reprint))
            carried = 0


def _attempt_of(sheet: Sheet, known: Mapping[str, Attempt], report: Report) -> Attempt | None:
    if len(sheet.names) > 1:
        report.blame("mixed_sheet", f"{sheet.label} names {', '.join(sheet.names)}")
        return None
    attempt = known.get(sheet.names[0]) if sheet.names else None
    if attempt is None or attempt.act == "void_receipt":
        report.blame("stray_sheet", f"{sheet.label} names {', '.join(sheet.names) or 'no attempt'}")
        return None
    if attempt.device != sheet.line["device"]:
        report.blame("wrong_device", f"{sheet.label} names {attempt.id}, which was armed for {attempt.device}")
    return attempt


def _judge_void(sheet: Sheet, known: Mapping[str, Attempt], report: Report) -> None:
    voided = {attempt.order for attempt in known.values() if attempt.act == "void_receipt"}
    for name in sheet.names or ("",):
        attempt = known.get(name)
        if attempt is None or not (attempt.doubted or attempt.order in voided):
            report.blame("void_wrong", f"{sheet.label} voids {name or 'nothing'}, neither in doubt nor undone")


def _judge_voided(attempt: Attempt, sheets: list[Sheet], known: Mapping[str, Attempt], report: Report) -> None:
    own = [s for s in sheets if s.void and any(n in known and known[n].order == attempt.order for n in s.names)]
    attempt.acts += [sheet.line for sheet in own if sheet.line["device"] == attempt.device]
    if attempt.state == "done" and not own and not attempt.by_people:
        report.blame("missing_sheet", f"attempt {attempt.id} was told done, but no slip voids anything of its order")


def _judge_count(attempt: Attempt, own: list[Sheet], unpowered: set[str], report: Report) -> None:
    if len(own) > 1:
        report.blame("sheet_twice", f"{', '.join(sheet.label for sheet in own)}: each says it is {attempt.id}")
    if attempt.by_people:
        return
    if attempt.state == "no_effect" and own:
        report.blame("sheet_denied", f"{own[0].label} is {attempt.id}, which was told no_effect")
    if attempt.state != "done":
        return
    evidence = attempt.facts.get("evidence")
    if not own:
        text = f"attempt {attempt.id} was told done ({evidence}), but no sheet names it"
        if evidence == "sent" and attempt.device in unpowered:
            report.notes.append(f"{text}; its printer lost power")
        else:
            report.blame("missing_sheet", text)
    for sheet in own:
        _judge_whole(attempt, sheet, report)


def _judge_whole(attempt: Attempt, sheet: Sheet, report: Report) -> None:
    """What was told of a sheet that is there: cut, all pages, the number of its mark."""
    detail, evidence = sheet.line["detail"], attempt.facts.get("evidence")
    if evidence == "printed" and detail.get("cut") is False:
        report.blame("not_cut", f"{sheet.label} is {attempt.id}, told printed, but it was never cut")
    if evidence != "sent" and detail.get("pages_done", 0) < detail.get("pages", 0):
        report.blame("missing_pages", f"{sheet.label} is {attempt.id} and has {detail['pages_done']} pages only")
    if attempt.facts.get("reprint", sheet.reprint) != sheet.reprint:
        told = attempt.facts["reprint"]
        report.blame("reprint_number", f"{sheet.label} is {attempt.id}, told reprint {told}, marked {sheet.reprint}")


def _judge_marks(attempts: Iterable[Attempt], of_attempt: Mapping[str, list[Sheet]], report: Report) -> None:
    """Per step one unmarked original at most; every later sheet bears a number, and the numbers ascend (ORD-10)."""
    steps: dict[tuple[str, str], list[Attempt]] = defaultdict(list)
    for attempt in attempts:
        steps[attempt.order, attempt.step].append(attempt)
    for (_, step), own in steps.items():
        highest, doubtful = 0, False
        for attempt in own:
            for sheet in of_attempt.get(attempt.id, ()):
                if not sheet.reprint and doubtful:
                    report.blame("unmarked_reprint", f"{sheet.label} is {attempt.id} without 重印: one may lie outside")
                elif sheet.reprint and sheet.reprint <= highest:
                    report.blame("reprint_number", f"{sheet.label}: step {step}, 重印 {sheet.reprint} after {highest}")
                highest = max(highest, sheet.reprint)
                doubtful = True
            doubtful |= attempt.state != "no_effect"


def _judge_content(sheets: list[Sheet], known: Mapping[str, Attempt], report: Report) -> None:
    """No line of one order on another's sheet: whichever order a text names, the sheet must be that order's."""
    ids = sorted((re.escape(order) for order in report.orders if len(order) >= _SHORTEST_ID), key=len, reverse=True)
    if not ids:
        return
    mention = re.compile(rf"(?<![A-Za-z0-9_.-])(?:{'|'.join(ids)})(?![A-Za-z0-9_-])")
    for sheet in sheets:
        own = {known[name].order for name in sheet.names if name in known}
        if sheet.torn:  # whose it is stands on it nowhere: it may name one order, but not two
            own = set(mention.findall("\n".join(sheet.line["detail"]["lines"]))[:1])
        for text in sheet.line["detail"].get("lines") or ():
            foreign = set(mention.findall(text)) - own
            if foreign:
                whose = ", ".join(sorted(own)) or "nobody"
                report.blame("foreign_line", f"{sheet.label} is of {whose}, and says {text.strip()!r}")

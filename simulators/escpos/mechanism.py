"""Head, paper and cutter: one job after the other, each in its time, and what breaks it off.

Knows jobs, the roll and sheets; what a job was asked by, and what the host hears, is the printer's affair.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from simulators.escpos import sheets
from simulators.escpos.jobs import PRINTING, Job, job_of
from simulators.escpos.roll import MAX_ROWS, Roll
from simulators.faults import Fault
from simulators.machine import Paper

if TYPE_CHECKING:
    from simulators.escpos.printer import EscPosPrinter


class Mechanism:
    """`waiting` jobs, the one under way, and the roll that hangs out of the printer."""

    def __init__(self, printer: EscPosPrinter) -> None:
        self._printer = printer
        self.roll = Roll(printer.options.dots)
        self.sheets = 0
        self.waits_for: list[Fault] = []  # faults that strike within a line of paper
        self._jobs: deque[Job] = deque()
        self._running: object = None
        self._counted: Job | None = None
        self._counts: Counter[str] = Counter()

    @property
    def busy(self) -> bool:
        return self._running is not None

    @property
    def waiting(self) -> bool:
        return bool(self._jobs)

    def add(self, jobs: Iterable[Job]) -> None:
        self._jobs += jobs

    def begin(self, now: float) -> bool:
        """Start the next job; False when there is none, or something struck just then."""
        if not self._jobs:
            return False
        job = self._jobs[0]
        printer = self._printer
        running = self._running = object()
        if job is not self._counted:  # a job that was paused begins again, but is the same
            self._counted = job
            self._counts[job.name] += 1
            printer.occasion(job.name, self._counts[job.name], now)
        duration_s = job.duration_s(printer.options.line_s, printer.options.cut_s)
        if job.name in PRINTING:
            self._strike(job, duration_s, running, now)
        if job.name == "cut" and self._running is running:
            self._meet_jam(now)
        if self._running is not running:
            return False

        def finish(at_s: float) -> None:
            if self._running is running:
                self._finish(at_s)
                printer.go_on(at_s)

        printer.agenda.at(now + duration_s, finish)
        return True

    def _strike(self, job: Job, duration_s: float, running: object, now: float) -> None:
        """Faults for this line of the sheet; power may go in the middle of it."""
        from simulators.escpos.mishaps import happen

        nth = self.roll.lines + 1
        for fault in [one for one in self.waits_for if one.args["at_line"] in {None, nth}]:
            self.waits_for.remove(fault)
            fraction = fault.args.get("at_fraction")
            if fraction is None:
                happen(self._printer, fault, now)
                continue

            def lose_power(at_s: float, fault: Fault = fault, fraction: float = fraction) -> None:
                if self._running is running:
                    self._part(job, fraction)
                    happen(self._printer, fault, at_s)

            self._printer.agenda.at(now + fraction * duration_s, lose_power)

    def _part(self, job: Job, fraction: float) -> None:
        done = job.rows[: int(len(job.rows) * fraction)]
        if done:
            self.roll.add(done, job.text if fraction >= 0.5 else None)

    def _meet_jam(self, now: float) -> None:
        printer = self._printer
        if printer.armed.take("cutter_jam", now):
            printer.condition.cutter_jammed = True
        if printer.condition.cutter_jammed:
            printer.condition.cutter_error = True
            printer.tell("show", "cutter_jammed", {}, now)
            printer.changed(now)

    def _finish(self, now: float) -> None:
        job, self._running = self._jobs.popleft(), None
        if job.name == "cut":
            self._printer.counters.cuts += 1
            self.come_off(now, cut=True)
        elif job.name == "feed":
            self.roll.feed(job.dots)
            self._printer.counters.lines += job.dots // 30
        else:
            self.roll.add(job.rows, job.text)
            self._printer.counters.lines += 1
        self._printer.counters.keep()
        if self.roll.rows > MAX_ROWS:
            self.come_off(now, cut=False)

    def come_off(self, now: float, *, cut: bool) -> None:
        """A sheet: cut at the cutter, or torn off whole by a hand or its own weight."""
        printer = self._printer
        piece = self.roll.cut(printer.options.cutter_dots if cut else 0)
        self.sheets += 1
        name = f"{printer.device}-{self.sheets:04d}"
        drawn = printer.options.draws
        detail = sheets.detail_of(self.sheets, piece, f"sheets/{name}.png" if drawn else "", cut=cut)
        if drawn:
            printer.emit(Paper(name, sheets.png_of(piece.rows, printer.options.dots), sheets.text_of(piece)))
        printer.tell("act", "sheet_out", detail, now)
        if cut and printer.options.presenter:
            printer.presenter.hold({"sheet": self.sheets, "attempts": detail["attempts"]}, now)
        self._counts["sheet"] += 1
        printer.occasion("sheet", self._counts["sheet"], now)

    def repeat_last_line(self) -> None:
        """A printer that resumes does not know how much of the line is on the paper: it prints it again."""
        last = self.roll.last()
        if last is not None:
            self._jobs.appendleft(Job("line", rows=tuple(last[0]), text=last[1]))

    def pause(self) -> None:
        """The motor stops; the job begins again when the printer goes on."""
        self._running = None

    def clear(self) -> None:
        """Nothing of what was still to be printed is printed."""
        self._jobs.clear()
        self._running = None

    def stop(self) -> str | None:
        """The power went; what was going on."""
        during = self._jobs[0].name if self._jobs and self.busy else None
        self.clear()
        return during

    def snapshot(self) -> dict[str, Any]:
        return {
            "jobs": [job.snapshot() for job in self._jobs],
            "roll": self.roll.snapshot(),
            "sheets": self.sheets,
        }

    def restore(self, saved: Mapping[str, Any]) -> None:
        stride = self._printer.options.dots // 8
        self._jobs = deque(job_of(job, stride) for job in saved["jobs"])
        self._running = None
        self.roll.restore(saved["roll"])
        self.sheets = int(saved["sheets"])

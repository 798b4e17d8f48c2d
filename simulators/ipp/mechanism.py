"""The printer's inside: one job at a time, page by page, stopped by empty trays, jams and open covers.

Knows jobs, pages and hands; must not know requests. What happened is told by `tell(kind, act, detail, now)`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from simulators.faults import Fault
from simulators.ipp.jobs import ABORTED, CANCELED, COMPLETED, HELD, PENDING, PROCESSING, STOPPED, Job
from simulators.ipp.options import Options
from simulators.machine import Agenda

Tell = Callable[[str, str, dict[str, Any], float], None]
TROUBLES = ("media-empty", "media-jam", "cover-open", "toner-empty")


class Mechanism:
    """`jobs` oldest first. A page under way when trouble comes is finished; a jam keeps it inside."""

    def __init__(self, options: Options, agenda: Agenda, tell: Tell) -> None:
        self.options, self._agenda, self._tell = options, agenda, tell
        self.jobs: list[Job] = []
        self.troubles: list[str] = []
        self.waiting: list[
            Fault
        ] = []  # jam, abort_job and completed_with_errors, each for the next job that comes to it
        self.next_id = 1
        self.sheets = 0
        self._epoch = 0  # a loss of power ends every motion

    @property
    def printing(self) -> Job | None:
        return next((job for job in self.jobs if job.state in (PROCESSING, STOPPED)), None)

    def add(self, name: str, user: str, now: float) -> Job:
        """A job without documents. It is aborted unless its last document comes in time."""
        job = Job(self.next_id, name, user, now)
        self.next_id += 1
        self.jobs.append(job)
        self._agenda.at(now + self.options.incoming_s, lambda at_s: self._give_up(job, at_s))
        return job

    def close(self, job: Job, now: float) -> None:
        """All its documents are there."""
        job.closed, job.state, job.reasons = True, PENDING, ["none"]
        self.next_up(now)

    def next_up(self, now: float) -> None:
        """Begins the oldest job that waits, if nothing is in the way."""
        if self.printing is not None or self.troubles:
            return
        job = next((job for job in self.jobs if job.state == PENDING), None)
        if job is not None:
            job.state, job.reasons, job.processing_s = PROCESSING, ["job-printing"], now
            self._later(job, self.options.begin_s + self.options.page_s, now)

    def end(self, job: Job, state: int, reason: str, now: float) -> None:
        """What was printed of it lies in the tray from now on."""
        if job.ended:
            return
        job.state, job.reasons, job.ended_s = state, [reason], now
        if job.pages_done:
            self.sheets += 1
            self._tell("act", "sheet_out", job.detail(self.sheets), now)
        ended = [one for one in self.jobs if one.ended]
        for old in sorted(ended, key=lambda one: one.ended_s or 0.0)[: max(0, len(ended) - self.options.history)]:
            self.jobs.remove(old)
        self.next_up(now)

    def stop(self, trouble: str, now: float) -> None:
        """Something is in the way."""
        if trouble not in self.troubles:
            self.troubles.append(trouble)
            self._tell("show", trouble.replace("-", "_"), {}, now)
        job = self.printing
        if job is not None:
            job.state, job.reasons = STOPPED, ["printer-stopped"]

    def mend(self, trouble: str, now: float) -> None:
        """Hands put it right; the job that stood goes on, the page in a jam is printed again."""
        if trouble not in self.troubles:
            return
        self.troubles.remove(trouble)
        self._tell("show", f"{trouble.replace('-', '_')}_mended", {}, now)
        job = self.printing
        if job is not None and not self.troubles:
            job.state, job.reasons = PROCESSING, ["job-printing"]
            self._later(job, self.options.page_s, now)
        self.next_up(now)

    def lose_power(self, now: float, *, keeps_history: bool) -> None:
        """Everything that had not ended is aborted; sheets that lie in the tray stay there."""
        self._epoch += 1
        for job in [one for one in self.jobs if not one.ended]:
            self.end(job, ABORTED, "aborted-by-system", now)
        if not keeps_history:
            self.jobs.clear()
            self.next_id = 1

    def resume(self, now: float) -> None:
        """After the simulator's own end: the page under way begins anew, a job still incoming waits anew."""
        job = self.printing
        if job is not None and job.state == PROCESSING:
            self._later(job, self.options.page_s, now)
        for one in self.jobs:
            if one.state == HELD:
                self._agenda.at(now + self.options.incoming_s, lambda at_s, one=one: self._give_up(one, at_s))  # type: ignore[misc]
        self.next_up(now)

    def _later(self, job: Job, seconds: float, now: float) -> None:
        epoch, done = self._epoch, job.pages_done

        def page(at_s: float) -> None:
            if epoch == self._epoch and job.state == PROCESSING and job.pages_done == done:
                self._page(job, at_s)

        self._agenda.at(now + seconds, page)

    def _page(self, job: Job, now: float) -> None:
        if self._due("jam", job):
            self.stop("media-jam", now)
            return
        if self._due("abort_job", job):
            self.end(job, ABORTED, "aborted-by-system", now)
            return
        job.pages_done += 1
        self._tell("show", "page_out", {"job": job.id, "page": job.pages_done}, now)
        if job.pages_done < job.pages:
            self._later(job, self.options.page_s, now)
        elif job.partial:
            self.end(job, ABORTED, "aborted-by-system", now)
        else:
            faulty = self._take("completed_with_errors") is not None
            self.end(job, COMPLETED, "job-completed-with-errors" if faulty else "job-completed-successfully", now)

    def _due(self, name: str, job: Job) -> bool:
        fault = next((one for one in self.waiting if one.name == name and one.args["after"] <= job.pages_done), None)
        if fault is not None:
            self.waiting.remove(fault)
        return fault is not None

    def _take(self, name: str) -> Fault | None:
        fault = next((one for one in self.waiting if one.name == name), None)
        if fault is not None:
            self.waiting.remove(fault)
        return fault

    def _give_up(self, job: Job, now: float) -> None:
        if job.state != HELD or job.closed:
            return
        if self.options.processes_incoming and job.papers:
            self.close(job, now)
        else:
            self.end(job, ABORTED, "aborted-by-system", now)

    def cancel(self, job: Job, now: float) -> None:
        """The page under way is let go of; what came out stays out."""
        self.end(job, CANCELED, "job-canceled-by-user", now)

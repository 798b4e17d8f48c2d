"""The printer's jobs as the driver needs them: created, filled, asked after, cancelled, found again by name.

Knows requests and answers; must not know what a job's state means for an attempt.
"""

from __future__ import annotations

import asyncio

from device_drivers.errors import OutcomeUnknown
from device_drivers.ipp import operations
from device_drivers.ipp.conversation import GONE, NOT_FOUND, NOT_POSSIBLE, Conversation, StatusError
from device_drivers.ipp.printer import Job, PrinterState, jobs_of
from device_drivers.ipp.protocol import Tag
from device_drivers.links.finish import finish_first

WHICH = ("not-completed", "completed")  # `all` is not in every printer; a job goes from the first to the second only


class Queue:
    """One printer. Questions raise DeviceUnavailable and StatusError; acts raise OutcomeUnknown besides."""

    def __init__(self, conversation: Conversation, jobs_max: int) -> None:
        self._conversation = conversation
        self._jobs_max = jobs_max

    async def state(self) -> PrinterState:
        """One look at the printer."""
        question = operations.get_printer_attributes(self._conversation.uri, self._conversation.next_id())
        answer = await self._conversation.ask(question)
        return PrinterState.of(answer.group(Tag.PRINTER))

    async def find(self, name: str) -> tuple[Job | None, bool]:
        """The job of that name, the newest where there are several; and whether the whole list was seen."""
        whole = True
        found: list[Job] = []
        for which in WHICH:
            question = operations.get_jobs(self._conversation.uri, self._conversation.next_id(), which, self._jobs_max)
            groups = (await self._conversation.ask(question)).all(Tag.JOB)
            whole = whole and len(groups) < self._jobs_max
            found += [job for job in jobs_of(groups) if job.name == name]
        return max(found, key=lambda job: job.id, default=None), whole

    async def look(self, job_id: int, name: str) -> Job | None:
        """The job of that id, if it bears that name: after a restart a printer may count from 1 again."""
        question = operations.get_job_attributes(self._conversation.uri, self._conversation.next_id(), job_id)
        try:
            jobs = jobs_of((await self._conversation.ask(question)).all(Tag.JOB))
        except StatusError as error:
            if error.status in (NOT_FOUND, GONE):
                return None
            raise
        return next((job for job in jobs if job.id == job_id and job.name == name), None)

    async def create(self, name: str, template: dict[str, str], send_s: float) -> int:
        """Create-Job, once; the job's id. It has no document: nothing is printed."""
        request = operations.create_job(self._conversation.uri, self._conversation.next_id(), name, template)
        answer = await finish_first(self._conversation.act(request, send_s=send_s))
        job_id = answer.group(Tag.JOB).integer("job-id")
        if job_id is None:
            raise OutcomeUnknown("nonsense", "Create-Job was answered without a job-id")
        return job_id

    async def fill(self, job_id: int, media_type: str, name: str, data: bytes, *, last: bool, until: float) -> None:
        """Send-Document, once. The printer may begin to print with its first bytes."""
        uri, request_id = self._conversation.uri, self._conversation.next_id()
        request = operations.send_document(uri, request_id, job_id, media_type, name, last=last)
        send_s = max(1.0, until - asyncio.get_running_loop().time())
        try:
            await self._conversation.act(request, data, send_s=send_s)
        except StatusError as error:  # the job is there, and what it makes of this must be seen
            raise OutcomeUnknown(error.reason, error.detail) from error

    async def cancel(self, job_id: int) -> None:
        """Cancel-Job; a job that ended meanwhile stays as it is."""
        request = operations.cancel_job(self._conversation.uri, self._conversation.next_id(), job_id)
        try:
            await self._conversation.ask(request)  # cancelling twice is cancelling
        except StatusError as error:
            if error.status not in (NOT_POSSIBLE, NOT_FOUND, GONE):
                raise

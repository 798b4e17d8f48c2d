"""What the simulated printer answers to each IPP operation.

Knows operations, statuses and attributes; the printing itself is `mechanism`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from device_drivers.ipp.protocol import Group, Message, Tag, Value
from simulators.ipp.jobs import CANCELED, Job, paper_of
from simulators.ipp.mechanism import Mechanism

OK, BAD_REQUEST, NOT_POSSIBLE, NOT_FOUND = 0x0000, 0x0400, 0x0404, 0x0406
FORMAT, UNSUPPORTED_OPERATION, MULTIPLE = 0x040A, 0x0501, 0x0509
CREATE_JOB, SEND_DOCUMENT, CANCEL_JOB, GET_JOB, GET_JOBS, GET_PRINTER = 0x05, 0x06, 0x08, 0x09, 0x0A, 0x0B
OPERATIONS = (CREATE_JOB, SEND_DOCUMENT, CANCEL_JOB, GET_JOB, GET_JOBS, GET_PRINTER)
IDLE, BUSY, STOPPED = 3, 4, 5

Attributes = dict[str, tuple[Value, ...]]


class Office:
    """Answers requests for one mechanism. `up_s(now)` is how long the printer has been running."""

    def __init__(self, device: str, mechanism: Mechanism, up_s: Callable[[float], float]) -> None:
        self._device, self._mechanism, self._up_s = device, mechanism, up_s
        self._options = mechanism.options

    def answer(self, request: Message, now: float) -> Message:
        """Does what is asked."""
        handle = {
            CREATE_JOB: self._create,
            SEND_DOCUMENT: self._send,
            CANCEL_JOB: self._cancel,
            GET_JOB: self._job,
            GET_JOBS: self._jobs,
            GET_PRINTER: self._printer,
        }.get(request.code)
        if handle is None:
            return self._say(request, UNSUPPORTED_OPERATION)
        return handle(request, request.group(Tag.OPERATION), now)

    def busy(self, request: Message) -> Message:
        """server-error-busy."""
        return self._say(request, 0x0507)

    def cut_short(self, request: Message, now: float) -> None:
        """A Send-Document whose connection went before its end."""
        job = self._find(request.group(Tag.OPERATION))
        if request.code != SEND_DOCUMENT or job is None or job.ended or job.closed:
            return
        if self._options.prints_partial and request.data:
            job.papers.append(paper_of(request.group(Tag.OPERATION).text("document-format"), request.data))
            job.partial = True
            self._mechanism.close(job, now)
        else:
            self._mechanism.end(job, 8, "aborted-by-system", now)

    def _create(self, request: Message, asked: Group, now: float) -> Message:
        job = self._mechanism.add(asked.text("job-name") or "untitled", asked.text("requesting-user-name"), now)
        return self._say(request, OK, Group(Tag.JOB, self._told(job, now, ("job-id", "job-uri", "job-state"))))

    def _send(self, request: Message, asked: Group, now: float) -> Message:
        job = self._find(asked)
        if job is None:
            return self._say(request, NOT_FOUND)
        if job.ended or job.closed:
            return self._say(request, NOT_POSSIBLE)
        last = asked.flag("last-document")
        if request.data:
            media_type = asked.text("document-format")
            if media_type not in self._options.formats:
                return self._say(request, FORMAT)
            if job.papers and not self._options.many_documents:
                return self._say(request, MULTIPLE)
            job.papers.append(paper_of(media_type, request.data))
        if last:
            self._mechanism.close(job, now)
        return self._say(request, OK, Group(Tag.JOB, self._told(job, now, ("job-id", "job-uri", "job-state"))))

    def _cancel(self, request: Message, asked: Group, now: float) -> Message:
        job = self._find(asked)
        if job is None:
            return self._say(request, NOT_FOUND)
        if job.ended:
            return self._say(request, NOT_POSSIBLE)
        self._mechanism.cancel(job, now)
        assert job.state == CANCELED
        return self._say(request, OK)

    def _job(self, request: Message, asked: Group, now: float) -> Message:
        job = self._find(asked)
        if job is None:
            return self._say(request, NOT_FOUND)
        return self._say(request, OK, Group(Tag.JOB, self._told(job, now, asked.texts("requested-attributes"))))

    def _jobs(self, request: Message, asked: Group, now: float) -> Message:
        completed = asked.text("which-jobs") == "completed"
        jobs = [job for job in self._mechanism.jobs if job.ended == completed]
        if asked.flag("my-jobs"):
            jobs = [job for job in jobs if job.user == asked.text("requesting-user-name")]
        if completed:
            jobs.sort(key=lambda job: job.ended_s or 0.0, reverse=True)
        wanted = asked.texts("requested-attributes") or ("job-id", "job-uri")
        told = [Group(Tag.JOB, self._told(job, now, wanted)) for job in jobs[: asked.integer("limit") or None]]
        return self._say(request, OK, *told)

    def _printer(self, request: Message, asked: Group, now: float) -> Message:
        return self._say(
            request, OK, Group(Tag.PRINTER, _chosen(self._about(now), asked.texts("requested-attributes")))
        )

    def _find(self, asked: Group) -> Job | None:
        job_id = asked.integer("job-id")
        return next((job for job in self._mechanism.jobs if job.id == job_id), None)

    def _told(self, job: Job, now: float, wanted: Iterable[str]) -> Attributes:
        up_s, began = self._up_s(now), now - self._up_s(now)
        at = {name: max(0, int(value - began)) if value is not None else None for name, value in (
            ("time-at-creation", job.created_s),
            ("time-at-processing", job.processing_s),
            ("time-at-completed", job.ended_s),
        )}  # fmt: skip
        all_: Attributes = {
            "job-id": _integers(job.id),
            "job-uri": (Value(Tag.URI, f"ipp://127.0.0.1/ipp/print/{job.id}"),),
            "job-name": (Value(Tag.NAME, job.name),),
            "job-originating-user-name": (Value(Tag.NAME, job.user),),
            "job-state": (Value(Tag.ENUM, job.state),),
            "job-state-reasons": _keywords(job.reasons),
            "number-of-documents": _integers(len(job.papers)),
            "job-printer-up-time": _integers(int(up_s)),
        }
        all_ |= {k: _integers(v) if v is not None else (Value(Tag.NO_VALUE),) for k, v in at.items()}
        if self._options.counts:
            all_["job-impressions-completed"] = _integers(job.pages_done)
        return _chosen(all_, wanted)

    def _about(self, now: float) -> Attributes:
        options, mechanism = self._options, self._mechanism
        waiting = [job for job in mechanism.jobs if not job.ended]
        state = STOPPED if mechanism.troubles else BUSY if mechanism.printing else IDLE
        level = 0 if "toner-empty" in mechanism.troubles else 80
        return {
            "printer-name": (Value(Tag.NAME, self._device),),
            "printer-uuid": (Value(Tag.URI, options.own_uuid(self._device)),),
            "printer-make-and-model": (Value(Tag.TEXT, options.model),),
            "printer-firmware-string-version": (Value(Tag.TEXT, options.firmware),),
            "printer-state": (Value(Tag.ENUM, state),),
            "printer-state-reasons": _keywords([f"{one}-error" for one in mechanism.troubles] or ["none"]),
            "printer-is-accepting-jobs": (Value(Tag.BOOLEAN, True),),
            "printer-up-time": _integers(max(1, int(self._up_s(now)))),
            "queued-job-count": _integers(len(waiting)),
            "operations-supported": tuple(Value(Tag.ENUM, one) for one in OPERATIONS),
            "document-format-supported": tuple(Value(Tag.MIME_TYPE, one) for one in options.formats),
            "multiple-document-jobs-supported": (Value(Tag.BOOLEAN, options.many_documents),),
            "multiple-operation-time-out": _integers(int(options.incoming_s)),
            "marker-names": (Value(Tag.NAME, "Black"),),
            "marker-types": _keywords(["toner"]),
            "marker-levels": _integers(level),
        }

    def _say(self, request: Message, status: int, *groups: Group) -> Message:
        first = Group(
            Tag.OPERATION,
            {
                "attributes-charset": (Value(Tag.CHARSET, "utf-8"),),
                "attributes-natural-language": (Value(Tag.LANGUAGE, "en"),),
            },
        )
        return Message(request.version, status, request.request_id, (first, *groups))


def _chosen(attributes: Attributes, wanted: Iterable[str]) -> Attributes:
    names = set(wanted)
    return attributes if not names or "all" in names else {k: v for k, v in attributes.items() if k in names}


def _integers(*values: int) -> tuple[Value, ...]:
    return tuple(Value(Tag.INTEGER, value) for value in values)


def _keywords(values: Iterable[Any]) -> tuple[Value, ...]:
    return tuple(Value(Tag.KEYWORD, value) for value in values)

"""The six requests that a branch makes of an IPP printer, as messages; nothing else is ever sent.

Knows operations and their attributes; must not know connections nor what an answer comes to.
Source: RFC 8011 section 4.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum

from device_drivers.ipp.protocol import VERSION_2_0, Group, Message, Tag, Value

USER = "branchgate"  # requesting-user-name: whose jobs these are, on the printer's panel


class Operation(IntEnum):
    """RFC 8011 section 5.4.15."""

    CREATE_JOB = 0x0005
    SEND_DOCUMENT = 0x0006
    CANCEL_JOB = 0x0008
    GET_JOB_ATTRIBUTES = 0x0009
    GET_JOBS = 0x000A
    GET_PRINTER_ATTRIBUTES = 0x000B


NEEDED = frozenset(Operation)  # a printer without one of them cannot be driven; IPP Everywhere asks for all

PRINTER_ATTRIBUTES = (
    "printer-state",
    "printer-state-reasons",
    "printer-is-accepting-jobs",
    "printer-up-time",
    "printer-uuid",
    "printer-make-and-model",
    "printer-firmware-string-version",
    "printer-serial-number",
    "queued-job-count",
    "operations-supported",
    "document-format-supported",
    "multiple-document-jobs-supported",
    "marker-names",
    "marker-types",
    "marker-levels",
)
JOB_ATTRIBUTES = (
    "job-id",
    "job-name",
    "job-state",
    "job-state-reasons",
    "job-impressions-completed",
    "job-media-sheets-completed",
    "number-of-documents",
    "time-at-processing",
)


def get_printer_attributes(uri: str, request_id: int) -> Message:
    """Asks the printer how it is."""
    return _message(Operation.GET_PRINTER_ATTRIBUTES, request_id, uri, _wanted(PRINTER_ATTRIBUTES))


def get_jobs(uri: str, request_id: int, which: str, limit: int) -> Message:
    """Asks for everybody's jobs: `which` is `completed` (any end, newest first) or `not-completed`."""
    return _message(
        Operation.GET_JOBS,
        request_id,
        uri,
        {
            "limit": (Value(Tag.INTEGER, limit),),
            "which-jobs": (Value(Tag.KEYWORD, which),),
            "my-jobs": (Value(Tag.BOOLEAN, False),),
            **_wanted(JOB_ATTRIBUTES),
        },
    )


def get_job_attributes(uri: str, request_id: int, job_id: int) -> Message:
    """Asks what became of one job."""
    return _message(
        Operation.GET_JOB_ATTRIBUTES, request_id, uri, {**_job(job_id), **_user(), **_wanted(JOB_ATTRIBUTES)}
    )


def create_job(uri: str, request_id: int, name: str, template: Mapping[str, str]) -> Message:
    """Begins a job that has no document yet: it prints nothing. `template` is `sides`, `media`."""
    job = {"copies": (Value(Tag.INTEGER, 1),)}
    job |= {key: (Value(Tag.KEYWORD, value),) for key, value in template.items()}
    operation = {**_user(), "job-name": (Value(Tag.NAME, name),)}
    return _message(Operation.CREATE_JOB, request_id, uri, operation, Group(Tag.JOB, job))


def send_document(uri: str, request_id: int, job_id: int, media_type: str, name: str, *, last: bool) -> Message:
    """The head of the one request that makes paper move; the document's bytes follow it."""
    operation = {
        **_job(job_id),
        **_user(),
        "document-name": (Value(Tag.NAME, name),),
        "document-format": (Value(Tag.MIME_TYPE, media_type),),
        "last-document": (Value(Tag.BOOLEAN, last),),
    }
    return _message(Operation.SEND_DOCUMENT, request_id, uri, operation)


def cancel_job(uri: str, request_id: int, job_id: int) -> Message:
    """Prevents: what was not printed of the job will not be."""
    return _message(Operation.CANCEL_JOB, request_id, uri, {**_job(job_id), **_user()})


def _message(
    operation: Operation, request_id: int, uri: str, attributes: Mapping[str, tuple[Value, ...]], *groups: Group
) -> Message:
    first = {
        "attributes-charset": (Value(Tag.CHARSET, "utf-8"),),  # these two come first, RFC 8011 section 4.1.4
        "attributes-natural-language": (Value(Tag.LANGUAGE, "en"),),
        "printer-uri": (Value(Tag.URI, uri),),
    }
    return Message(VERSION_2_0, operation, request_id, (Group(Tag.OPERATION, {**first, **attributes}), *groups))


def _user() -> dict[str, tuple[Value, ...]]:
    return {"requesting-user-name": (Value(Tag.NAME, USER),)}


def _job(job_id: int) -> dict[str, tuple[Value, ...]]:
    return {"job-id": (Value(Tag.INTEGER, job_id),)}


def _wanted(names: tuple[str, ...]) -> dict[str, tuple[Value, ...]]:
    return {"requested-attributes": tuple(Value(Tag.KEYWORD, name) for name in names)}

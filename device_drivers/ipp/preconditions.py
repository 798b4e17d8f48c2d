"""What must be so before a document is sent, read from the printer just before (PHY-6).

Knows a printer's state, a document and the profile; must not ask anything.
"""

from __future__ import annotations

from device_drivers.errors import DeviceRefused
from device_drivers.ipp import cover
from device_drivers.ipp.document import Document
from device_drivers.ipp.operations import NEEDED
from device_drivers.ipp.printer import PrinterState
from device_drivers.ipp.profile import IppProfile

ANY_FORMAT = "application/octet-stream"  # "I shall guess": no promise, so it does not count as support


def check(state: PrinterState, document: Document, reprint: int, profile: IppProfile) -> None:
    """Raises DeviceRefused: `never` for what this printer will never print."""
    missing = NEEDED - state.operations
    if missing:
        raise DeviceRefused("printer_lacks_operations", str(sorted(missing)), waits_for="never")
    if document.media_type not in state.formats or document.media_type == ANY_FORMAT:
        raise DeviceRefused("format_unsupported", document.media_type, waits_for="never")
    if reprint and not marks_reprints(state):
        raise DeviceRefused("reprint_unmarked", "no second document in a job, or no PDF", waits_for="never")
    trouble = state.trouble
    if trouble is not None:
        raise DeviceRefused(trouble.reason, ", ".join(state.reasons), waits_for=trouble.waits_for)
    if not state.accepting:
        raise DeviceRefused("printer_rejects_jobs")
    if state.queued > profile.queue_max:
        raise DeviceRefused("printer_busy", f"{state.queued} jobs in its queue")


def marks_reprints(state: PrinterState) -> bool:
    """Whether our own sheet can go before the document, in the same job: the document itself is never altered."""
    return state.many_documents and cover.MEDIA_TYPE in state.formats

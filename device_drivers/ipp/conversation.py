"""Requests to one printer and its answers: what may be asked again, and what is written once and never again.

Knows statuses and whether a byte of a request left; must not know what an answer means for an attempt.
"""

from __future__ import annotations

import itertools

from device_drivers.errors import DeviceRefused, DeviceUnavailable, OutcomeUnknown
from device_drivers.ipp.http import Bounds, ExchangeError, Target, post
from device_drivers.ipp.operations import Operation
from device_drivers.ipp.protocol import BYTES_MAX, BadMessageError, Message, decode, encode
from device_drivers.links.line import Hold, SharedLine
from device_drivers.links.link import LinkError

MEDIA_TYPE = "application/ipp"
_SUCCESSFUL = range(0x0100)
_SERVER_ERRORS = range(0x0500, 0x0600)

# RFC 8011 appendix B.1: what a refusal says, and what would change it.
NOT_POSSIBLE, NOT_FOUND, GONE = 0x0404, 0x0406, 0x0407
_REFUSALS = {
    0x0401: ("printer_forbids", "device"),
    0x0402: ("printer_forbids", "device"),
    0x0403: ("printer_forbids", "device"),
    0x0408: ("document_too_large", "never"),
    0x040A: ("format_unsupported", "never"),
    0x040B: ("job_attributes_unsupported", "never"),
    0x0411: ("format_unsupported", "never"),
    0x0502: ("printer_unready", "device"),
    0x0505: ("printer_unready", "device"),
    0x0506: ("printer_rejects_jobs", "device"),
    0x0507: ("printer_busy", "device"),
}


class StatusError(DeviceRefused):
    """The printer answered with a status that is no success."""

    def __init__(self, request: Message, status: int, text: str) -> None:
        reason, waits_for = _REFUSALS.get(status, ("printer_refused", "device"))
        told = f"{Operation(request.code).name}: status {status:04X} {text[:100]!r}"
        super().__init__(reason, told, waits_for=waits_for)
        self.status = status


class Conversation:
    """Exchanges over a held line, each on a connection of its own."""

    def __init__(self, line: SharedLine, target: Target, answer_s: float) -> None:
        self._line = line
        self._target = target
        self._answer_s = answer_s
        self._hold: Hold | None = None
        self._ids = itertools.count(1)
        self.repeats = 0  # of questions

    @property
    def uri(self) -> str:
        """printer-uri of every request."""
        return f"ipp://{self._target.authority}{self._target.path}"

    def next_id(self) -> int:
        """A request-id that no other request of this process has."""
        return next(self._ids)

    async def connect(self) -> None:
        """Takes hold of the line, which shows that somebody listens there. Raises DeviceUnavailable."""
        await self.disconnect()
        try:
            self._hold = await self._line.hold()
            async with self._hold.exchange() as link:
                await link.close()  # a printer has few connections, and each request opens its own
        except LinkError as error:
            raise DeviceUnavailable("line_unavailable", str(error)) from error

    async def disconnect(self) -> None:
        """Lets go of the line; harmless when not connected."""
        hold, self._hold = self._hold, None
        if hold is not None:
            await hold.let_go()

    async def ask(self, question: Message) -> Message:
        """Asks, twice if need be. Raises DeviceUnavailable; StatusError when the printer says no."""
        try:
            answer = await self._post(question, b"", self._answer_s)
        except ExchangeError:
            self.repeats += 1
            answer = await self._once_more(question)
        try:
            return self._checked(question, answer)
        except StatusError as error:
            if error.status in _SERVER_ERRORS:  # it cannot answer now
                raise DeviceUnavailable(error.reason, error.detail) from error
            raise

    async def _once_more(self, question: Message) -> Message:
        try:
            return await self._post(question, b"", self._answer_s)
        except ExchangeError as error:
            raise DeviceUnavailable(error.reason, f"{Operation(question.code).name}: {error.detail}") from error

    async def act(self, request: Message, document: bytes = b"", *, send_s: float) -> Message:
        """Writes a request once. Raises DeviceUnavailable (not sent), StatusError (it said no), OutcomeUnknown."""
        try:
            answer = await self._post(request, document, send_s)
        except ExchangeError as error:
            kind = OutcomeUnknown if error.sent else DeviceUnavailable
            raise kind(error.reason, f"{Operation(request.code).name}: {error.detail}") from error
        return self._checked(request, answer)

    async def _post(self, request: Message, document: bytes, send_s: float) -> Message:
        if self._hold is None:
            raise DeviceUnavailable("line_closed", "connect() comes first")
        bounds = Bounds(send_s, self._answer_s, BYTES_MAX)
        try:
            async with self._hold.exchange() as link:
                body = await post(link, self._target, (encode(request), document), MEDIA_TYPE, bounds)
        except LinkError as error:  # only before anything was written: post() tells the rest itself
            raise DeviceUnavailable("line_lost", str(error)) from error
        try:
            answer = decode(body)
        except BadMessageError as error:
            raise ExchangeError("nonsense", str(error), sent=True) from error
        if answer.request_id != request.request_id:
            raise ExchangeError("nonsense", f"an answer to request {answer.request_id}", sent=True)
        return answer

    @staticmethod
    def _checked(request: Message, answer: Message) -> Message:
        if answer.code not in _SUCCESSFUL:
            text = answer.groups[0].text("status-message") if answer.groups else ""
            raise StatusError(request, answer.code, text)
        return answer

"""The printer's side of HTTP/1.1: bytes to whole POST bodies, and answers to bytes.

Knows request heads, Content-Length and chunks; must not know IPP. A head or chunk beyond the bounds ends the talk.
"""

from __future__ import annotations

from dataclasses import dataclass, field

HEAD_BYTES_MAX = 65536
BODY_BYTES_MAX = 256 * 1024 * 1024
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class BadRequestError(ValueError):
    """Bytes that are no request that a printer would read on."""


@dataclass
class Requests:
    """One connection: `feed` gives each whole body; `body` is what came of the one under way."""

    body: bytearray = field(default_factory=bytearray)
    said_continue: bool = False
    _buffer: bytearray = field(default_factory=bytearray)
    _left: int | None = None  # bytes of the body or of the chunk that are still to come; None: a head comes first
    _chunked: bool = False

    def feed(self, data: bytes) -> list[bytes]:
        """What became whole. Raises BadRequestError."""
        self._buffer += data
        whole: list[bytes] = []
        while self._step(whole):
            pass
        return whole

    def _step(self, whole: list[bytes]) -> bool:
        if self._left is None:
            return self._chunk_head(whole) if self._chunked else self._head()
        taken = self._buffer[: self._left]
        del self._buffer[: len(taken)]
        self.body += taken
        self._left -= len(taken)
        if self._left:
            return False
        self._left = None
        if not self._chunked:
            self._done(whole)
        return True

    def _head(self) -> bool:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) > HEAD_BYTES_MAX:
                raise BadRequestError("a head without an end")
            return False
        lines = bytes(self._buffer[:end]).decode("latin-1").split("\r\n")
        del self._buffer[: end + 4]
        if not lines[0].startswith("POST ") or not lines[0].endswith(("HTTP/1.1", "HTTP/1.0")):
            raise BadRequestError(f"no POST: {lines[0][:60]!r}")
        headers = {
            name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])
        }
        self._chunked = headers.get("transfer-encoding", "").lower() == "chunked"
        self.said_continue = headers.get("expect", "").lower() == "100-continue"
        if not self._chunked:
            self._left = _number(headers.get("content-length", ""), 10)
        return True

    def _chunk_head(self, whole: list[bytes]) -> bool:
        """A chunk's size; the line break after the chunk before stands in front of it."""
        start = 2 if self._buffer[:2] == b"\r\n" else 0
        end = self._buffer.find(b"\r\n", start)
        if end < 0:
            if len(self._buffer) > 64:
                raise BadRequestError("a chunk without its size")
            return False
        size = _number(bytes(self._buffer[start:end]).decode("latin-1").partition(";")[0], 16)
        if size == 0:
            if len(self._buffer) < end + 4:
                return False
            del self._buffer[: end + 4]  # and the empty line that ends the trailers, of which we take none
            self._done(whole)
            return True
        del self._buffer[: end + 2]
        self._left = size
        return True

    def _done(self, whole: list[bytes]) -> None:
        whole.append(bytes(self.body))
        self.body.clear()
        self._chunked = False


def answer(body: bytes, *, chunked: bool = False) -> bytes:
    """A 200 with a body, in one piece or in two chunks."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/ipp\r\nCache-Control: no-cache\r\n"
    if not chunked:
        return head + b"Content-Length: %d\r\n\r\n" % len(body) + body
    pieces = [piece for piece in (body[: len(body) // 2], body[len(body) // 2 :]) if piece]
    sized = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    return head + b"Transfer-Encoding: chunked\r\n\r\n" + sized + b"0\r\n\r\n"


def refusal(status: int, words: str) -> bytes:
    """An answer that has no IPP in it."""
    return f"HTTP/1.1 {status} {words}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode("ascii")


def _number(text: str, base: int) -> int:
    try:
        value = int(text.strip(), base)
    except ValueError as error:
        raise BadRequestError(f"no length: {text[:30]!r}") from error
    if not 0 <= value <= BODY_BYTES_MAX:
        raise BadRequestError(f"a length of {value}")
    return value

"""A document printer's connection in words: the first line of each HTTP message, and the IPP operation behind it."""

from __future__ import annotations

import re

from device_drivers.telling.tellers import Direction, Said

_REQUEST = re.compile(rb"^(?:POST|GET) (\S+) HTTP/1\.[01]\r\n")
_ANSWER = re.compile(rb"^HTTP/1\.[01] (\d{3})[^\r\n]*\r\n")


class Telling:
    """See `tellers.Teller`. A message that begins in the middle of a piece is not seen."""

    def feed(self, direction: Direction, data: bytes) -> list[Said]:
        if direction == "write" and (asked := _REQUEST.match(data)):
            return [Said("http_request", {"path": asked[1].decode("ascii", "replace")})]
        if direction == "read" and (answer := _ANSWER.match(data)):
            return [Said("http_answer", {"status": answer[1].decode("ascii")})]
        return []

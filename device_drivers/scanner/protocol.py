"""The line protocol of code scanners: bytes in any slices become codes; whatever is not surely one code is refused.

Pure: knows ends, prefix and bounds of a line; must not know what a code means, nor time (silence is told to it).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_LINE_END = re.compile(rb"[\r\n]+")
GROUP_SEPARATOR = 0x1D  # stands inside GS1 codes; every other control byte is noise
END_OF_LINE, BY_SILENCE = b"", None


@dataclass(slots=True)
class Decoder:
    """`end`: the bytes behind each code; END_OF_LINE: CR, LF or both; BY_SILENCE: none, a pause ends it.

    `prefix` must stand before each code and is no part of it. `max_bytes` bounds a code, and the buffer.
    """

    end: bytes | None = END_OF_LINE
    prefix: bytes = b""
    max_bytes: int = 256
    garbage_bytes: int = 0
    bad_lines: int = 0  # too long, without the prefix, or with noise inside
    _buffer: bytearray = field(default_factory=bytearray)
    _skipping: bool = False  # the line is too long: up to its end

    @property
    def waits(self) -> bool:
        """Whether a code was begun and has not ended."""
        return bool(self._buffer) or self._skipping

    def feed(self, data: bytes) -> list[bytes]:
        """Codes that are whole now, in order."""
        codes: list[bytes] = []
        for at in range(0, len(data), self.max_bytes):
            self._buffer += data[at : at + self.max_bytes]
            codes += self._cut()
        return codes

    def silence(self) -> list[bytes]:
        """The line was silent for a while: what has no end yet is a whole code (BY_SILENCE), or a broken one."""
        line, skipping = bytes(self._buffer), self._skipping
        self._buffer.clear()
        self._skipping = False
        if not line and not skipping:
            return []
        if self.end is BY_SILENCE and not skipping:
            return self._judge(line)
        self._refuse(line)
        return []

    def abandon(self) -> None:
        """The line was lost: what was begun will never end."""
        if self.waits:
            self._refuse(bytes(self._buffer))
        self._buffer.clear()
        self._skipping = False

    def _cut(self) -> list[bytes]:
        codes: list[bytes] = []
        while (cut := self._find_end()) is not None:
            line = bytes(self._buffer[: cut[0]])
            del self._buffer[: cut[1]]
            if self._skipping:
                self._skipping = False
                self._refuse(line)
            elif line:
                codes += self._judge(line)
        if len(self._buffer) > self.max_bytes + len(self.prefix) + len(self.end or b""):
            self._skip()
        return codes

    def _find_end(self) -> tuple[int, int] | None:
        """Where the first line ends, and where the next one begins."""
        if self.end is BY_SILENCE:
            return None
        if self.end:
            at = self._buffer.find(self.end)
            return None if at < 0 else (at, at + len(self.end))
        match = _LINE_END.search(self._buffer)
        return match.span() if match else None

    def _skip(self) -> None:
        """Too long: it is dropped as it comes, but for what may be the beginning of its end."""
        kept = max(0, len(self.end or b"") - 1)
        self.garbage_bytes += len(self._buffer) - kept
        del self._buffer[: len(self._buffer) - kept]
        self._skipping = True

    def _judge(self, line: bytes) -> list[bytes]:
        code = line[len(self.prefix) :]
        noisy = any((byte < 0x20 and byte != GROUP_SEPARATOR) or byte == 0x7F for byte in code)
        if not line.startswith(self.prefix) or not code or len(code) > self.max_bytes or noisy:
            self._refuse(line)
            return []
        return [code]

    def _refuse(self, line: bytes) -> None:
        self.bad_lines += 1
        self.garbage_bytes += len(line)


def encode(code: bytes, *, prefix: bytes = b"", end: bytes = b"\r") -> bytes:
    """What a scanner sends of a code."""
    return prefix + code + end

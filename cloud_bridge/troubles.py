"""What went wrong on the way to somebody else, in its reader's language: the system's own reason, or MQTT's.

Knows exceptions and what lies behind them; the catalogue is handed in (families `os` and `mqtt`).
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator
from typing import Protocol

from cloud_bridge.sockets import name_of

Told = tuple[str, str]  # family and code of a word


class Words(Protocol):
    """One language of a catalogue."""

    @property
    def lang(self) -> str: ...

    def word(self, family: str, code: str) -> str:
        """The text of a code; the code itself when there is none."""
        ...


def word_of(error: BaseException) -> Told:
    """The innermost reason that a catalogue knows: what the broker said, what the system said, else what it is."""
    names: list[str] = []
    for one in _behind(error):
        if code := getattr(one, "mqtt", 0):
            return "mqtt", f"x{code:02x}"
        if isinstance(one, OSError) or type(one).__module__ == "termios":
            names.append(name_of(one))
    # A library's own OSError often has no number, and the system's stands behind it.
    numbered = (name for name in names if name.startswith(("E", "TLS_")))
    return "os", next(numbered, names[0] if names else type(error).__name__)


def told(words: Words, error: BaseException) -> str:
    """In English all that the error says; in any other language the reason that has words."""
    return english_of(error) if words.lang == "en" else words.word(*word_of(error))


def english_of(error: BaseException) -> str:
    """Without what the catalogue's sentence says itself: the file, the number of the error."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if isinstance(error, ConnectionError) and error.errno:
        return os.strerror(error.errno)  # asyncio's own text of a failed connect hides the reason
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _behind(error: BaseException | None) -> Iterator[BaseException]:
    seen: list[BaseException] = []
    while error is not None and error not in seen:
        seen.append(error)
        yield error
        error = error.__cause__ or error.__context__

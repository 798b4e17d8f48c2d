"""The settings of one simulated document printer.

Knows only plain JSON values; a mistake names the key and what may stand there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from simulators.machine import ControlError


@dataclass(frozen=True)
class Options:
    """All times in seconds."""

    page_s: float = 0.5
    begin_s: float = 0.2  # from a whole document to the first page's beginning
    answer_s: float = 0.01
    history: int = 100  # ended jobs that are still listed
    incoming_s: float = 60.0  # multiple-operation-time-out: a job without its last document is aborted
    processes_incoming: bool = False  # multiple-operation-time-out-action: what came of it is printed instead
    formats: tuple[str, ...] = ("application/pdf", "image/pwg-raster", "application/octet-stream")
    many_documents: bool = True
    counts: bool = True  # job-impressions-completed is told
    chunked: bool = False  # answers
    prints_partial: bool = False  # the pages of a document that came in part are printed before its job is aborted
    uuid: str = ""
    model: str = "Simulated A4"
    firmware: str = "1.0"

    def own_uuid(self, device: str) -> str:
        return self.uuid or f"urn:uuid:00000000-0000-4000-8000-{device.encode().hex():0>12.12}"


_TIMES = ("page_s", "begin_s", "answer_s", "incoming_s")
_FLAGS = ("processes_incoming", "many_documents", "counts", "chunked", "prints_partial")
_TEXTS = ("uuid", "model", "firmware")


def parse_options(raw: Mapping[str, Any]) -> Options:
    """Check plain values and make `Options` of them, or raise `ControlError`."""
    known = [item.name for item in fields(Options)]
    for key in raw:
        if key not in known:
            raise ControlError(f"option {key!r} is not known; known are {', '.join(known)}")
    return Options(**{key: _value(key, value) for key, value in raw.items()})


def _value(key: str, value: Any) -> Any:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if key in _TIMES and number and 0 <= value <= 86_400:
        return float(value)
    if key in _FLAGS and isinstance(value, bool):
        return value
    if key in _TEXTS and isinstance(value, str) and len(value) <= 120:
        return value
    if key == "history" and number and 0 <= value <= 10_000:
        return int(value)
    if key == "formats" and isinstance(value, (list, tuple)) and all(isinstance(one, str) for one in value):
        return tuple(value)
    raise ControlError(f"option {key!r} cannot be {value!r}; see docs/simulators.md")

"""The printer in XFS4IoT words (Printer and Storage), and its counters.

Knows a status, the vocabulary and the number of sheets; must not ask the printer anything.
"""

from __future__ import annotations

from collections.abc import Mapping

from device_drivers.device import Json, Twin
from device_drivers.escpos.conversation import Conversation
from device_drivers.escpos.profile import EscPosProfile
from device_drivers.escpos.status import PresenterStatus, Status

_DEVICE = {
    "": "online",
    "cover_open": "userError",
    "paper_out": "userError",
    "cutter_jam": "hardwareError",
    "printer_error": "hardwareError",
    "head_hot": "deviceBusy",
    "printer_offline": "offline",
}


def describe(
    status: Status,
    presenter: PresenterStatus | None,
    sheets: int,
    profile: EscPosProfile,
    identity: Mapping[str, str],
    counters: Mapping[str, int],
) -> Twin:
    """The twin of one look at the printer; `sheets` were printed since it last had no paper."""
    storage = {"paper": _paper(status, sheets, believe_near_end=profile.near_end)}
    known = {name: text for name, text in identity.items() if text}
    reason = status.trouble or ("paper_low" if storage["paper"]["paper"] == "low" else "")
    return Twin(_DEVICE[status.trouble], reason, _media(status, presenter), storage, known, counters)


def changed_by(status: Status) -> dict[str, Json]:
    """What a trouble makes of the paper as it was last seen, as facts of the error that it is told by."""
    unit: dict[str, Json] = {"paper": "out", "replenishmentStatus": "empty"} if status.paper_out else {}
    unit |= {"status": "inoperative"} if status.cutter_error else {}
    return {"storage": {"paper": unit}} if unit else {}


def counters(conversation: Conversation) -> dict[str, int]:
    """The twin's counters, since the driver was made."""
    return {
        "garbageBytes": conversation.garbage_bytes,
        "badFrames": conversation.broken,
        "resends": conversation.counters.resends,
        "lateReplies": conversation.counters.late_replies,
        "floods": conversation.counters.floods,
    }


def _paper(status: Status, sheets: int, *, believe_near_end: bool) -> dict[str, Json]:
    level = "out" if status.paper_out else "low" if status.near_end and believe_near_end else "full"
    return {
        "type": "paper",
        "paper": level,  # XFS4IoT Printer: unknown, full, low, out, jammed
        "status": "inoperative" if status.cutter_error else "ok",
        "replenishmentStatus": {"out": "empty", "low": "low", "full": "ok"}[level],
        "count": sheets,
    }


def _media(status: Status, presenter: PresenterStatus | None) -> str:
    if status.cutter_error:
        return "jammed"
    if presenter is None:
        return "unknown"
    return "present" if presenter.ticket else "notPresent"

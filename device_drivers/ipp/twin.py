"""The document printer in XFS4IoT words (Printer: paper, toner).

Knows one look at a printer and the vocabulary; must not ask anything.
"""

from __future__ import annotations

from collections.abc import Mapping

from device_drivers.device import Json, Twin
from device_drivers.ipp.printer import PrinterState

_HANDS = frozenset({"cover_open", "paper_jam", "output_full", "paper_out", "toner_out"})
_LIGHTER = frozenset({"printer_unready", "printer_stopped"})


def describe(state: PrinterState, repeats: int) -> Twin:
    """The twin of one look."""
    trouble = state.trouble.reason if state.trouble is not None else ""
    if not trouble and not state.accepting:
        trouble = "printer_rejects_jobs"
    device = "userError" if trouble in _HANDS else "hardwareError" if trouble in _LIGHTER else "online"
    media = "jammed" if trouble == "paper_jam" else "unknown"
    return Twin(device, trouble, media, _storage(state), _identity(state), {"resends": repeats})


def _storage(state: PrinterState) -> dict[str, Mapping[str, Json]]:
    paper = "empty" if state.tells("media-empty", "media-needed") else "low" if state.tells("media-low") else "ok"
    toner = "empty" if state.tells("marker-supply-empty", "toner-empty") else "low" if state.supply_low else "ok"
    jammed = "inoperative" if state.tells("media-jam") else "ok"
    return {
        "paper": {"type": "paper", "status": jammed, "replenishmentStatus": paper},
        "toner": {"type": "toner", "status": "ok", "replenishmentStatus": toner},
    }


def _identity(state: PrinterState) -> dict[str, str]:
    told = {
        "model": state.model,
        "firmware": state.firmware,
        "serialNumber": state.serial_number,
        "configuration": state.uuid,
    }
    return {name: text for name, text in told.items() if text}

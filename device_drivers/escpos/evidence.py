"""The evidence table of printing: what came back, or did not, gives a verdict.

Knows proofs, counters and acts; must not ask, wait or know a line. What no row covers is for a person when it is money.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from device_drivers.device import Arming, Json, Outcome, Verdict, Whereabouts
from device_drivers.errors import DeviceRefused
from device_drivers.escpos.profile import EscPosProfile

PRINT, VOID, TICKET, AWAIT_TAKEN = "print_receipt", "void_receipt", "print_ticket", "await_taken"
PRINTED, PROCESSED, SENT = "printed", "processed", "sent"


@dataclass(frozen=True, slots=True)
class Ways:
    """How a printer can tell that a sheet came out: process ID, fence (GS r 1), cutter counter."""

    process_id: bool
    fence: bool
    counter: bool

    @property
    def best(self) -> str:
        """The evidence class that a sheet can have."""
        return PRINTED if self.process_id else PROCESSED if self.fence or self.counter else SENT


def ways(profile: EscPosProfile, probed: Mapping[str, Json] | None) -> Ways:
    """What the profile says, else what the probe found; what is not known is tried, with the fence behind it."""
    found = probed or {}
    if found.get("one_way"):
        return Ways(process_id=False, fence=False, counter=False)  # whatever it knows, it cannot tell
    told = {"yes": True, "no": False, "probe": bool(found.get("process_id", True))}[profile.process_id]
    certain = profile.process_id == "yes" or (profile.process_id == "probe" and bool(found.get("process_id")))
    return Ways(told, not certain and bool(found.get("fence", True)), profile.cutter_counter)


@dataclass(frozen=True, slots=True)
class Armed:
    """What stands in a stored arming of a printing act."""

    process_id: str  # empty: none was sent
    sheet: str  # sha256 of all bytes that are written for it
    cuts: int
    sheets: int
    cutter: int | None
    reprint: int
    left: tuple[tuple[str, str], ...]  # attempts (and their ids) whose bytes may have lain in the printer before
    identity: Mapping[str, Json]
    mouth: bool = False  # a ticket that waited there is taken back first
    retracts: bool = False  # and the sheet itself, too

    @classmethod
    def of(cls, arming: Arming) -> Armed:
        """Raises DeviceRefused when the readings are not of a printing act."""
        given = arming.readings
        try:
            return cls(
                str(given["process_id"] or ""),
                str(given["sheet"]),
                int(given["cuts"]),
                int(given["sheets"]),
                None if given.get("cutter") is None else int(given["cutter"]),
                int(given["reprint"]),
                tuple((str(attempt), str(id_)) for attempt, id_ in given["left"]),
                dict(given.get("identity") or {}),
                bool(given.get("mouth")),
                bool(given.get("retracts")),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise DeviceRefused("invalid_arming", f"no arming of a sheet: {error!r}") from error

    def facts(self, evidence: str) -> dict[str, Json]:
        """What a verdict tells of its evidence (ORD-10)."""
        facts: dict[str, Json] = {"evidence": evidence, "reprint": self.reprint, "sheet": self.sheet}
        return facts | ({"process_id": self.process_id} if self.process_id else {})


def came_out(armed: Armed, evidence: str, *, presenter: bool, memory: Mapping[str, Json]) -> Verdict:
    """The sheet is out, as far as the evidence class goes."""
    outside = Whereabouts.MOUTH if presenter else Whereabouts.CUSTOMER
    item = Whereabouts.BIN if armed.retracts else outside
    return Verdict(Outcome.DONE, evidence, item, armed.facts(evidence), memory=memory)


def late(process_id: str, *, presenter: bool, memory: Mapping[str, Json], voided_by: str = "") -> Verdict:
    """A process ID that came back after its act had been given up."""
    item = Whereabouts.MOUTH if presenter else Whereabouts.CUSTOMER
    facts = {"evidence": PRINTED, "process_id": process_id, "late": True}
    return Verdict(Outcome.DONE, PRINTED, item, facts | ({"voided_by": voided_by} if voided_by else {}), memory=memory)


def judge_counter(armed: Armed, now: int, *, calm: bool, cover_was_open: bool) -> str:
    """`processed`, `not_printed`, or empty when the counter says nothing.

    A cover that is closed may make a printer cut by itself; a counter that went back lost its last values with the
    power, or belongs to another printer; nothing counted proves nothing if the printer was ever away meanwhile.
    """
    if armed.cutter is None:
        return ""
    gained = now - armed.cutter
    if gained == armed.cuts and not cover_was_open:
        return PROCESSED
    return "not_printed" if gained == 0 and calm else ""


def not_printed(armed: Armed, counter: int) -> Verdict:
    """Nothing was cut since. Half a sheet may still hang in it: whose bytes lie there stays remembered."""
    facts = {"cutter": counter, "armed_cutter": armed.cutter}
    return Verdict(Outcome.NO_EFFECT, "not_printed", Whereabouts.STOCK, facts)


def unproven(act: str, armed: Armed, reason: str = "unproven") -> Verdict:
    """Nothing proves it; `reason` is what is wrong, if that is known.

    A receipt is for a person; what may be printed again is, with its mark.
    """
    facts: dict[str, Json] = {"reprint": armed.reprint, "sheet": armed.sheet, "process_id": armed.process_id or None}
    facts |= {"verdict": "unproven"} if reason != "unproven" else {}
    if act == PRINT:
        return Verdict(Outcome.UNKNOWN, reason, Whereabouts.UNKNOWN, facts, lane_shut=True)
    return Verdict(Outcome.FAILED, reason, Whereabouts.UNKNOWN, facts)

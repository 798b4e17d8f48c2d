"""What a printer says of itself, by real-time answers, ASB or its port, as one value and as the worst that is wrong.

Knows bits (TM-U220A ASB, Bixolon SRP-350 DLE EOT, Custom KPM150H, USB printer class 1.1); must not know a line, acts
or verdicts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

from device_drivers.device import Json
from device_drivers.links.port_questions import PortStatus

# Reasons that a person's hands must mend; a head that is hot cools by itself.
HANDS = frozenset({"cover_open", "paper_out", "cutter_jam", "printer_error"})


_WORST_FIRST = (
    ("cutter_error", "cutter_jam"),
    ("broken", "printer_error"),
    ("cover_open", "cover_open"),
    ("paper_out", "paper_out"),
    ("hot", "head_hot"),
    ("offline", "printer_offline"),
)


@dataclass(frozen=True, slots=True)
class Status:
    """True where the printer says so; what it did not tell is False."""

    offline: bool = False
    cover_open: bool = False
    feeding: bool = False
    paper_out: bool = False
    near_end: bool = False
    cutter_error: bool = False
    broken: bool = False  # mechanical, or not to be recovered
    hot: bool = False  # recovers by itself: head temperature, in some models the cover

    def facts(self) -> dict[str, Json]:
        """As stored with an arming: only what is so."""
        return {name: True for name in _NAMES if getattr(self, name)}

    @property
    def trouble(self) -> str:
        """The reason code of the worst that keeps it from printing; empty when nothing does."""
        return next((reason for name, reason in _WORST_FIRST if getattr(self, name)), "")

    def joined(self, port: Status) -> Status:
        """With what the port says, where the printer itself knows of no trouble: it names that better."""
        return self if self.trouble else replace(self, paper_out=port.paper_out, broken=port.broken)


_NAMES = tuple(field.name for field in fields(Status))


def from_real_time(answers: Mapping[int, int]) -> Status:
    """The answers to `10 04 n` by n; those that the printer does not know are missing."""
    one, two, three, four = (answers.get(n, 0) for n in (1, 2, 3, 4))
    return Status(
        offline=bool(one & 0x08),
        cover_open=bool(two & 0x04),
        feeding=bool(two & 0x08),
        paper_out=bool(two & 0x20 or four & 0x60),
        near_end=bool(four & 0x0C),
        cutter_error=bool(three & 0x08),
        broken=bool(three & 0x24 or (two & 0x40 and not three)),
        hot=bool(three & 0x40),
    )


def from_asb(data: bytes) -> Status:
    """Four bytes of automatic status back."""
    first, second, third = data[0], data[1], data[2]
    return Status(
        offline=bool(first & 0x08),
        cover_open=bool(first & 0x20),
        feeding=bool(first & 0x40),
        paper_out=bool(third & 0x0C),
        near_end=bool(third & 0x03),
        cutter_error=bool(second & 0x08),
        broken=bool(second & 0x24),
        hot=bool(second & 0x40),
    )


def from_port(told: PortStatus) -> Status:
    """GET_PORT_STATUS; the port calls paper that is out an error, too."""
    broken = not told.no_error and not told.paper_empty
    return Status(offline=not told.selected, paper_out=told.paper_empty, broken=broken)


@dataclass(frozen=True, slots=True)
class PresenterStatus:
    """What the presenter family tells of paper, mouth and errors."""

    ticket: bool  # one waits in the output
    paper_out: bool
    near_end: bool
    cover_open: bool

    @classmethod
    def of(cls, data: bytes) -> PresenterStatus:
        """The four bytes behind `10 0F`; head up counts as an open cover."""
        paper, user = data[0], data[1]
        return cls(bool(paper & 0x20), bool(paper & 0x41), bool(paper & 0x04), bool(user & 0x03))

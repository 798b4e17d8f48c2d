"""Mistakes of printing that the checker must catch, planted in a fork: each the shortest wrong version.

Knows the receipt printer's driver inside, on purpose.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from device_drivers.device import Verdict
from device_drivers.errors import OutcomeUnknown
from device_drivers.escpos import sheets
from device_drivers.escpos.driver import ReceiptPrinter
from device_drivers.escpos.evidence import Armed
from device_drivers.escpos.memory import Open
from device_drivers.escpos.press import Job, Press
from device_drivers.escpos.printer import Printer
from device_drivers.escpos.profile import EscPosProfile
from device_drivers.escpos.sheets import Printout
from device_drivers.receipts.sheet import Sheet


def print_again_on_silence() -> None:
    """No process ID came back: the same sheet once more (against PHY-2)."""
    print_once = Press.print

    async def print_(self: Press, job: Job) -> str:
        try:
            return await print_once(self, job)
        except OutcomeUnknown:
            return await print_once(self, job)

    Press.print = print_  # type: ignore[method-assign]


def believe_a_later_id() -> None:
    """A process ID that was asked for afterwards proves the sheets before it, too (against evidence.md)."""
    came_out_rightly = ReceiptPrinter._came_out

    async def came_out(self: ReceiptPrinter, attempt: str, armed: Armed, proof: str) -> Verdict:
        self._printer.own = ""  # its own is looked at for others, too
        return await came_out_rightly(self, attempt, armed, proof)

    def proves(self: Printer, seen: str, job: Open) -> bool:
        return bool(job.process_id) and int(seen) >= int(job.process_id)

    Printer._proves = proves  # type: ignore[method-assign]
    ReceiptPrinter._came_out = came_out  # type: ignore[method-assign]


def leave_reprints_unmarked() -> None:
    """A reprint looks like the original (against ORD-10)."""

    def reprint_of(params: Mapping[str, Any]) -> int:
        return 0

    sheets.reprint_of = reprint_of


def leave_the_rest_inside() -> None:
    """Neither resynchronised nor declared void: what a dead job left in the printer meets the next order's sheet."""
    printout_rightly = sheets.printout

    def printout(
        sheet: Sheet,
        profile: EscPosProfile,
        *,
        left: Sequence[str],
        named: Sequence[str] = (),
        mouth: bool = False,
    ) -> Printout:
        return printout_rightly(sheet, profile, left=[], named=named, mouth=mouth)

    sheets.printout = printout


PRINT_BUGS: dict[str, Callable[[], None]] = {
    bug.__name__: bug
    for bug in (print_again_on_silence, believe_a_later_id, leave_reprints_unmarked, leave_the_rest_inside)
}

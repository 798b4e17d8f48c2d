"""What a printer keeps while the simulator's own process is away, as plain JSON values.

Knows the printer's parts; each tells itself what of it is kept.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from simulators.escpos.tokens import pack, unpack

if TYPE_CHECKING:
    from simulators.escpos.printer import EscPosPrinter


def snapshot(printer: EscPosPrinter) -> dict[str, Any]:
    """Everything but time: stalls, faults and replies on their way end with the process."""
    return {
        "powered": printer.powered,
        "comes_back": printer.comes_back,
        "seen": printer.scanner.seen.hex(),
        "parser": printer.tokenizer.snapshot(),
        "tokens": pack(list(printer.tokens)),
        "writer": printer.writer.snapshot(),
        "mechanism": printer.mechanism.snapshot(),
        "condition": printer.condition.snapshot(),
        "wire": printer.wire.snapshot(),
        "counters": printer.counters.snapshot(),
        "ticket": printer.presenter.ticket,
        "told": sorted(printer.told),
    }


def restore(printer: EscPosPrinter, saved: Mapping[str, Any], now: float) -> None:
    """The parts as they were; whoever stands before the presenter decides anew."""
    printer.powered = bool(saved["powered"])
    printer.scanner.seen = bytes.fromhex(saved["seen"])
    printer.tokenizer.restore(saved["parser"])
    printer.tokens = deque(unpack(saved["tokens"]))
    printer.buffered = sum(token.size for token in printer.tokens)
    printer.writer.restore(saved["writer"])
    printer.condition.restore(saved["condition"])
    printer.mechanism.restore(saved["mechanism"])
    printer.wire.restore(saved["wire"])
    printer.counters.restore(saved["counters"])
    printer.presenter.restore(saved["ticket"], now)
    printer.told = set(saved["told"])

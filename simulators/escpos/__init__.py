"""The ESC/POS receipt printer on the far side of the wire (devices: Epson's reference and the makers' manuals).

The parts: realtime and requests (the lane that never waits), tokens, lengths, commands, codes and writer (the queued
lane), mechanism and roll (metal and paper), sheets (what came off), transmitter and status (what the host hears),
presenter (the customer's ticket), controls (what no wire reaches).

In memory: `printer = EscPosPrinter("receipt-1", Options())`; then `printer.receive(data, now)` with each piece of
bytes, `printer.advance(now)` after it and whenever `printer.next_time()` has come; it gives `Send`, `Effect`, `Paper`.
"""

from simulators.escpos.options import Identity, Options, parse_options
from simulators.escpos.printer import EscPosPrinter

__all__ = ["EscPosPrinter", "Identity", "Options", "parse_options"]

"""The faults of a receipt printer: their names, arguments and defaults.

Knows words only; what each does is told where paper and bytes are.
"""

from __future__ import annotations

from simulators.faults import FaultTable

OCCASIONS = ("line", "band", "code", "cut", "sheet")
# `at_line` is the n-th line or band since the last cut, at whose beginning it strikes; null: now.
FAULTS: FaultTable = {
    "paper_near_end": {},
    "paper_end": {"at_line": None},
    "cover_open": {"at_line": None, "for_s": None},
    "cutter_jam": {"count": 1},
    "head_hot": {"at_line": None, "for_s": 2.0},
    "unrecoverable": {},
    # within the n-th, or the next, line or band when a fraction is given: so much of it is printed
    "power_loss": {"off_s": 2.0, "at_line": None, "at_fraction": None},
    "stall": {"for_s": 1.0},  # takes nothing and prints nothing, sends XOFF
    "byte_loss": {"count": 1, "after": 0},  # of what comes in
    "parity_noise": {"count": 1, "every": 50},
    "silence": {"count": 1, "for_s": None},
    "late_reply": {"count": 1, "delay_s": 2.0},
    "garbage": {"count": 1, "where": "before", "hex": "00FF0642F3A5"},  # before | inside | after | now
    "host_busy": {"for_s": 1.0},  # the host's ready line is down: replies wait, only the latest process ID is kept
    "asb_off": {},
    "unplug": {"for_s": 1.0},
}

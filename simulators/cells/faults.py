"""The faults of a cabinet on lock boards: names, arguments and their defaults.

Knows words and numbers only; what each does is told where doors or bytes are.
"""

from __future__ import annotations

from simulators.faults import FaultTable

OCCASIONS = ("frame", "pulse")

FAULTS: FaultTable = {
    # doors and contacts
    "stuck_lock": {"count": 1},  # the next pulses move nothing
    "bouncing": {"for_s": 2.0},  # every contact reads something else at each question
    # the wire: the next `count` answers, or everything for `for_s`
    "silence": {"count": 1, "for_s": None, "executes": True},
    "late_answer": {"count": 1, "delay_s": 2.0},
    "garbage": {"count": 1, "where": "before", "hex": "008A800111"},  # before | inside | after | now
    "half_frame": {"count": 1},
    "wrong_bcc": {"count": 1},
    "wrong_lock": {"count": 1},  # the answer names the next lock
    "echo": {"for_s": 60.0},  # the line hears itself: whatever the host sends comes back to it
    "flood": {"for_s": 1.0, "bytes_per_s": 5000},
    "dead_board": {"board": 1, "for_s": 2.0},
    "unplug": {"for_s": 1.0},
    "power_loss": {"off_s": 2.0},
}

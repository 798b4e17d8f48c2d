"""The faults of a line with screens: names, arguments and their defaults.

Knows words and numbers only; what each does is told in `line`.
"""

from __future__ import annotations

from simulators.faults import FaultTable

OCCASIONS = ("frame",)

FAULTS: FaultTable = {
    "power_loss": {"off_s": 2.0},  # the screen goes dark; back with its boot text, or by `power` when null
    "silence": {"count": 1, "for_s": None, "executes": True},  # no answer to the next frames
    "late_answer": {"count": 1, "delay_s": 2.0},
    "wrong_crc": {"count": 1},  # in the answer
    "nak": {"count": 1},  # a screen that answers refuses and shows nothing
    "garbage": {"count": 1, "hex": "00A5FF135AAA"},  # before the answer
    "echo": {"for_s": 60.0},  # the line hears itself: whatever the host sends comes back to it
    "unplug": {"for_s": 1.0},
}

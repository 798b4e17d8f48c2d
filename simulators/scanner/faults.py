"""The faults of a code scanner: names, arguments and their defaults.

Knows words and numbers only; what each does is told in `scanner`.
"""

from __future__ import annotations

from simulators.faults import FaultTable

OCCASIONS = ("scan",)

FAULTS: FaultTable = {
    "repeat": {"count": 1, "times": 3, "every_s": 0.3},  # the next scans are sent so often: the phone stays before it
    "garbage": {"count": 1, "hex": "00FF1B5D"},  # before the code
    "half": {"count": 1},  # the second half of the code and its end never leave
    "glued": {"count": 1},  # kept back, and sent in one piece with the scan after it
    "slow": {"count": 1, "byte_s": 0.05},  # one byte at a time
    "flood": {"for_s": 5.0, "every_s": 0.05},  # it reads something out of nothing, over and over
    "unplug": {"for_s": 1.0},
}

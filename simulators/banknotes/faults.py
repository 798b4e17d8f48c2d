"""The faults of a banknote counter: names, arguments and their defaults.

Knows words and numbers only; what each does is told in `counter`.
"""

from __future__ import annotations

from simulators.faults import FaultTable

OCCASIONS = ("note", "batch")

FAULTS: FaultTable = {
    "frame_cut": {"count": 1, "after": 800},  # the next frames break off after so many bytes
    "wrong_check": {"count": 1},  # they end with other bytes than BE BE BE BE
    "noise": {"count": 1, "hex": "00FF55"},  # before the next frames
    "note_missed": {"count": 1},  # they are not sent at all
    "suspect": {"count": 1},  # the next notes look forged to it
    "double_feed": {"count": 1, "seen": True},  # two notes pass as one; seen: it stops and tells no value
    "jam": {"count": 1},  # it stops with the next note inside, until `free`
    "power_loss": {"off_s": 2.0},
    "unplug": {"for_s": 1.0},
}

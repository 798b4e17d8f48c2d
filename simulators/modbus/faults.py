"""The faults that every Modbus unit and every line of them can be given: names, arguments and their defaults.

Knows words and numbers only; what each does is told in `line`.
"""

from __future__ import annotations

from simulators.faults import FaultTable

OCCASIONS = ("frame",)

UNIT_FAULTS: FaultTable = {
    "dead": {"for_s": None},  # hears and says nothing, until `clear` where no time is given
    "silence": {"count": 1, "executes": True},  # no answer to the next frames
    "wrong_crc": {"count": 1},  # in the answer
    "wrong_echo": {"count": 1},  # another value than was sent, rightly framed
    "wrong_unit": {"count": 1},  # the answer bears another unit's address
    "exception": {"count": 1, "code": 4},  # it refuses and does nothing
    "late_answer": {"count": 1, "delay_s": 2.0},
    "slow": {"for_s": 60.0, "delay_s": 0.5},  # each answer comes so much later
    "half_answer": {"count": 1},
    "collision": {"count": 1},  # another unit speaks into the answer
    "power_loss": {"off_s": 2.0},  # None: until `power`
}

LINE_FAULTS: FaultTable = {
    "stuck_bus": {"for_s": None},  # one transceiver holds the pair: nothing passes either way, until `clear`
    "babble": {"for_s": 1.0, "bytes_per_s": 500},  # somebody never stops speaking
    "echo": {"for_s": None},  # the host's adapter brings back what it sends, until `clear`
    "garbage": {"count": 1, "hex": "00 FF 55"},  # before the next answer of anybody
    "unplug": {"for_s": 1.0},
}

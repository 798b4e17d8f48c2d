"""The CRT-591 card dispenser on the far side of the wire (devices: CRT-591-M001 communication protocol v1.0).

The parts: frames (bytes), mechanics, motion, drive and gate (metal, people), unit (one machine), line (many on one
wire), controls (what no wire reaches).

In memory: `line = Crt591Line({0: ("card-1", Options())})`; then `line.receive(data, now)` with each piece of bytes,
`line.advance(now)` after it and whenever `line.next_time()` has come; it gives `Send`, `Effect`, `Unplug` and `Plug`.
"""

from simulators.crt591.line import Crt591Line
from simulators.crt591.options import Options, parse_options

__all__ = ["Crt591Line", "Options", "parse_options"]

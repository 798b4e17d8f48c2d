"""The CRT-591 card dispenser on the far side of the wire (devices: CRT-591-M001 communication protocol v1.0).

The parts: frames (bytes), options, mechanics and motion (metal), unit (one machine), line (several on one wire), controls (hands).
"""

from simulators.crt591.line import Crt591Line
from simulators.crt591.options import Options, parse_options

__all__ = ["Crt591Line", "Options", "parse_options"]

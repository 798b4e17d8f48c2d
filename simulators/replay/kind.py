"""A recording as a simulated line, from the options of the command line.

Knows plain values and the player's constructor.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from simulators.kinds import Line, MachineKind, only_device
from simulators.machine import ControlError
from simulators.plan import Plan
from simulators.replay.player import Player
from simulators.replay.tape import read_tape


def build(devices: Mapping[str, int], options: Mapping[str, Any], plan: Plan | None) -> Line:
    """`options["recording"]` names the file. Raises ControlError."""
    rest = dict(options)
    recording, aloud = rest.pop("recording", None), rest.pop("tell", True)
    if rest or not isinstance(recording, str):
        raise ControlError('a replay has the option "recording", the file that `branchgate tap record` wrote')
    turns = read_tape(Path(recording))
    device = only_device(devices)
    return Line(Player(device, turns) if aloud else Player(device, turns, lambda _: None))


KIND = MachineKind(build, {}, ())

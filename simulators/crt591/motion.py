"""Which stages a move or reset command means for the card that is there, and how far a running one has come.

Knows the command table's 30 and 32 rows and the share of a motion that is done; it moves nothing itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from simulators.crt591.frames import Command
from simulators.crt591.mechanics import Mechanics, Move, Place, Stage
from simulators.crt591.options import Options

RESET, MOVE = 0x30, 0x32
MOVE_TO = {0x30: Place.GATE, 0x31: Place.IC, 0x32: Place.RF, 0x39: Place.GATE}  # 33 is the bin
TO_BIN = 0x33
RESET_TO_GATE = (0x30, 0x34)
RESET_TO_BIN = (0x31, 0x35)
RESET_STAY = (0x33, 0x37)
RESET_COUNTING = (0x34, 0x35, 0x37)


def moves_metal(command: Command, metal: Mechanics) -> bool:
    """Whether it counts as a motion in a fault plan: every move, and a reset that has a card to move."""
    return command.cm == MOVE or (command.cm == RESET and command.pm not in RESET_STAY and metal.place is not None)


def stages(command: Command, metal: Mechanics, options: Options) -> list[Stage]:
    """The stages of a known 30 or 32 command. Any forward move with an empty transport begins at the stacker."""
    if command.cm == RESET:
        return [_reset_stage(command.pm, metal, options.duration_s("reset"))]
    if command.pm == TO_BIN:
        return [_stage(Move.CAPTURE if metal.place else Move.STAY, None, options, "capture")]
    to = MOVE_TO[command.pm]
    if metal.place is None:
        draw = _stage(Move.DRAW, Place.IC if to is Place.GATE else to, options, "draw")
        return [draw, _stage(Move.PRESENT, to, options, "present")] if to is Place.GATE else [draw]
    if to is Place.GATE:
        return [_stage(Move.PRESENT, to, options, "present")]
    return [_stage(Move.SHIFT, to, options, "move")]


def _stage(move: Move, to: Place | None, options: Options, act: str) -> Stage:
    return Stage(move, to, options.duration_s(act))


def _reset_stage(pm: int, metal: Mechanics, duration_s: float) -> Stage:
    if metal.place is not None and pm in RESET_TO_GATE:
        return Stage(Move.PRESENT, Place.GATE, duration_s)
    if metal.place is not None and pm in RESET_TO_BIN:
        return Stage(Move.CAPTURE, None, duration_s)
    return Stage(Move.STAY, None, duration_s)


@dataclass
class Job:
    """A motion under way. `error` is what its reply will say; a `stopped` job moves nothing any more."""

    command: Command
    stages: list[Stage]
    began_s: float
    answers: bool
    index: int = 0
    effects_done: int = 0  # stages whose card is at its new place
    stopped: bool = False
    error: str | None = None
    stage_began_s: float = field(init=False)

    def __post_init__(self) -> None:
        self.stage_began_s = self.began_s

    @property
    def stage(self) -> Stage:
        return self.stages[self.index]

    @property
    def ends_s(self) -> float:
        return self.began_s + sum(stage.duration_s for stage in self.stages)

    @property
    def stage_effective(self) -> bool:
        return self.effects_done > self.index

    def next_stage(self, now: float) -> bool:
        """Go on to the next stage, if there is one and nothing has stopped the motion."""
        if self.stopped or self.index + 1 >= len(self.stages):
            return False
        self.index += 1
        self.stage_began_s = now
        return True

    def give_up(self, error: str) -> None:
        """The stages that remain have lost their sense."""
        self.error = error
        self.stages = self.stages[: self.index + 1]

    def progress(self, now: float) -> float:
        """Share of the present stage that is done, 0..1."""
        if self.stage.duration_s <= 0:
            return 1.0
        return min(1.0, max(0.0, (now - self.stage_began_s) / self.stage.duration_s))

"""A recording as questions and what was answered to each, in the order in which they came.

Knows the lines of a recording (`device_drivers.links.tap` writes them); must not know frames.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from simulators.machine import ControlError

MAX_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class Piece:
    """Bytes that the device sent so many seconds after what it was asked."""

    after_s: float
    data: bytes


@dataclass(frozen=True)
class Turn:
    """What was written to the device, and what it sent until it was written to again. `asked` is empty at the start."""

    asked: bytes
    answers: tuple[Piece, ...]


def read_tape(path: Path) -> list[Turn]:
    """The turns of a recording. Raises ControlError."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ControlError(f"recording {path} has more than {MAX_BYTES} bytes: cut it")
        rows = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.endswith("}")]
        passed = [(float(row["t"]), row["dir"], bytes.fromhex(row.get("hex", ""))) for row in rows if "dir" in row]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ControlError(f"recording {path} cannot be read: {error}") from error
    return _turns(passed)


def _turns(passed: list[tuple[float, str, bytes]]) -> list[Turn]:
    turns: list[tuple[bytearray, float, list[Piece]]] = [(bytearray(), passed[0][0] if passed else 0.0, [])]
    for t_s, direction, data in passed:
        asked, since_s, answers = turns[-1]
        if direction == "write" and (answers or not asked):  # else the same question in two pieces
            turns.append((bytearray(data), t_s, []))
        elif direction == "write":
            asked += data
            turns[-1] = (asked, t_s, answers)
        elif direction == "read":
            answers.append(Piece(max(0.0, t_s - since_s), data))
    return [Turn(bytes(asked), tuple(answers)) for asked, _, answers in turns if asked or answers]

"""What the wire's faults make of one answer on its way out: late, torn, with a wrong check byte, with garbage around it.

Knows bytes and armed faults; it never decides whether anything moves.
"""

from __future__ import annotations

from simulators.faults import Armed

Piece = tuple[float, bytes]  # seconds from now, bytes


def spoil(answer: bytes, armed: Armed, now: float) -> list[Piece]:
    """The pieces in which an answer leaves, in order; without faults it is one piece, at once."""
    late = armed.take("late_answer", now)
    delay_s = float(late.args["delay_s"]) if late else 0.0
    if armed.take("wrong_bcc", now):
        answer = answer[:-1] + bytes((answer[-1] ^ 0x5A,))
    if armed.take("half_frame", now):
        answer = answer[: len(answer) // 2]
    garbage = armed.take("garbage", now)
    if garbage:
        answer = _with_garbage(answer, str(garbage.args["where"]), garbage.args["hex"])
    return [(delay_s, answer)]


def _with_garbage(answer: bytes, where: str, garbage: bytes) -> bytes:
    if where == "before":
        return garbage + answer
    if where == "inside":
        middle = len(answer) // 2
        return answer[:middle] + garbage + answer[middle:]
    return answer + garbage

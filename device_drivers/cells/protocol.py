"""The five-byte frames of `8A`/`80` lock boards: bytes to frames and back, without a line or a clock.

Knows how one lock is opened and asked, and can write no frame that opens more than one (PHY-3). What the state byte
means depends on the switch in the lock and is the profile's affair. Source: devices.md section 2.3.
"""

from __future__ import annotations

from dataclasses import dataclass

OPEN, QUERY, REPORT = 0x8A, 0x80, 0x81  # the report comes unasked, by one source only
BOARDS = range(1, 33)  # up to 32 by DIP switch
LOCKS = range(1, 49)  # 00 opens all of a board; the known tables end at 12, nothing is asked far beyond them
STATES = (0x00, 0x11)
FRAME_BYTES = 5
_OPEN_IT, _ASK_IT = 0x11, 0x33


@dataclass(frozen=True, slots=True)
class LockFrame:
    """What a board said: `kind` is OPEN (the answer to an opening), QUERY or REPORT, `state` 00 or 11."""

    kind: int
    board: int
    lock: int
    state: int

    @property
    def wire(self) -> bytes:
        """As it stands on the line."""
        return _with_check(bytes([self.kind, self.board, self.lock, self.state]))


def bcc(data: bytes) -> int:
    """XOR of the bytes before it."""
    result = 0
    for byte in data:
        result ^= byte
    return result


def open_frame(board: int, lock: int) -> bytes:
    """Opens one lock; a second one opens it again. Raises ValueError for anything but one lock of one board."""
    return _frame(OPEN, board, lock, _OPEN_IT)


def query_frame(board: int, lock: int) -> bytes:
    """Asks one lock's feedback; moves nothing. Raises ValueError as `open_frame`."""
    return _frame(QUERY, board, lock, _ASK_IT)


def check_place(board: int, lock: int) -> None:
    """Raises ValueError unless it is one lock of one board."""
    if board not in BOARDS:
        raise ValueError(f"a board has an address of {BOARDS[0]} to {BOARDS[-1]}, not {board}")
    if lock not in LOCKS:
        raise ValueError(f"a lock has a number of {LOCKS[0]} to {LOCKS[-1]}, not {lock}: 0 would be all of them")


def _frame(kind: int, board: int, lock: int, what: int) -> bytes:
    check_place(board, lock)
    return _with_check(bytes([kind, board, lock, what]))


def _with_check(head: bytes) -> bytes:
    return head + bytes([bcc(head)])


class FrameReader:
    """Eats any slices of bytes and gives whole frames of boards in order.

    Holds at most one frame. What is none is skipped and counted in `garbage_bytes`; a frame whose check byte is wrong
    also in `bad_frames`. An echo of our own question is neither: it is passed over, and counted in `echoes`; that of an
    opening looks as the answer 11 does, and is for whoever wrote it to tell.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self.garbage_bytes = 0
        self.bad_frames = 0
        self.echoes = 0

    def feed(self, data: bytes) -> list[LockFrame]:
        """Takes the next bytes of the line; returns what became whole by them."""
        frames: list[LockFrame] = []
        for byte in data:
            self._buffer.append(byte)
            self._scan(frames)
        return frames

    def resync(self) -> None:
        """The line fell silent: an open frame will not be finished."""
        self.garbage_bytes += len(self._buffer)
        self._buffer.clear()

    def _scan(self, frames: list[LockFrame]) -> None:
        while self._buffer and not self._may_begin():
            self._drop()
        if len(self._buffer) < FRAME_BYTES:
            return
        kind, board, lock, state, check = self._buffer
        if check != bcc(bytes(self._buffer[:-1])):
            self.bad_frames += 1
            self._drop()
            self._scan(frames)
            return
        self._buffer.clear()
        if state in STATES:
            frames.append(LockFrame(kind, board, lock, state))
        else:
            self.echoes += 1

    def _may_begin(self) -> bool:
        """Whether the bytes so far can be the beginning of a frame."""
        head = self._buffer
        fits = head[0] in {OPEN, QUERY, REPORT}
        fits = fits and (len(head) < 2 or head[1] in BOARDS)
        fits = fits and (len(head) < 3 or head[2] in LOCKS)
        return fits and (len(head) < 4 or head[3] in STATES or (head[0] == QUERY and head[3] == _ASK_IT))

    def _drop(self) -> None:
        self.garbage_bytes += 1
        del self._buffer[0]

"""The frames of lock boards against the vectors, slices, garbage, and everything that must never be written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.cells.protocol import OPEN, QUERY, REPORT, FrameReader, LockFrame, open_frame, query_frame

# devices.md section 2.3, byte for byte
OPEN_1_1, OPEN_1_2, OPEN_1_12 = "8A 01 01 11 9B", "8A 01 02 11 98", "8A 01 0C 11 96"
ALL_OF_1, ALL_OF_2 = "8A 01 00 11 9A", "8A 02 00 11 99"
QUERY_1_1 = "80 01 01 33 B3"
REPLIES = [
    ("8A 01 01 00 8A", LockFrame(OPEN, 1, 1, 0x00)),
    ("8A 01 0C 00 87", LockFrame(OPEN, 1, 12, 0x00)),
    ("80 01 01 11 91", LockFrame(QUERY, 1, 1, 0x11)),
    ("80 01 01 00 80", LockFrame(QUERY, 1, 1, 0x00)),
    ("81 01 01 00 81", LockFrame(REPORT, 1, 1, 0x00)),
]


def wire(text: str) -> bytes:
    return bytes.fromhex(text)


def test_the_vectors_byte_for_byte() -> None:
    assert open_frame(1, 1) == wire(OPEN_1_1)
    assert open_frame(1, 2) == wire(OPEN_1_2)
    assert open_frame(1, 12) == wire(OPEN_1_12)
    assert query_frame(1, 1) == wire(QUERY_1_1)


@pytest.mark.parametrize(("text", "frame"), REPLIES)
def test_each_reply_of_the_vectors_is_read(text: str, frame: LockFrame) -> None:
    assert FrameReader().feed(wire(text)) == [frame]


@pytest.mark.parametrize(("text", "frame"), REPLIES)
def test_a_reply_one_byte_at_a_time(text: str, frame: LockFrame) -> None:
    reader = FrameReader()
    slices = [reader.feed(bytes([byte])) for byte in wire(text)]
    assert slices == [[], [], [], [], [frame]]


def test_two_replies_in_one_read() -> None:
    both = wire(REPLIES[0][0]) + wire(REPLIES[2][0])
    assert FrameReader().feed(both) == [REPLIES[0][1], REPLIES[2][1]]


@pytest.mark.parametrize("noise", ["00", "FF 00 81", "8A", "8A 01", "80 01 01", "8A 8A 80", "F2 00 00 03 43"])
def test_garbage_before_and_behind_a_reply_is_skipped_and_counted(noise: str) -> None:
    reader = FrameReader()
    found = reader.feed(wire(noise) + wire("80 01 01 11 91") + wire(noise))
    reader.resync()
    assert LockFrame(QUERY, 1, 1, 0x11) in found
    assert reader.garbage_bytes >= len(wire(noise))


def test_garbage_inside_a_reply_spoils_that_one_only() -> None:
    reader = FrameReader()
    assert reader.feed(wire("80 01 FF 01 11 91") + wire("80 01 01 00 80")) == [LockFrame(QUERY, 1, 1, 0x00)]
    assert reader.garbage_bytes == 6


def test_a_wrong_check_byte_is_counted_and_nothing_is_believed() -> None:
    reader = FrameReader()
    assert reader.feed(wire("80 01 01 11 92")) == []
    assert reader.bad_frames == 1


def test_silence_lets_go_of_half_a_reply() -> None:
    reader = FrameReader()
    assert reader.feed(wire("80 01 01")) == []
    reader.resync()
    assert reader.feed(wire("11 91") + wire("80 01 01 00 80")) == [LockFrame(QUERY, 1, 1, 0x00)]


def test_our_own_question_heard_back_is_no_answer() -> None:
    reader = FrameReader()
    assert reader.feed(wire(QUERY_1_1) + wire("80 01 01 00 80")) == [LockFrame(QUERY, 1, 1, 0x00)]
    assert reader.garbage_bytes == 0


@pytest.mark.rule("PHY-3")
@pytest.mark.parametrize("board", [-1, 0, 33, 0xFF, 256])
def test_no_frame_for_a_group_of_boards(board: int) -> None:
    with pytest.raises(ValueError, match="1 to 32"):
        open_frame(board, 1)


@pytest.mark.rule("PHY-3")
@given(st.integers(-5, 300), st.integers(-5, 300))
def test_no_frame_can_be_made_that_opens_more_than_one(board: int, lock: int) -> None:
    try:
        frame = open_frame(board, lock)
    except ValueError:
        assert not (1 <= board <= 32 and 1 <= lock <= 48)
        return
    assert frame[1] != 0
    assert frame[2] != 0
    assert frame not in {wire(ALL_OF_1), wire(ALL_OF_2)}


@pytest.mark.rule("PHY-3")
def test_lock_0_is_every_lock_and_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="0 would be all of them"):
        open_frame(1, 0)
    with pytest.raises(ValueError, match="0 would be all of them"):
        query_frame(1, 0)


@given(st.lists(st.binary(max_size=30), max_size=20))
def test_any_bytes_in_any_slices_never_fill_the_reader(slices: list[bytes]) -> None:
    reader = FrameReader()
    frames = [frame for data in slices for frame in reader.feed(data)]
    assert all(frame.lock and frame.board and frame.state in {0x00, 0x11} for frame in frames)
    assert len(reader._buffer) < 5
    assert reader.garbage_bytes <= sum(map(len, slices))


@given(st.binary(max_size=12), st.integers(1, 32), st.integers(1, 48), st.sampled_from([0x00, 0x11]))
def test_after_a_silence_a_reply_is_always_found(noise: bytes, board: int, lock: int, state: int) -> None:
    reader = FrameReader()
    reader.feed(noise)
    reader.resync()
    head = bytes([QUERY, board, lock, state])
    check = head[0] ^ head[1] ^ head[2] ^ head[3]
    assert reader.feed(head + bytes([check])) == [LockFrame(QUERY, board, lock, state)]

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from typing import cast

import pytest

from cloud_bridge.gathering import GATHER_BYTES, READ_BYTES, GatheringSocket

Pair = tuple[GatheringSocket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    near, far = socket.socketpair()
    near.setblocking(False)
    far.setblocking(False)
    gathering = GatheringSocket(near)
    yield gathering, far
    gathering.close()
    far.close()


class Scripted:
    """A system that answers as it is told: bytes or an error for each read, a number or an error for each write."""

    def __init__(self, *, reads: tuple[object, ...] = (), writes: tuple[object, ...] = ()) -> None:
        self.reads, self.writes = list(reads), list(writes)
        self.asked: list[bytes] = []

    def recv(self, size: int) -> bytes:
        return cast("bytes", self._next(self.reads))

    def send(self, data: bytes | bytearray) -> int:
        self.asked.append(bytes(data))
        return cast("int", self._next(self.writes))

    @staticmethod
    def _next(told: list[object]) -> object:
        one = told.pop(0)
        if isinstance(one, Exception):
            raise one
        return one


def scripted(*, reads: tuple[object, ...] = (), writes: tuple[object, ...] = ()) -> tuple[GatheringSocket, Scripted]:
    system = Scripted(reads=reads, writes=writes)
    return GatheringSocket(cast("socket.socket", system)), system


# -- reading -----------------------------------------------------------------------------------------------------------


def test_one_read_serves_many_small_questions(pair: Pair) -> None:
    near, far = pair
    far.send(b"abcdef")
    near.fill()
    assert [near.recv(1), near.recv(1), near.recv(3), near.recv(100)] == [b"a", b"b", b"cde", b"f"]
    assert not near.waiting
    with pytest.raises(BlockingIOError):
        near.recv(1)


def test_only_fill_asks_the_system(pair: Pair) -> None:
    near, far = pair
    far.send(b"a")
    with pytest.raises(BlockingIOError):
        near.recv(1)
    near.fill()
    assert near.recv(9) == b"a"


def test_nothing_is_read_on_top_of_what_waits(pair: Pair) -> None:
    near, far = pair
    far.send(b"first")
    near.fill()
    far.send(b"second")
    near.fill()
    assert near.recv(99) == b"first", "who pauses shall not be read for"
    near.fill()
    assert near.recv(99) == b"second"


def test_a_fill_without_anything_there_is_no_news(pair: Pair) -> None:
    near, _ = pair
    near.fill()
    assert not near.waiting


def test_the_end_comes_behind_what_was_read_and_stays(pair: Pair) -> None:
    near, far = pair
    far.send(b"last")
    far.close()
    near.fill()
    assert (near.recv(2), near.recv(2)) == (b"la", b"st")
    near.fill()
    assert near.waiting
    assert (near.recv(1), near.recv(1)) == (b"", b"")


def test_an_error_comes_behind_what_was_read() -> None:
    near, _ = scripted(reads=(b"last", ConnectionResetError(104, "reset")))
    near.fill()
    assert near.recv(9) == b"last"
    near.fill()
    with pytest.raises(ConnectionResetError):
        near.recv(1)


@pytest.mark.parametrize("later", [BlockingIOError(), ssl.SSLWantReadError(), ssl.SSLWantWriteError()])
def test_what_the_system_cannot_do_now_is_no_error(later: OSError) -> None:
    near, _ = scripted(reads=(later, b"x"), writes=(later, 3))
    near.fill()
    assert not near.waiting
    near.fill()
    assert near.recv(1) == b"x"
    near.send(b"abc")
    near.flush()
    assert (near.unsent, near.failed) == (3, False)
    near.flush()
    assert near.unsent == 0


# -- writing -----------------------------------------------------------------------------------------------------------


def test_packets_of_a_turn_leave_in_one_write() -> None:
    near, system = scripted(writes=(9,))
    assert [near.send(b"one"), near.send(b"two"), near.send(b"six")] == [3, 3, 3]
    assert system.asked == []
    near.flush()
    assert system.asked == [b"onetwosix"]
    near.flush()
    assert len(system.asked) == 1, "nothing to write, nothing asked"


def test_what_is_taken_in_part_goes_on_where_it_stopped_with_what_came_since_behind_it() -> None:
    near, system = scripted(writes=(4, BlockingIOError(), 5))
    near.send(b"onetwo")
    near.flush()
    near.send(b"six")
    near.flush()
    assert near.unsent == 5
    near.flush()
    assert system.asked == [b"onetwo", b"wosix", b"wosix"]
    assert near.unsent == 0


def test_tls_is_asked_again_with_what_begins_with_the_same_bytes() -> None:
    near, system = scripted(writes=(ssl.SSLWantWriteError(), 9))
    near.send(b"onetwo")
    near.flush()
    near.send(b"six")
    near.flush()
    assert system.asked == [b"onetwo", b"onetwosix"]


def test_who_sends_more_than_may_wait_has_to_wait_himself() -> None:
    near, system = scripted(writes=(BlockingIOError(), BlockingIOError(), GATHER_BYTES))
    near.send(b"x" * GATHER_BYTES)
    for _ in range(2):
        with pytest.raises(BlockingIOError):
            near.send(b"y")
    assert near.send(b"y") == 1, "the system took the rest meanwhile"
    assert (near.unsent, len(system.asked)) == (1, 3)


def test_a_packet_larger_than_what_may_wait_is_taken_whole() -> None:
    near, _ = scripted()
    assert near.send(b"x" * 4 * GATHER_BYTES) == 4 * GATHER_BYTES


@pytest.mark.parametrize("then", ["send", "recv"])
def test_what_the_system_refuses_for_good_is_raised_by_the_next_call_and_not_written_again(then: str) -> None:
    near, system = scripted(writes=(BrokenPipeError(32, "gone"),))
    near.send(b"x")
    near.flush()
    assert near.failed
    assert near.waiting
    near.flush()
    assert len(system.asked) == 1
    with pytest.raises(BrokenPipeError):
        near.send(b"y") if then == "send" else near.recv(1)


def test_without_gathering_the_system_says_what_it_took() -> None:
    near, system = scripted(writes=(3, 2, ssl.SSLWantWriteError()))
    near.send(b"one")
    near.gathers = False
    assert near.send(b"goodbye") == 2
    assert system.asked == [b"one", b"goodbye"]
    with pytest.raises(ssl.SSLWantWriteError):
        near.send(b"odbye")


def test_without_gathering_nothing_overtakes_what_was_kept() -> None:
    near, system = scripted(writes=(2, 1, 7))
    near.send(b"one")
    near.gathers = False
    with pytest.raises(BlockingIOError):
        near.send(b"goodbye")
    assert near.send(b"goodbye") == 7
    assert system.asked == [b"one", b"e", b"goodbye"]


def test_a_close_is_at_once_and_gives_up_what_was_kept(pair: Pair) -> None:
    near, far = pair
    near.send(b"kept")
    near.close()
    assert (near.fileno(), near.unsent) == (-1, 0)
    assert far.recv(9) == b""


def test_nothing_decoded_of_a_tls_record_can_be_left_behind() -> None:
    assert READ_BYTES >= 16 * 1024, "RFC 8446 §5.1: no record carries more"

"""Real ptys and sockets: what the operating system does to a line, and that nothing stays open."""

from __future__ import annotations

import asyncio
import os
import pty
import select
import socket
import struct
import termios
import threading
import time
import tty
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from serial import Serial

from device_drivers.links import serial as lines
from device_drivers.links.address import open_address
from device_drivers.links.finish import write_whole
from device_drivers.links.link import Link, LinkError

pytestmark = pytest.mark.process
LATE_S = 60.0  # when what hangs is let go: whoever is back before did not wait for it, on any box


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def port_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith(("open ", "close "))]


async def until(seen: Callable[[], bool]) -> None:
    for _ in range(60_000):
        if seen():
            return
        await asyncio.sleep(0.001)
    pytest.fail("not seen in a minute")


async def no_thread_left() -> None:
    await until(lambda: not port_threads())


@dataclass
class Pty:
    master: int
    address: str

    def hang_up(self) -> None:
        if self.master >= 0:
            os.close(self.master)
            self.master = -1


@pytest.fixture
def line() -> Iterator[Pty]:
    master, slave = pty.openpty()
    tty.setraw(master)
    path = os.ttyname(slave)
    os.close(slave)
    it = Pty(master, f"serial://{path}?baud=19200&dtr=0&rts=1")
    yield it
    it.hang_up()


@asynccontextmanager
async def opened(address: str) -> AsyncIterator[Link]:
    link = open_address(address)
    await link.open()
    try:
        yield link
    finally:
        await link.close()


async def test_bytes_pass_both_ways_and_none_is_changed(line: Pty) -> None:
    every = bytes(range(256))
    async with opened(line.address) as link:
        await link.write(every)
        assert os.read(line.master, 1024) == every
        os.write(line.master, every)
        got = b""
        while len(got) < len(every):
            piece = await link.read(100, 1)
            assert 0 < len(piece) <= 100
            got += piece
        assert got == every


async def test_a_machine_that_is_busy_holds_the_bytes_back_where_the_address_says_so(line: Pty) -> None:
    address = f"{line.address.split('?', maxsplit=1)[0]}?flow=xonxoff"
    async with opened(address) as link:
        os.write(line.master, b"\x13!")
        assert await link.read(10, 10) == b"!", "the kernel has seen what came before it"
        writing = asyncio.create_task(link.write(b"a line of a receipt"))
        await asyncio.sleep(0)
        assert select.select([line.master], [], [], 0)[0] == [], "nothing leaves while it is held"
        os.write(line.master, b"\x11")
        await writing
        assert os.read(line.master, 100) == b"a line of a receipt"


async def test_silence_is_no_byte_and_no_loss(line: Pty) -> None:
    async with opened(line.address) as link:
        assert await link.read(10, 0.01) == b""
        os.write(line.master, b"x")
        assert await link.read(10, 1) == b"x"


async def test_what_came_while_the_process_stood_still_is_no_silence(line: Pty) -> None:
    async with opened(line.address) as link:
        reading = asyncio.create_task(link.read(10, 0.01))
        await asyncio.sleep(0)
        os.write(line.master, b"x")
        time.sleep(0.02)  # noqa: ASYNC251 - nobody lets this process run: byte and clock are both due when it goes on
        assert await reading == b"x"


async def test_a_reader_is_woken_by_the_byte_not_by_the_clock(line: Pty) -> None:
    async with opened(line.address) as link:
        reading = asyncio.create_task(link.read(10, 30))
        await asyncio.sleep(0)
        os.write(line.master, b"x")
        began = time.monotonic()
        assert await reading == b"x"
        assert time.monotonic() - began < 30


async def test_a_hang_up_is_told_at_once(line: Pty) -> None:
    async with opened(line.address) as link:
        reading = asyncio.create_task(link.read(10, 30))
        await asyncio.sleep(0)
        line.hang_up()
        with pytest.raises(LinkError, match="hung up"):
            await reading
        with pytest.raises(LinkError):
            await link.write(b"x")


async def test_a_port_is_held_by_one_only(line: Pty) -> None:
    async with opened(line.address):
        with pytest.raises(LinkError, match="another process holds the port"):
            await open_address(line.address).open()
    async with opened(line.address) as link:
        await link.write(b"x")


async def test_closing_wakes_a_reader(line: Pty) -> None:
    link = open_address(line.address)
    await link.open()
    reading = asyncio.create_task(link.read(10, 30))
    await asyncio.sleep(0)
    await link.close()
    with pytest.raises(LinkError, match="closed while waiting"):
        await reading
    await link.close()
    with pytest.raises(LinkError, match="is not open"):
        await link.read(1, 1)


async def test_a_line_that_takes_nothing_any_more_ends_the_write(line: Pty, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("device_drivers.links.serial.WRITE_TIMEOUT_S", 0.05)
    async with opened(line.address) as link:
        with pytest.raises(LinkError, match="took only"):
            await link.write(bytes(1024 * 1024))


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("serial:///dev/no-such-line", "no such device"),
        ("serial:///FOLDER/plain-file", "not a serial line"),
        ("serial:///etc", r"could not open|directory"),
        ("serial:///dev/null", "not a serial line"),
    ],
)
async def test_what_cannot_be_opened_says_why_and_leaks_nothing(address: str, why: str, tmp_path: Path) -> None:
    (tmp_path / "plain-file").touch()
    address = address.replace("/FOLDER", str(tmp_path))
    before = open_files()
    for _ in range(20):
        with pytest.raises(LinkError, match=why):
            await open_address(address).open()
    assert open_files() == before
    await no_thread_left()


async def test_opening_and_closing_leaks_nothing(line: Pty) -> None:
    before = open_files()
    for _ in range(20):
        async with opened(line.address) as link:
            await link.read(1, 0)
    assert open_files() == before
    await no_thread_left()


@dataclass
class Adapter:
    """Opening hangs until it is plugged in again, and so does closing where `closes` is not set."""

    hangs: threading.Event
    plugged: threading.Event
    closes: threading.Event


@pytest.fixture
def adapter(monkeypatch: pytest.MonkeyPatch) -> Iterator[Adapter]:
    it = Adapter(threading.Event(), threading.Event(), threading.Event())
    it.closes.set()
    really_open, really_close = lines._open_port, lines._close_port

    def open_port(address: lines.SerialAddress) -> Serial:
        it.hangs.set()
        assert it.plugged.wait(20)
        return really_open(address)

    def close_port(port: Serial) -> None:
        assert it.closes.wait(20)
        really_close(port)

    monkeypatch.setattr(lines, "_open_port", open_port)
    monkeypatch.setattr(lines, "_close_port", close_port)
    yield it
    it.plugged.set()
    it.closes.set()


async def test_an_opening_that_hangs_is_given_up_and_what_it_opens_later_is_closed(
    line: Pty, adapter: Adapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "OPEN_TIMEOUT_S", 0.05)
    before = open_files()
    link = open_address(line.address)
    async with asyncio.timeout(LATE_S):
        with pytest.raises(LinkError, match="did not open in"):
            await link.open()
    for _ in range(3):  # a dead adapter costs one thread, however often it is tried
        with pytest.raises(LinkError, match="still hangs"):
            await link.open()
    assert len(port_threads()) == 1
    adapter.plugged.set()
    await no_thread_left()
    assert open_files() == before
    await link.open()
    await link.write(b"x")
    await link.close()
    assert open_files() == before


async def test_openings_that_hang_take_no_thread_from_others(line: Pty, adapter: Adapter) -> None:
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
    opening = asyncio.create_task(open_address(line.address).open())
    await until(adapter.hangs.is_set)
    try:
        async with asyncio.timeout(LATE_S):
            assert await asyncio.to_thread(int) == 0  # as a name is resolved, or the journal closed
    finally:
        adapter.plugged.set()
        opening.cancel()
        await asyncio.wait([opening])
        await no_thread_left()


async def test_an_opening_that_hangs_does_not_hold_up_a_cancellation(line: Pty, adapter: Adapter) -> None:
    before = open_files()
    opening = asyncio.create_task(open_address(line.address).open())
    await until(adapter.hangs.is_set)
    began = time.monotonic()
    timer = threading.Timer(LATE_S, adapter.plugged.set)
    timer.start()
    opening.cancel()
    await asyncio.wait([opening])
    assert opening.cancelled()
    assert time.monotonic() - began < LATE_S
    timer.cancel()
    adapter.plugged.set()
    await no_thread_left()
    assert open_files() == before


async def test_a_port_that_opened_just_as_nobody_waited_any_more_is_closed(line: Pty) -> None:
    before = open_files()
    for _ in range(20):
        opening = asyncio.create_task(open_address(line.address).open())
        await asyncio.sleep(0)
        time.sleep(0.01)  # noqa: ASYNC251 - it is opened, and the loop has not heard of it
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        await until(lambda: open_files() == before)


def test_an_opening_that_hangs_does_not_hold_up_the_end_of_the_loop(line: Pty, adapter: Adapter) -> None:
    async def dies() -> None:
        opening = asyncio.create_task(open_address(line.address).open())
        await until(adapter.hangs.is_set)
        opening.cancel()

    timer = threading.Timer(LATE_S, adapter.plugged.set)
    timer.start()
    began = time.monotonic()
    asyncio.run(dies())
    assert time.monotonic() - began < LATE_S
    timer.cancel()
    before = open_files()
    adapter.plugged.set()  # and behind the closed loop nothing stays open either
    asyncio.run(no_thread_left())
    assert open_files() == before


async def test_a_closing_that_hangs_ends_by_itself(
    line: Pty, adapter: Adapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "CLOSE_TIMEOUT_S", 0.05)
    before = open_files()
    adapter.plugged.set()
    link = open_address(line.address)
    await link.open()
    adapter.closes.clear()
    async with asyncio.timeout(LATE_S):
        await link.close()
    with pytest.raises(LinkError, match="is not open"):
        await link.read(1, 1)
    adapter.closes.set()
    await no_thread_left()
    assert open_files() == before


async def test_settings_are_raw_and_the_baud_is_set(line: Pty) -> None:
    async with opened(line.address):
        settings = termios.tcgetattr(line.master)
        assert settings[4] == settings[5] == termios.B19200
        assert settings[6][termios.VMIN] in (1, b"\x01")


# --- TCP -----------------------------------------------------------------------------------------------------------


@dataclass
class Server:
    listener: socket.socket

    @property
    def address(self) -> str:
        host, port = self.listener.getsockname()
        return f"tcp://{host}:{port}"

    def accept(self) -> socket.socket:
        connection, _ = self.listener.accept()
        connection.settimeout(LATE_S)
        return connection


@pytest.fixture
def server() -> Iterator[Server]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(LATE_S)
        yield Server(listener)


async def test_tcp_carries_bytes_without_delay(server: Server) -> None:
    async with opened(server.address) as link:
        with server.accept() as far:
            await link.write(b"\xf2\x00")
            assert far.recv(10) == b"\xf2\x00"
            far.sendall(bytes(3000))
            got = [await link.read(1024, 1)]
            while sum(map(len, got)) < 3000:
                got.append(await link.read(1024, 1))
            assert max(map(len, got)) <= 1024
            assert await link.read(10, 0.01) == b""


async def test_tcp_switches_nagle_off(server: Server) -> None:
    async with opened(server.address) as link:
        server.accept().close()
        line = link._ears.transport.get_extra_info("socket")  # type: ignore[attr-defined]
        assert line.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


async def test_tcp_tells_a_closed_far_end(server: Server) -> None:
    async with opened(server.address) as link:
        server.accept().close()
        with pytest.raises(LinkError, match=r"closed the connection|reset"):
            await link.read(1, 5)


async def test_tcp_tells_a_refused_connection(server: Server) -> None:
    address = server.address
    server.listener.close()
    with pytest.raises(LinkError, match="cannot connect"):
        await open_address(address).open()
    link = open_address(address)
    with pytest.raises(LinkError, match="is not open"):
        await link.write(b"x")
    await link.close()


async def test_tcp_gives_up_a_far_end_that_never_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*_args: object, **_kwargs: object) -> None:
        await asyncio.get_running_loop().create_future()

    monkeypatch.setattr("device_drivers.links.tcp.CONNECT_TIMEOUT_S", 0.01)
    monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", never)
    with pytest.raises(LinkError, match="no answer"):
        await open_address("tcp://127.0.0.1:9").open()


async def test_tcp_gives_up_a_far_end_that_takes_nothing(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("device_drivers.links.tcp.WRITE_TIMEOUT_S", 0.05)
    async with opened(server.address) as link:
        with server.accept(), pytest.raises(LinkError, match="did not take"):
            await link.write(bytes(32 * 1024 * 1024))


async def test_tcp_finishes_a_frame_whose_writer_was_cancelled(server: Server) -> None:
    """What the operating system does not take at once goes on its way all the same, to the last byte."""
    frame = bytes(range(256)) * 64 * 1024
    async with opened(server.address) as link:
        with server.accept() as far:
            writing = asyncio.create_task(write_whole(link, frame))
            await asyncio.sleep(0)
            writing.cancel()
            await asyncio.sleep(0)
            assert not writing.done(), "so many bytes are not taken at once"
            got = await asyncio.to_thread(_received, far, len(frame))
            with pytest.raises(asyncio.CancelledError):
                await writing
    assert got == frame


def _received(far: socket.socket, count: int) -> bytes:
    got = bytearray()
    while len(got) < count and (piece := far.recv(1 << 20)):
        got += piece
    return bytes(got)


async def test_tcp_needs_no_task_for_a_frame_that_is_taken_at_once(server: Server) -> None:
    async with opened(server.address) as link:
        with server.accept() as far:
            before = asyncio.all_tasks()
            writing = write_whole(link, b"\x10\x04\x01")
            with pytest.raises(StopIteration):
                writing.send(None)  # it came to its end without waiting for anything
            assert asyncio.all_tasks() == before
            assert far.recv(10) == b"\x10\x04\x01"


async def test_tcp_tells_a_writer_that_the_connection_is_gone(server: Server) -> None:
    async with opened(server.address) as link:
        far = server.accept()
        far.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        far.close()  # a reset, not a goodbye
        await until(link._ears.ended.is_set)  # type: ignore[attr-defined]
        with pytest.raises(LinkError, match=r"reset|closed|[Bb]roken"):
            await write_whole(link, b"x")


async def test_tcp_leaves_a_flood_with_the_sender(server: Server) -> None:
    async with opened(server.address) as link:
        with server.accept() as far:
            far.setblocking(False)
            sent = 0
            for _ in range(200):
                try:
                    sent += far.send(bytes(65536))
                except BlockingIOError:
                    break
                await asyncio.sleep(0)
            else:
                pytest.fail("the flood was never stopped")
            assert len(link._ears._came) <= 512 * 1024  # type: ignore[attr-defined]


async def test_tcp_leaks_nothing(server: Server) -> None:
    async with opened(server.address):
        server.accept().close()
    before = open_files()
    for _ in range(20):
        async with opened(server.address) as link:
            server.accept().close()
            with pytest.raises(LinkError):
                await link.read(1, 5)
    assert open_files() == before


async def test_tcp_writes_until_the_operating_system_has_all_bytes(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("device_drivers.links.tcp.WRITE_TIMEOUT_S", 0.05)
    async with opened(server.address) as link:
        with server.accept():
            transport = link._ears.transport  # type: ignore[attr-defined]
            for _ in range(10000):
                try:
                    await link.write(bytes(16384))
                except LinkError:
                    break
                assert transport.get_write_buffer_size() == 0
            else:
                pytest.fail("nobody read, and every write was called done")

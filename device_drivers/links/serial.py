"""A serial line: real ttys, USB adapters and ptys, read and written through the event loop; opened and closed apart.

Knows file descriptors, line settings and what the operating system says when a line goes; must not know frames.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import termios
from collections.abc import Callable
from dataclasses import dataclass

import serial

from device_drivers.links.errand import Errand, ErrandHangsError
from device_drivers.links.finish import finish_first
from device_drivers.links.link import LinkError

WRITE_TIMEOUT_S = (
    5.0  # longer than any packet at 9600 baud (1024 bytes take 1.1 s); a line held by flow control ends here
)
# The kernel gives a USB adapter 5 s for each control request, and opening takes a few; a sound one needs milliseconds.
OPEN_TIMEOUT_S = 15.0
CLOSE_TIMEOUT_S = 5.0  # one such request; a close that takes longer ends by itself


@dataclass(frozen=True, slots=True)
class SerialAddress:
    """`serial:///dev/ttyUSB0?baud=9600&dtr=0`; `dtr` and `rts` that are None are raised at opening, as ttys do.

    `flow`: who holds bytes back while the machine is busy: nobody ("none"), the line RTS/CTS, or the bytes 11 and 13.
    """

    path: str
    baud: int = 9600
    dtr: bool | None = None
    rts: bool | None = None
    flow: str = "none"

    def __str__(self) -> str:
        options = [f"baud={self.baud}"]
        options += [
            f"{name}={int(level)}" for name, level in (("dtr", self.dtr), ("rts", self.rts)) if level is not None
        ]
        options += [f"flow={self.flow}"] if self.flow != "none" else []
        return f"serial://{self.path}?{'&'.join(options)}"


class SerialLink:
    """One serial line, opened exclusively, 8N1; without flow control unless its address asks for it."""

    def __init__(self, address: SerialAddress) -> None:
        self._address = address
        self._port: serial.Serial | None = None
        self._opening: Errand[serial.Serial] | None = None  # one that was given up and may hang still
        self._waiters: set[asyncio.Future[None]] = set()

    def describe(self) -> str:
        """The address with its settings."""
        return str(self._address)

    async def open(self) -> None:
        """Opens and locks the port. Raises LinkError; nothing stays open then."""
        if self._port is not None:
            return
        if self._opening is not None and self._opening.under_way:  # or a dead adapter would cost a thread each time
            raise self._lost("an earlier opening still hangs; unplug the adapter and plug it in again")
        self._opening = Errand(f"open {self._address.path}", lambda: _open_port(self._address), _close_port)
        try:
            self._port = await self._opening.result(OPEN_TIMEOUT_S)
        except ErrandHangsError as error:
            raise self._lost(f"did not open in {OPEN_TIMEOUT_S} s; unplug the adapter and plug it in again") from error
        except (serial.SerialException, OSError, ValueError, termios.error) as error:
            self._opening = None
            raise self._lost(_why(error)) from error
        self._opening = None

    async def close(self) -> None:
        """Closes at once: bytes that the line never took are given up."""
        port, self._port = self._port, None
        if port is None:
            return
        loop = asyncio.get_running_loop()
        loop.remove_reader(port.fileno())
        loop.remove_writer(port.fileno())
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_exception(self._lost("closed while waiting"))
        closing = Errand(f"close {self._address.path}", lambda: _close_port(port), lambda _: None)
        with contextlib.suppress(ErrandHangsError):
            await finish_first(closing.result(CLOSE_TIMEOUT_S))

    async def read(self, max_bytes: int, timeout_s: float) -> bytes:
        """At least one byte, or b"" after silence. Raises LinkError when the line is lost."""
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    with contextlib.suppress(BlockingIOError):
                        return self._taken(os.read(self._fd(), max_bytes))
                    loop = asyncio.get_running_loop()
                    await self._wait(loop.add_reader, loop.remove_reader)
        except TimeoutError:
            return self._left_lying(max_bytes)
        except OSError as error:
            raise self._lost(_why(error)) from error

    def _left_lying(self, max_bytes: int) -> bytes:
        """What came in time while this process was not let run: the clock is not to call that a silence."""
        try:
            return self._taken(os.read(self._fd(), max_bytes))
        except BlockingIOError:
            return b""
        except OSError as error:
            raise self._lost(_why(error)) from error

    async def write(self, data: bytes) -> None:
        """Returns when the operating system has taken all bytes. Raises LinkError."""
        rest = memoryview(data)
        try:
            async with asyncio.timeout(WRITE_TIMEOUT_S):
                while rest:
                    try:
                        rest = rest[os.write(self._fd(), rest) :]
                    except BlockingIOError:
                        loop = asyncio.get_running_loop()
                        await self._wait(loop.add_writer, loop.remove_writer)
        except TimeoutError as error:
            raise self._lost(
                f"took only {len(data) - len(rest)} of {len(data)} bytes in {WRITE_TIMEOUT_S} s"
            ) from error
        except OSError as error:
            raise self._lost(_why(error)) from error

    def _fd(self) -> int:
        if self._port is None:
            raise self._lost("is not open")
        return int(self._port.fileno())

    def _taken(self, data: bytes) -> bytes:
        if not data:  # VMIN is 1, so an empty read is a hang-up, never silence
            raise self._lost("the line hung up (unplugged, or its other end closed)")
        return data

    async def _wait(self, add: Callable[..., None], remove: Callable[[int], bool]) -> None:
        fd = self._fd()
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.add(ready)
        add(fd, _wake, ready)
        try:
            await ready
        finally:
            if self._port is not None:  # else close() removed it, and the number may belong to another file by now
                remove(fd)
            self._waiters.discard(ready)

    def _lost(self, why: str) -> LinkError:
        return LinkError(self.describe(), why)


def _wake(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)


def _open_port(address: SerialAddress) -> serial.Serial:
    port = serial.Serial(None, baudrate=address.baud, timeout=0, write_timeout=0, exclusive=True)
    port.port = address.path
    port.rtscts, port.xonxoff = address.flow == "rtscts", address.flow == "xonxoff"
    if address.dtr is not None:
        port.dtr = address.dtr
    if address.rts is not None:
        port.rts = address.rts
    port.open()
    try:
        _block_at_least_one_byte(port.fileno())
    except BaseException:
        port.close()
        raise
    return port


def _block_at_least_one_byte(fd: int) -> None:
    """VMIN 1: `read` then tells silence (EAGAIN) from a hang-up (0 bytes); pyserial leaves both at 0 bytes."""
    settings = termios.tcgetattr(fd)
    settings[6][termios.VMIN] = 1
    settings[6][termios.VTIME] = 0
    termios.tcsetattr(fd, termios.TCSANOW, settings)


def _close_port(port: serial.Serial) -> None:
    # Without the flush the kernel waits up to 30 s for a line that takes nothing any more.
    with contextlib.suppress(termios.error, OSError):
        termios.tcflush(port.fileno(), termios.TCOFLUSH)
    with contextlib.suppress(OSError):  # the file is closed all the same
        port.close()


_REMEDIES = {
    errno.ENOENT: "there is no such device; is it plugged in, and is the path right (see /dev/serial/by-id)?",
    errno.EACCES: "permission denied; add the user to the group that owns the device (usually dialout)",
    errno.EPERM: "permission denied; add the user to the group that owns the device (usually dialout)",
    errno.EAGAIN: "another process holds the port; stop it first (find it with: fuser -v DEVICE)",
    errno.EBUSY: "another process holds the port; stop it first (find it with: fuser -v DEVICE)",
    errno.ENOTTY: "is not a serial line",
    errno.EIO: "the line hung up (unplugged, or its other end closed)",
    errno.ENXIO: "the device is gone (unplugged?)",
    errno.ENODEV: "the device is gone (unplugged?)",
}


def _why(error: BaseException) -> str:
    """The operating system's reason with its remedy."""
    return _REMEDIES.get(_number(error), "") or str(error) or type(error).__name__


def _number(error: BaseException) -> int:
    """The errno of an error; pyserial tells a failed configuration without it, termios as a plain argument."""
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno
    if isinstance(error, termios.error) and error.args:
        return int(error.args[0])
    return _number(error.__context__) if error.__context__ is not None else 0

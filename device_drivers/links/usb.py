"""A printer at a USB port as a link: one thread makes its transfers, each short, so that everything ends soon.

Knows when to transfer, for how long and what a loss means for the caller; must not know frames.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from device_drivers.links.finish import finish_first
from device_drivers.links.link import LinkError
from device_drivers.links.port_questions import PortStatus, parse_device_id, parse_port_status
from device_drivers.links.usb_address import UsbAddress
from device_drivers.links.usb_errors import UsbTrouble
from device_drivers.links.usb_port import UsbPort
from device_drivers.links.worker import Worker, WorkerHangsError

T = TypeVar("T")

CHUNK_BYTES = 4096  # a cancelled write ends behind the one under way
# The longest single transfers: nobody waits longer to cancel, to close or to put a byte between. A write that a busy
# printer puts off is cut less often, because it must be resumed in the middle.
READ_SLICE_S, WRITE_SLICE_S = 0.2, 1.0
WRITE_STUCK_S = 5.0  # without one byte taken; a printer that is busy printing takes some in between
EMPTY_PACKET_PAUSE_S = 0.01  # some devices answer with empty packets where others stay silent
# The kernel gives a device 5 s for a request; a sound one needs milliseconds. What takes longer hangs.
OPEN_TIMEOUT_S = 15.0
TRANSFER_TIMEOUT_S = 10.0
CLOSE_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True, eq=False)
class _Opened:
    worker: Worker
    port: UsbPort


class UsbLink:
    """One printer interface, claimed for itself alone. Open it again after an unplugging: the device is looked for."""

    def __init__(self, address: UsbAddress) -> None:
        self._address = address
        self._open: _Opened | None = None
        self._hanging: Worker | None = None  # one that was given up and may hang still
        self._closed = asyncio.Event()
        self._inbox = bytearray()
        self._bytes_begun = 0
        self._two_way = True

    def describe(self) -> str:
        """The address with its options."""
        return str(self._address)

    @property
    def bytes_begun(self) -> int:
        """How many bytes may have left since the link was made: the same before and after a write, none did."""
        return self._bytes_begun

    @property
    def two_way(self) -> bool:
        """False while the port that is open can only be written to (protocol 01): nothing will ever be read."""
        return self._two_way

    async def open(self) -> None:
        """Finds and claims. Raises LinkError; nothing stays claimed then."""
        if self._open is not None:
            return
        if self._hanging is not None and self._hanging.alive:  # or a dead device would cost a thread each time
            raise self._lost("an earlier call still hangs; unplug the device and plug it in again")
        self._open = opened = _Opened(Worker(f"usb {self._address.ids}"), UsbPort(self._address))
        self._closed.clear()
        self._inbox.clear()
        try:
            await finish_first(self._run(opened, opened.port.open, OPEN_TIMEOUT_S))
            self._two_way = opened.port.two_way
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Closes behind the transfer under way; gives the interface back to the kernel's driver."""
        opened, self._open = self._open, None
        if opened is None:
            return
        self._closed.set()
        await finish_first(self._shut(opened))

    async def read(self, max_bytes: int, timeout_s: float) -> bytes:
        """At least one byte, or b"" after silence. Raises LinkError when the device is gone."""
        clock = asyncio.get_running_loop().time
        opened, until_s, left_s = self._opened(), clock() + timeout_s, timeout_s
        if not self._two_way:
            return await self._silence(timeout_s)
        while not self._inbox:
            slice_s = min(READ_SLICE_S, max(0.0, left_s))
            pause_s = await finish_first(self._fetch(opened, slice_s))
            if pause_s:
                await asyncio.sleep(min(pause_s, slice_s))
            left_s = min(left_s - (pause_s or slice_s), until_s - clock())
            if left_s <= 0 and not self._inbox:
                return b""
        data = bytes(self._inbox[:max_bytes])
        del self._inbox[:max_bytes]
        return data

    async def write(self, data: bytes) -> None:
        """Returns when the device has taken all bytes. Raises LinkError; what had left may have arrived or not."""
        opened, rest, stuck_s = self._opened(), memoryview(data), 0.0
        while rest:
            taken = await finish_first(self._send(opened, bytes(rest[:CHUNK_BYTES])))
            rest = rest[taken:]
            stuck_s = 0.0 if taken else stuck_s + WRITE_SLICE_S
            if stuck_s >= WRITE_STUCK_S:
                took = len(data) - len(rest)
                raise self._lost(f"took only {took} of {len(data)} bytes, then none in {WRITE_STUCK_S} s")

    async def device_id(self) -> dict[str, str]:
        """The IEEE 1284 device id; empty when the device does not answer. Raises LinkError when it is gone."""
        opened = self._opened()
        return parse_device_id(await finish_first(self._run(opened, opened.port.device_id, TRANSFER_TIMEOUT_S)))

    async def port_status(self) -> PortStatus | None:
        """None when the device does not answer. Raises LinkError when it is gone."""
        opened = self._opened()
        return parse_port_status(await finish_first(self._run(opened, opened.port.port_status, TRANSFER_TIMEOUT_S)))

    async def _fetch(self, opened: _Opened, slice_s: float) -> float:
        """One transfer into the inbox, where bytes outlive a cancelled reader. Returns how long to pause."""
        got = await self._run(opened, partial(opened.port.read, slice_s), TRANSFER_TIMEOUT_S)
        self._inbox += got or b""
        return EMPTY_PACKET_PAUSE_S if got is not None and not got else 0.0

    async def _send(self, opened: _Opened, chunk: bytes) -> int:
        self._check_same(opened)
        self._bytes_begun += len(chunk)
        taken = await self._run(opened, partial(opened.port.write, chunk, WRITE_SLICE_S), TRANSFER_TIMEOUT_S)
        self._bytes_begun -= len(chunk) - taken
        return taken

    async def _silence(self, timeout_s: float) -> bytes:
        try:
            async with asyncio.timeout(timeout_s):
                await self._closed.wait()
        except TimeoutError:
            return b""
        raise self._lost("closed while waiting")

    async def _run(self, opened: _Opened, call: Callable[[], T], limit_s: float) -> T:
        self._check_same(opened)
        try:
            result = await opened.worker.run(call, limit_s)
        except WorkerHangsError as error:
            raise self._lost(f"did not return in {limit_s} s; unplug the device and plug it in again") from error
        except UsbTrouble as error:
            self._check_same(opened)
            raise self._lost(str(error)) from error
        self._check_same(opened)
        return result

    async def _shut(self, opened: _Opened) -> None:
        try:
            await opened.worker.run(opened.port.close, CLOSE_TIMEOUT_S)
        except WorkerHangsError:
            self._hanging = opened.worker  # closing stands in its queue, behind what hangs
        finally:
            opened.worker.end()

    def _opened(self) -> _Opened:
        if self._open is None:
            raise self._lost("is not open")
        return self._open

    def _check_same(self, opened: _Opened) -> None:
        """A half-done read or write must not go on in a later opening."""
        if self._open is not opened:
            raise self._lost("closed while waiting")

    def _lost(self, why: str) -> LinkError:
        return LinkError(self.describe(), why)

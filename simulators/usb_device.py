"""One simulated USB device with a printer interface: plugged or not, claimed by whom, what its endpoints take and give.

Knows the rules of the bus and of the printer class; must not know pyusb, sockets nor what the bytes mean.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Protocol

from simulators.usb_model import UsbModel

GET_DESCRIPTOR, GET_DEVICE_ID, GET_PORT_STATUS, SOFT_RESET = 6, 0, 1, 2
HEALTHY = 0x18  # no error, selected, paper there
TRANSFERS = ("read", "write")
_OF_PROGRAMS = ("open", "get_configuration", "set_configuration", "alternate", "claim", "release", "control")
_OF_DRIVERS = ("driver_active", "detach", "attach")
OPERATIONS = frozenset({*_OF_PROGRAMS, *_OF_DRIVERS, *TRANSFERS, "clear_halt"})


class UsbFault(Exception):
    """What the operating system would answer, as its errno."""

    def __init__(self, number: int) -> None:
        super().__init__(os.strerror(number))
        self.errno = number


class FarEnd(Protocol):
    """What is behind the endpoints."""

    outgoing: bytearray

    def receive(self, data: bytes) -> None: ...

    def room(self) -> int | None:
        """How many bytes are taken now; None: any number."""
        ...

    def port_status(self) -> int: ...

    def wait(self, timeout_s: float) -> None:
        """Let time pass until there is something to read or room, but `timeout_s` at most; not asked behind a port."""
        ...


Watch = Callable[[str, str], None]  # (moment, operation); moments: before, amid (done, not yet told), after


@dataclass
class UsbDevice:
    """Plugged in from the start. A test's `watch` may unplug it or raise `UsbFault` at any moment of any operation."""

    model: UsbModel
    end: FarEnd
    numbers: Iterator[int] = field(default_factory=lambda: count(2))
    watch: Watch = lambda _moment, _operation: None
    denied: bool = False
    empty_packets: bool = False  # some devices answer so where others stay silent
    soft_resets: int = 0
    plugged: bool = False
    address: int = 0
    configuration: int = 0
    drivers: set[int] = field(default_factory=set)
    handles: set[Hashable] = field(default_factory=set)  # who has it open
    claims: dict[int, Hashable] = field(default_factory=dict)
    halted: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.plug()

    def plug(self) -> None:
        """Appears under a new number, as if it had never been there."""
        if self.plugged:
            return
        self.plugged, self.address = True, next(self.numbers)
        self.configuration = int(self.model.configured)
        self.drivers = {one.number for one in self.model.interfaces} if self.model.driver else set()
        self.end.outgoing.clear()

    def unplug(self) -> None:
        """Goes; what its endpoints held is lost."""
        self.plugged = False
        self.handles.clear()
        self.claims.clear()
        self.halted.clear()
        self.end.outgoing.clear()

    def do(self, owner: Hashable, operation: str, *args: Any) -> Any:
        """One of `OPERATIONS`; raises `UsbFault`. A transfer that cannot go on yet gives None: ask again later."""
        self.watch("before", operation)
        self._check_there()
        if operation not in OPERATIONS:
            raise UsbFault(errno.EINVAL)
        result = getattr(self, f"_{operation}")(owner, *args)
        if result is None and operation in TRANSFERS:
            return None
        self.watch("amid", operation)
        self._check_there()
        self.watch("after", operation)
        return result

    def close(self, owner: Hashable) -> bool:
        self.handles.discard(owner)
        for number in [number for number, whose in self.claims.items() if whose == owner]:
            del self.claims[number]
        return True

    def _check_there(self) -> None:
        if not self.plugged:
            raise UsbFault(errno.ENODEV)

    def _open(self, owner: Hashable) -> bool:
        if self.denied:
            raise UsbFault(errno.EACCES)
        self.handles.add(owner)
        return True

    def _get_configuration(self, _owner: Hashable) -> int:
        return self.configuration

    def _set_configuration(self, _owner: Hashable, value: int) -> bool:
        if self.claims or self.drivers:
            raise UsbFault(errno.EBUSY)
        self.configuration = value
        return True

    def _alternate(self, owner: Hashable, number: int, _alternate: int) -> bool:
        self._check_mine(owner, number)
        return True

    def _driver_active(self, _owner: Hashable, number: int) -> bool:
        return number in self.drivers

    def _detach(self, _owner: Hashable, number: int) -> bool:
        if number not in self.drivers:
            raise UsbFault(errno.ENOENT)
        self.drivers.discard(number)
        return True

    def _attach(self, _owner: Hashable, number: int) -> bool:
        if number in self.claims:
            raise UsbFault(errno.EBUSY)
        self.drivers.add(number)
        return True

    def _claim(self, owner: Hashable, number: int) -> bool:
        if number in self.drivers or self.claims.get(number, owner) != owner:
            raise UsbFault(errno.EBUSY)
        self.claims[number] = owner
        return True

    def _release(self, owner: Hashable, number: int) -> bool:
        self._check_mine(owner, number)
        del self.claims[number]
        return True

    def _write(self, owner: Hashable, endpoint: int, data: bytes) -> int | None:
        self._check_endpoint(owner, endpoint)
        room = self.end.room()
        taken = len(data) if room is None else min(room, len(data))
        if data and not taken:
            return None
        self.end.receive(data[:taken])
        return taken

    def _read(self, owner: Hashable, endpoint: int, size: int) -> bytes | None:
        self._check_endpoint(owner, endpoint)
        data = bytes(self.end.outgoing[:size])
        del self.end.outgoing[: len(data)]
        return data if data or self.empty_packets else None

    def _clear_halt(self, _owner: Hashable, endpoint: int) -> bool:
        self.halted.discard(endpoint)
        return True

    def _control(self, owner: Hashable, kind: int, request: int, value: int, index: int, length: int) -> bytes:
        if (kind, request) == (0x80, GET_DESCRIPTOR):
            return self._string(value & 0xFF)[:length]
        number = index >> 8 if request == GET_DEVICE_ID else index  # the printer class has it in the high byte there
        self._check_mine(owner, number)
        if (kind, request) == (0xA1, GET_DEVICE_ID):
            told = self.model.device_id.encode()
            return ((len(told) + 2).to_bytes(2, "big") + told)[:length]
        if (kind, request) == (0xA1, GET_PORT_STATUS):
            return bytes([self.end.port_status()])
        if (kind, request) == (0x21, SOFT_RESET):
            self.soft_resets += 1
            return b""
        raise UsbFault(errno.EPIPE)

    def _string(self, index: int) -> bytes:
        texts = ("\u0409", *self.model.strings())  # descriptor 0 lists the languages: English
        if index >= len(texts):
            raise UsbFault(errno.EPIPE)
        text = texts[index].encode("utf-16-le")
        return bytes([len(text) + 2, 3]) + text

    def _check_mine(self, owner: Hashable, number: int) -> None:
        if self.claims.get(number) != owner:
            raise UsbFault(errno.EBUSY if number in self.claims or number in self.drivers else errno.ENOENT)

    def _check_endpoint(self, owner: Hashable, endpoint: int) -> None:
        for one in self.model.interfaces:
            if endpoint in (one.bulk_out, one.bulk_in):
                self._check_mine(owner, one.number)
        if endpoint in self.halted:
            raise UsbFault(errno.EPIPE)

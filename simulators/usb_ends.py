"""What can stand behind a simulated USB device: plain bytes, a machine with a clock of its own, or one in a runtime.

Knows bytes, room and the time that waiting lets pass; must not know pyusb nor any protocol.
"""

from __future__ import annotations

from collections.abc import Callable

from simulators.machine import Effect, Machine, Plug, Ready, Send, Unplug
from simulators.usb_device import HEALTHY, UsbDevice


class PlainEnd:
    """Keeps what it receives; a test puts in what is to be read. Waiting takes no time."""

    def __init__(self) -> None:
        self.received = bytearray()
        self.outgoing = bytearray()
        self.takes: int | None = None  # how many bytes more until it is full
        self.status = HEALTHY
        self.waited_s = 0.0

    def receive(self, data: bytes) -> None:
        self.received += data
        if self.takes is not None:
            self.takes -= len(data)

    def room(self) -> int | None:
        return self.takes

    def port_status(self) -> int:
        return self.status

    def wait(self, timeout_s: float) -> None:
        self.waited_s += timeout_s


class MachineEnd:
    """A machine whose time passes only while the host waits for it; `effects` collects what it did."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self.now = 0.0
        self.outgoing = bytearray()
        self.effects: list[Effect] = []
        self.ready = True
        self.device: UsbDevice | None = None  # the plug that the machine itself may pull

    def receive(self, data: bytes) -> None:
        self._machine.receive(data, self.now)
        self._advance()

    def room(self) -> int | None:
        return None if self.ready else 0

    def port_status(self) -> int:
        ask = getattr(self._machine, "port_status", None)
        return HEALTHY if ask is None else int(ask() or 0)

    def wait(self, timeout_s: float) -> None:
        """Up to the first thing that the machine sends, or until it takes bytes again."""
        until, full = self.now + timeout_s, not self.ready
        while not self.outgoing or full:
            due = self._machine.next_time()
            self.now = until if due is None else max(self.now, min(due, until))
            self._advance()
            if self.now >= until or (full and self.ready):
                return

    def _advance(self) -> None:
        for action in self._machine.advance(self.now):
            if isinstance(action, Effect):
                self.effects.append(action)
            elif isinstance(action, Send):
                self.outgoing += action.data
            elif isinstance(action, Ready):
                self.ready = action.on
            elif self.device is not None and isinstance(action, Unplug):
                self.device.unplug()
            elif self.device is not None and isinstance(action, Plug):
                self.device.plug()


class PortEnd:
    """A machine that a runtime drives, as far as it tells of itself; see `usb_port`."""

    def __init__(self, feed: Callable[[bytes], None], machine: Machine) -> None:
        self._machine = machine
        self.receive = feed
        self.outgoing = bytearray()
        self.ready = True

    def room(self) -> int | None:
        return None if self.ready else 0

    def port_status(self) -> int:
        status = self._status()
        return 0 if status is None else status

    def powered(self) -> bool:
        return self._status() is not None

    def outages(self) -> int:
        return int(getattr(self._machine, "outages", 0))

    def _status(self) -> int | None:
        ask: Callable[[], int | None] | None = getattr(self._machine, "port_status", None)
        return HEALTHY if ask is None else ask()

    def wait(self, timeout_s: float) -> None:
        """Nothing waits in here: the connection asks again."""

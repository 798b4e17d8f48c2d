"""Drives one machine with the event loop's clock: bytes in, effects to disk, then bytes out; without work it sleeps.

Knows no protocol and no socket; what cannot be written ends the simulator, for nothing unproven may be confirmed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from simulators.ledger import Ledger, Line
from simulators.machine import Effect, Kept, Machine, Paper, Plug, Ready, SeesHost, Send, Unplug
from simulators.sheets import keep
from simulators.state import StateError, StateFile


class Port(Protocol):
    """The machine's plug: a pty, a TCP server or a pair in memory."""

    @property
    def address(self) -> str: ...

    def send(self, data: bytes) -> None: ...

    def unplug(self) -> None: ...

    def plug(self) -> None: ...

    def ready(self, *, on: bool) -> None: ...

    def close(self) -> None: ...


class Runtime:
    """One machine, its port, its state file and the ledger, in one event loop; without work it sleeps."""

    def __init__(self, machine: Machine, ledger: Ledger, state: StateFile) -> None:
        self._machine, self._ledger, self._state = machine, ledger, state
        self._loop = asyncio.get_running_loop()
        self._port: Port | None = None
        self._wake: asyncio.TimerHandle | None = None
        self._replug: asyncio.TimerHandle | None = None
        self._saved: dict[str, Any] = {}
        self.failed: asyncio.Future[None] = self._loop.create_future()
        self._take_up()

    def attach(self, port: Port) -> None:
        """From now on the machine speaks through this port."""
        self._port = port
        self._pump()

    def feed(self, data: bytes) -> None:
        """Bytes that came in at the port."""
        self._guard(lambda: self._machine.receive(data, self._loop.time()))

    def host(self, present: bool) -> None:  # noqa: FBT001 - a port's callback with one fact
        """Somebody opened the line, or closed it; a serial line cannot tell."""
        machine = self._machine
        if isinstance(machine, SeesHost):
            self._guard(lambda: machine.host(present=present, now=self._loop.time()))

    def control(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """A request of the control interface; its effects are on disk when this returns."""
        answer = self._machine.control(request, self._loop.time())
        self._guard(lambda: None)
        return answer

    def close(self) -> None:
        """Leave everything on disk and the port closed."""
        for timer in (self._wake, self._replug):
            if timer is not None:
                timer.cancel()
        if self._port is not None:
            self._port.close()
        if not self.failed.done():
            self._commit([])
            self.failed.cancel()

    def _take_up(self) -> None:
        document = self._state.load()
        if document is not None:
            try:
                self._ledger.append(document["unwritten"])
                self._ledger.go_on_from(int(document["n"]))
                self._machine.restore(document["machine"], self._loop.time())
            except (KeyError, TypeError, ValueError) as error:
                raise StateError(
                    f"state file {self._state.path} is not of this simulator ({error!r}): delete it"
                ) from error
        self._commit([])

    def _guard(self, act: Callable[[], None]) -> None:
        if self.failed.done():
            return
        try:
            act()
            self._pump()
        except Exception as error:  # noqa: BLE001 - a callback's error must reach whoever waits on `failed`, whatever it is
            self.failed.set_exception(error)

    def _pump(self) -> None:
        actions = self._machine.advance(self._loop.time())
        keep([action for action in actions if isinstance(action, (Paper, Kept))], self._ledger.path.parent)
        self._commit([action for action in actions if isinstance(action, Effect)])
        for action in actions:
            self._obey(action)
        self._set_alarm()

    def _obey(self, action: object) -> None:
        if self._port is None:
            return
        if isinstance(action, Send):
            self._port.send(action.data)
        elif isinstance(action, Ready):
            self._port.ready(on=action.on)
        elif isinstance(action, Plug):
            self._port.plug()
        elif isinstance(action, Unplug):
            self._unplug(self._port, action.for_s)

    def _unplug(self, port: Port, for_s: float | None) -> None:
        if self._replug is not None:
            self._replug.cancel()
        port.unplug()
        self._replug = None if for_s is None else self._loop.call_later(for_s, port.plug)

    def _commit(self, effects: list[Effect]) -> None:
        """State with the new lines first, then the ledger: a cut between the two is mended at the next start."""
        lines: list[Line] = self._ledger.number(effects)
        machine = self._machine.snapshot()
        if not lines and machine == self._saved:
            return
        n = lines[-1]["n"] if lines else self._ledger.last_n
        self._state.save({"n": n, "unwritten": lines, "machine": machine})
        self._ledger.append(lines)
        self._saved = machine

    def _set_alarm(self) -> None:
        if self._wake is not None:
            self._wake.cancel()
        due_s = self._machine.next_time()
        self._wake = None if due_s is None else self._loop.call_at(due_s, self._guard, lambda: None)

"""The driver, the real USB link and the real pyusb over a simulated bus with the simulated printer, on jumping time.

Knows how they are put together: a transfer that waits moves the one clock that loop and printer share, so the link's
thread is left out and nothing else is.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any, TypeVar

import pytest

from device_drivers.device import Arming, Json, Outcome, Verdict
from device_drivers.errors import DeviceRefused, DeviceUnavailable, OutcomeUnknown
from device_drivers.escpos.driver import ReceiptPrinter
from device_drivers.escpos.profile import EscPosProfile
from device_drivers.links import usb as usb_module
from device_drivers.links.line import SharedLine
from simulators.escpos import EscPosPrinter, parse_options
from simulators.usb_bus import LocalHub, UsbBus
from simulators.usb_device import UsbDevice
from simulators.usb_ends import MachineEnd
from simulators.usb_model import UsbInterface, UsbModel
from tests.device_drivers.escpos.test_against_simulator import Memory
from tests.device_drivers.links.usb_bench import offer, usb_link

ONE_WAY = UsbModel(interfaces=(UsbInterface(kind=(7, 1, 1), bulk_in=None),))
T = TypeVar("T")


class _AtOnce:
    """In place of `Worker`: the call is made here and now."""

    alive = False

    def __init__(self, _name: str) -> None:
        pass

    async def run(self, call: Callable[[], T], _limit_s: float) -> T:
        return call()

    def end(self) -> None:
        pass


class _LoopsEnd(MachineEnd):
    """The printer lives by the loop's clock; who waits for it in a transfer lets the loop's clock move, too."""

    def catch_up(self) -> None:
        loop: Any = asyncio.get_running_loop()
        self.now = max(self.now, loop.time())
        self._advance()

    def receive(self, data: bytes) -> None:
        self.catch_up()
        super().receive(data)

    def wait(self, timeout_s: float) -> None:
        self.catch_up()
        super().wait(timeout_s)
        loop: Any = asyncio.get_running_loop()
        loop._jumping.now = max(loop._jumping.now, self.now)

    def port_status(self) -> int:
        self.catch_up()
        return super().port_status()


class UsbPrinter:
    """One printer at one plug, one memory; `make` is a driver of a process that just began."""

    def __init__(self, model: UsbModel | None = None, profile: Any = None, **options: Any) -> None:
        self.machine = EscPosPrinter("receipt-1", parse_options({"flow": "stall", "buffer_bytes": 65536, **options}))
        self.end = _LoopsEnd(self.machine)
        self.device = UsbDevice(model or UsbModel(), self.end)
        self.end.device = self.device
        self.hub = LocalHub(self.device)
        self.profile = EscPosProfile(**{"act_max_s": 8.0, "take_min_s": 3.0, "answer_s": 0.2, **(profile or {})})
        self.notes = Memory()
        self.driver = self.make()

    def make(self) -> ReceiptPrinter:
        return ReceiptPrinter("receipt-1", SharedLine(usb_link()), self.profile, self.notes, is_tcp=False)

    def control(self, do: str, **keys: Any) -> None:
        self.end.catch_up()
        self.machine.control({"do": do, **keys}, self.end.now)
        self.end.catch_up()

    def sheets(self) -> list[dict[str, Any]]:
        self.end.catch_up()
        return [dict(effect.detail) for effect in self.end.effects if effect.act == "sheet_out"]

    def marks(self) -> list[tuple[list[str], int, bool]]:
        """Attempts, number of the reprint and whether void, of each sheet."""
        return [(one["attempts"], one["reprint"], one["void"]) for one in self.sheets()]

    # -- what an engine does with its driver ---------------------------------------------------------------------------

    async def arm(self, act: str = "print_receipt", **params: Json) -> Arming:
        arming = await self.driver.arm(act, params)
        self.notes.join(arming.memory)
        return Arming(arming.readings)

    async def tried(self, arming: Arming, act: str = "print_receipt", **params: Json) -> Verdict:
        try:
            verdict = await self.driver.act(act, params, arming)
        except OutcomeUnknown:
            verdict = await self.settle(arming, act, **params)
        except (DeviceRefused, DeviceUnavailable) as unsent:
            return Verdict(Outcome.NO_EFFECT, unsent.reason)
        self.notes.join(verdict.memory)
        return verdict

    async def settle(self, arming: Arming, act: str = "print_receipt", **params: Json) -> Verdict:
        """Asks as soon as it can be asked; somebody puts the plug back meanwhile."""
        for _ in range(20):
            await asyncio.sleep(self.driver.settle_s)
            try:
                return await self.driver.reconcile(act, params, arming)
            except DeviceUnavailable:
                self.device.plug()
                await self.reconnect()
        raise AssertionError("it never answered again")

    async def reconnect(self) -> None:
        await self.driver.disconnect()
        with contextlib.suppress(DeviceUnavailable):
            await self.driver.connect()

    async def come_back(self) -> None:
        """Plugged in, connected, settled, looked at."""
        self.device.plug()
        for _ in range(5):
            await self.reconnect()
            await asyncio.sleep(self.driver.settle_s)
            with contextlib.suppress(DeviceUnavailable):
                await self.driver.probe()
                return
        raise AssertionError("it never came back")


@pytest.fixture
def printers(monkeypatch: pytest.MonkeyPatch) -> Callable[..., UsbPrinter]:
    """Makes printers; the newest is the one on the bus."""
    made: list[UsbPrinter] = []

    def make(*args: Any, **words: Any) -> UsbPrinter:
        made.append(UsbPrinter(*args, **words))
        return made[-1]

    monkeypatch.setattr(usb_module, "Worker", _AtOnce)
    offer(monkeypatch, "bench", lambda _rest: UsbBus(made[-1].hub))
    return make

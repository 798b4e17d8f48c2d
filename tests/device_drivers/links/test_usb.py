"""The USB link over a simulated device under the real pyusb: what passes, what a loss tells, and that nothing hangs."""

from __future__ import annotations

import asyncio
import errno
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from device_drivers.links import usb
from device_drivers.links.link import LinkError
from device_drivers.links.port_questions import PortStatus
from device_drivers.links.usb import UsbLink
from device_drivers.links.usb_port import UsbPort
from simulators.usb_device import UsbDevice, UsbFault
from simulators.usb_ends import PlainEnd
from simulators.usb_model import UsbInterface, UsbModel
from tests.device_drivers.links import usb_bench
from tests.device_drivers.links.usb_bench import Bench, opened, usb_link, usb_threads

bench, _no_leftover_thread = usb_bench.bench, usb_bench._no_leftover_thread
ONE_WAY = UsbModel(interfaces=(UsbInterface(kind=(7, 1, 1), bulk_in=None),))


def failing(moment: str, operation: str, number: int, times: int = 1) -> Callable[[str, str], None]:
    """A watch that fails the first so many times."""
    left = [times]

    def watch(now: str, what: str) -> None:
        if (now, what) == (moment, operation) and left[0]:
            left[0] -= 1
            raise UsbFault(number)

    return watch


async def test_bytes_pass_both_ways_and_none_is_changed(bench: Bench) -> None:
    _, end = bench.add()
    every = bytes(range(256)) * 40
    async with opened() as link:
        await link.write(every)
        assert bytes(end.received) == every
        end.outgoing += every
        got = b""
        while len(got) < len(every):
            piece = await link.read(100, 1)
            assert 0 < len(piece) <= 100
            got += piece
        assert got == every


async def test_silence_is_no_byte_and_lasts_as_long_as_asked(bench: Bench) -> None:
    _, end = bench.add()
    async with opened() as link:
        for asked_s in (2.5, 0.05):
            end.waited_s = 0.0
            assert await link.read(10, asked_s) == b""
            assert end.waited_s == pytest.approx(asked_s)
        end.outgoing += b"x"
        assert await link.read(10, 0) == b"x"
        assert await link.read(10, 0) == b""


async def test_no_transfer_is_longer_than_anybody_should_wait(bench: Bench) -> None:
    _, end = bench.add()
    waits: list[float] = []
    end.wait = lambda timeout_s: waits.append(timeout_s)  # type: ignore[method-assign]  # noqa: PLW0108 - one signature
    async with opened() as link:
        await link.read(10, 1.0)
        end.takes = 0
        with pytest.raises(LinkError):
            await link.write(b"x")
    assert len(waits) >= 10
    assert max(waits) <= 1.0


async def test_empty_packets_are_silence_too(bench: Bench) -> None:
    device, end = bench.add()
    device.empty_packets = True
    async with opened() as link:
        assert await link.read(10, 0.05) == b""
        end.outgoing += b"x"
        assert await link.read(10, 1) == b"x"


async def test_a_device_that_takes_little_at_a_time_gets_everything_in_order(bench: Bench) -> None:
    _, end = bench.add()
    end.takes = 10
    end.wait = lambda timeout_s: setattr(end, "takes", 7)  # type: ignore[method-assign]
    data = bytes(range(200))
    async with opened() as link:
        await link.write(data)
        assert link.bytes_begun == len(data)
    assert bytes(end.received) == data


async def test_a_device_that_takes_no_more_ends_the_write_with_what_it_took(bench: Bench) -> None:
    _, end = bench.add()
    end.takes = 10
    async with opened() as link:
        with pytest.raises(LinkError, match="took only 10 of 5000 bytes"):
            await link.write(bytes(5000))
        assert end.waited_s == pytest.approx(usb.WRITE_STUCK_S)
        assert link.bytes_begun == 10
        with pytest.raises(LinkError, match="took only 0 of 3 bytes"):
            await link.write(b"abc")
        assert link.bytes_begun == 10  # equal before and after: nothing left
        end.takes = None
        await link.write(b"abc")


async def test_a_stalled_write_is_not_repeated_and_the_endpoint_is_freed(bench: Bench) -> None:
    device, end = bench.add()
    async with opened() as link:
        device.watch = failing("amid", "write", errno.EPIPE)
        device.halted.add(0x01)
        with pytest.raises(LinkError, match="may have arrived or not"):
            await link.write(b"abc")
        assert link.bytes_begun == 3
        assert not device.halted
        device.watch = failing("amid", "write", errno.EPIPE)
        with pytest.raises(LinkError, match="may have arrived or not"):
            await link.write(b"abc")
        await link.write(b"d")
    assert bytes(end.received) == b"abcd"


async def test_a_stalled_read_is_tried_once_more(bench: Bench) -> None:
    device, end = bench.add()
    async with opened() as link:
        end.outgoing += b"x"
        device.halted.add(0x82)
        assert await link.read(10, 1) == b"x"
        device.watch = failing("before", "read", errno.EPIPE, times=2)
        with pytest.raises(LinkError, match="stalled"):
            await link.read(10, 1)


@pytest.mark.parametrize(
    ("number", "told"), [(errno.ENODEV, "is gone"), (errno.EIO, "a transfer failed"), (errno.EOVERFLOW, "sent more")]
)
async def test_a_loss_is_told_by_reader_and_writer(bench: Bench, number: int, told: str) -> None:
    device, _ = bench.add()
    async with opened() as link:
        device.watch = failing("before", "read", number)
        with pytest.raises(LinkError, match=told):
            await link.read(10, 1)
        device.watch = failing("before", "write", number)
        with pytest.raises(LinkError, match=told):
            await link.write(b"x")


async def test_an_interrupted_read_is_no_loss(bench: Bench) -> None:
    device, end = bench.add()
    async with opened() as link:
        device.watch = failing("before", "read", errno.EINTR)
        end.outgoing += b"x"
        assert await link.read(10, 1) == b"x"


async def session(link: UsbLink, end: PlainEnd) -> None:
    """Every kind of transfer."""
    await link.open()
    await link.write(bytes(5000))
    end.outgoing += b"\x12"
    assert await link.read(10, 1) == b"\x12"
    assert (await link.device_id())["MFG"] == "EPSON"
    assert await link.port_status() == PortStatus(no_error=True, selected=True, paper_empty=False)
    await link.read(10, 0.1)
    await link.write(b"abc")
    await link.close()


ALONE: list[tuple[str, str]] = []


def moments_of_a_session() -> list[tuple[str, str]]:
    """What the watch of an undisturbed session sees."""
    if not ALONE:

        async def alone() -> None:
            with pytest.MonkeyPatch.context() as patch:
                bench = Bench()
                usb_bench.offer(patch, "bench", bench.bus)
                device, end = bench.add()
                device.watch = lambda moment, operation: ALONE.append((moment, operation))
                await session(usb_link(), end)

        asyncio.run(alone())
    return ALONE


def at(index: int, do: Callable[[], object]) -> Callable[[str, str], None]:
    seen = iter(range(10_000))

    def watch(_moment: str, _operation: str) -> None:
        if next(seen) == index:
            do()

    return watch


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "moment" in metafunc.fixturenames:
        moments = moments_of_a_session()
        ids = [f"{index}-{moment}-{operation}" for index, (moment, operation) in enumerate(moments)]
        metafunc.parametrize("moment", range(len(moments)), ids=ids)


async def works_again(device: UsbDevice, end: PlainEnd, link: UsbLink) -> None:
    end.received.clear()
    number = device.address
    device.plug()
    await link.open()
    await link.write(b"again")
    end.outgoing += b"yes"
    assert await link.read(10, 1) == b"yes"
    await link.close()
    assert (bytes(end.received), device.drivers) == (b"again", {0})
    assert device.address > number or not number


async def loss_of(work: Coroutine[Any, Any, None]) -> str:
    try:
        await work
    except LinkError as error:
        return error.why
    return ""


async def test_unplugged_at_any_moment_it_is_told_and_works_again_after_plugging_in(bench: Bench, moment: int) -> None:
    device, end = bench.add()
    link = usb_link()
    device.watch = at(moment, device.unplug)
    async with asyncio.timeout(10):
        told = await loss_of(session(link, end))
        closing = moments_of_a_session().index(("before", "release")) - 1  # it may go unseen from then on
        assert "gone" in told or "there is no such device" in told or (not told and moment >= closing)
        assert len(end.received) <= link.bytes_begun
        assert end.received or link.bytes_begun in {0, 4096}
        await link.close()
        assert not usb_threads()
        device.watch = lambda _moment, _operation: None
        await works_again(device, end, link)


async def test_a_cancellation_at_any_moment_finishes_the_transfer_and_loses_nothing(bench: Bench, moment: int) -> None:
    device, end = bench.add()
    link = usb_link()
    loop = asyncio.get_running_loop()
    running = asyncio.create_task(session(link, end))

    def cancel() -> None:
        cancelled = threading.Event()

        def now() -> None:
            running.cancel()
            cancelled.set()

        loop.call_soon_threadsafe(now)
        assert cancelled.wait(10)

    device.watch = at(moment, cancel)
    async with asyncio.timeout(10):
        with pytest.raises(asyncio.CancelledError):
            await running
        assert len(end.received) == link.bytes_begun
        await link.close()
    assert not usb_threads()
    assert (device.drivers, device.claims, device.handles) == ({0}, {}, set())
    device.unplug()
    device.watch = lambda _moment, _operation: None
    await works_again(device, end, link)


async def test_what_a_cancelled_reader_had_received_the_next_one_gets(bench: Bench) -> None:
    device, end = bench.add()
    async with opened() as link:
        loop = asyncio.get_running_loop()
        end.outgoing += b"\x37\x220001\x00"
        reading = asyncio.create_task(link.read(100, 1))
        device.watch = at(1, lambda: loop.call_soon_threadsafe(reading.cancel))
        with pytest.raises(asyncio.CancelledError):
            await reading
        assert not end.outgoing
        assert await link.read(100, 1) == b"\x37\x220001\x00"


async def test_an_opening_begins_without_old_bytes(bench: Bench) -> None:
    _, end = bench.add()
    link = usb_link()
    await link.open()
    end.outgoing += b"old"
    assert await link.read(1, 1) == b"o"
    await link.close()
    await link.open()
    assert await link.read(10, 0.1) == b""
    await link.close()


async def test_closing_wakes_a_reader_and_is_harmless_twice(bench: Bench) -> None:
    for model in (UsbModel(), ONE_WAY):
        bench.hub.plugs.clear()
        bench.add(model)
        link = usb_link()
        await link.open()
        await link.open()
        reading = asyncio.create_task(link.read(10, 1e9))
        await asyncio.sleep(0)
        await link.close()
        with pytest.raises(LinkError, match="closed while waiting"):
            await reading
        await link.close()
        for call in (link.read(1, 1), link.write(b"x"), link.device_id(), link.port_status()):
            with pytest.raises(LinkError, match="is not open"):
                await call


async def test_a_write_that_was_closed_does_not_go_on_in_the_next_opening(bench: Bench) -> None:
    device, end = bench.add()
    link = usb_link()
    await link.open()
    loop, reopened = asyncio.get_running_loop(), asyncio.Event()

    async def reopen() -> None:
        await link.close()
        await link.open()
        reopened.set()

    tasks: list[asyncio.Task[None]] = []
    device.watch = at(2, lambda: loop.call_soon_threadsafe(lambda: tasks.append(loop.create_task(reopen()))))
    with pytest.raises(LinkError, match="closed while waiting"):
        await link.write(bytes(5 * usb.CHUNK_BYTES))
    await reopened.wait()
    assert len(end.received) < 5 * usb.CHUNK_BYTES
    await link.close()


async def test_a_one_way_printer_is_silent_and_never_read(bench: Bench) -> None:
    device, end = bench.add(ONE_WAY)
    asked: list[str] = []
    device.watch = lambda _moment, operation: asked.append(operation)
    async with opened() as link:
        await link.write(b"x")
        assert await link.read(10, 0.01) == b""
        assert await link.port_status() is not None
    assert bytes(end.received) == b"x"
    assert "read" not in asked


async def test_the_port_tells_paper_and_errors(bench: Bench) -> None:
    _, end = bench.add()
    async with opened() as link:
        end.status = 0x30
        assert await link.port_status() == PortStatus(no_error=False, selected=True, paper_empty=True)


@pytest.mark.parametrize("number", [errno.EPIPE, errno.ETIMEDOUT])
async def test_a_port_that_knows_no_questions_is_no_loss(bench: Bench, number: int) -> None:
    device, _ = bench.add()
    async with opened() as link:
        device.watch = failing("before", "control", number, times=2)
        assert await link.port_status() is None
        assert await link.device_id() == {}
        assert await link.port_status() is not None


async def test_the_device_id_is_asked_of_the_claimed_interface_alone(bench: Bench) -> None:
    scanner = UsbInterface(0, kind=(0xFF, 0, 0), bulk_out=0x03, bulk_in=0x84)
    device, _ = bench.add(UsbModel(interfaces=(scanner, UsbInterface(1))))
    async with opened() as link:
        assert (await link.device_id())["MDL"] == "TM-T88VI"
        assert set(device.claims) == {1}


async def test_no_session_ever_resets_the_printer(bench: Bench) -> None:
    device, end = bench.add()
    await session(usb_link(), end)
    assert device.soft_resets == 0


async def test_a_byte_passes_between_the_slices_of_a_waiting_read(bench: Bench) -> None:
    _, end = bench.add()
    async with opened() as link:
        reading = asyncio.create_task(link.read(10, 1e9))
        await asyncio.sleep(0)
        await link.write(b"\x10\x04\x01")
        assert bytes(end.received) == b"\x10\x04\x01"
        end.outgoing += b"\x12"
        assert await reading == b"\x12"


@pytest.mark.parametrize(("limit", "operation"), [("OPEN_TIMEOUT_S", "claim"), ("TRANSFER_TIMEOUT_S", "write")])
async def test_what_hangs_is_given_up_costs_one_thread_and_closes_itself_later(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, limit: str, operation: str
) -> None:
    device, end = bench.add()
    wakes = threading.Event()

    def hang(moment: str, what: str) -> None:
        if (moment, what) == ("before", operation):
            assert wakes.wait(20)

    device.watch = hang
    monkeypatch.setattr(usb, limit, 0.05)
    monkeypatch.setattr(usb, "CLOSE_TIMEOUT_S", 0.05)
    link = usb_link()
    async with asyncio.timeout(10):
        hanging = link.open()
        if operation == "write":
            await hanging
            hanging = link.write(b"x")
        with pytest.raises(LinkError, match="did not return in"):
            await hanging
        await link.close()
        for _ in range(3):
            with pytest.raises(LinkError, match="an earlier call still hangs"):
                await link.open()
        assert len(usb_threads()) == 1
        wakes.set()
        for thread in threading.enumerate():
            if thread.name.startswith("usb "):
                thread.join(10)
        assert (device.drivers, device.claims, device.handles) == ({0}, {}, set())
        device.unplug()
        monkeypatch.undo()
        usb_bench.offer(monkeypatch, "bench", bench.bus)
        await works_again(device, end, link)


async def test_a_foreign_bus_that_fails_to_close_leaves_no_thread(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.add()
    link = usb_link()
    await link.open()
    monkeypatch.setattr(UsbPort, "close", failing("before", "", errno.EIO))
    with pytest.raises(TypeError):  # whatever it is, it is not swallowed
        await link.close()
    assert not usb_threads()

"""Faults of devices and their lines, planted one by one, and each found by its driver's own probe; nothing moves."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from device_drivers.escpos.driver import ReceiptPrinter
from device_drivers.links.link import LinkError
from device_drivers.links.memory import MemoryEnd, joined_ends
from edge_agent.settings import DevicePart
from edge_agent.upkeep.doctor import devices
from edge_agent.upkeep.doctor.devices import Past
from edge_agent.upkeep.doctor.found import Found
from edge_agent.upkeep.doctor.world import World
from simulators.crt591.line import Crt591Line
from simulators.crt591.options import Options
from tests.device_drivers.far_side import at_far_end
from tests.edge_agent.doctor.branch import ill
from tests.virtual_time import virtual_time

CARD = DevicePart(
    id="card-1", role="card-dispenser", kind="crt591", address="memory://card", profile={"act_max_s": 2.0}
)


async def probed(near: MemoryEnd, *parts: DevicePart, folder: Path = Path("/nowhere")) -> list[Found]:
    world = World(open_address=lambda _: near)
    return [one async for one in devices.probed(parts or (CARD,), folder, world)]


@contextlib.asynccontextmanager
async def says(far: MemoryEnd, answer: bytes) -> AsyncIterator[None]:
    """Somebody at the far end who answers everything alike."""

    async def speak() -> None:
        with contextlib.suppress(LinkError):
            while True:
                if await far.read(4096, 3600) and answer:
                    await far.write(answer)

    speaking = asyncio.create_task(speak())
    try:
        yield
    finally:
        speaking.cancel()
        await asyncio.wait([speaking])


@virtual_time
async def test_a_machine_that_is_well_is_asked_and_nothing_moves() -> None:
    near, far = joined_ends()
    machine = Crt591Line({0: ("card-1", Options())})
    async with at_far_end(machine, far) as effects:
        found = await probed(near)
    assert [one.code for one in found if one.code != "device_noted"] == ["device_good"]
    assert [effect for effect in effects if effect.kind == "act"] == []


@virtual_time
async def test_silence_is_told_as_silence() -> None:
    near, far = joined_ends()
    async with says(far, b""):
        assert ill(await probed(near)) == ["device_silent"]


@pytest.mark.parametrize("answer", [b"\xfe\x00\xf8\x7f" * 9, b"HTTP/1.1 400 Bad Request\r\n\r\n"])
@virtual_time
async def test_a_wrong_baud_rate_or_another_machine_is_told_as_garbage(answer: bytes) -> None:
    near, far = joined_ends()
    async with says(far, answer):
        assert ill(await probed(near)) == ["device_garbage"]


@virtual_time
async def test_a_driver_that_fails_is_told_and_the_other_devices_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(_: object) -> None:
        raise KeyError("a stranger's driver")

    near, far = joined_ends()
    monkeypatch.setattr(ReceiptPrinter, "probe", broken)
    monkeypatch.setattr(ReceiptPrinter, "connect", lambda _: asyncio.sleep(0))
    strange = DevicePart(id="receipt-1", role="receipt-printer", kind="escpos", address="memory://receipt")
    async with at_far_end(Crt591Line({0: ("card-1", Options())}), far):
        found = await probed(near, CARD, strange)
    told = {one.code: one for one in found if one.code != "device_noted"}
    assert set(told) == {"device_good", "device_driver_failed"}
    assert told["device_driver_failed"].places == {"kind": "escpos", "error": 'KeyError: "a stranger\'s driver"'}


@virtual_time
async def test_a_wrong_unit_address_is_silence_though_others_speak_on_the_line() -> None:
    near, far = joined_ends()
    other = CARD.model_copy(update={"id": "card-2", "profile": {"act_max_s": 2.0, "unit": 5}})
    async with at_far_end(Crt591Line({0: ("card-1", Options())}), far):
        found = await probed(near, CARD, other)
    assert {one.where: one.code for one in found if one.code != "device_noted"} == {
        "card-1": "device_good",
        "card-2": "device_silent",
    }


@virtual_time
async def test_a_port_that_hangs_up() -> None:
    near, far = joined_ends()

    async def hang_up() -> None:
        await far.read(1, 3600)
        far.cut("the line hung up")

    hanging = asyncio.create_task(hang_up())
    assert ill(await probed(near)) == ["device_line_lost"]
    await hanging


class Shut(MemoryEnd):
    """A line that does not open."""

    async def open(self) -> None:
        raise LinkError("serial:///dev/x", "another process holds the port")


@virtual_time
async def test_a_port_that_does_not_open() -> None:
    near, _ = joined_ends()
    shut = Shut("x", near._wire, 0)
    assert ill(await probed(shut)) == ["device_no_line"]


@pytest.mark.rule("PHY-5")
@virtual_time
async def test_a_device_with_an_open_act_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    near, far = joined_ends()
    monkeypatch.setattr(devices, "past_of", lambda folder, parts: {"card-1": Past(open_act="o1/draw/1")})
    assert ill(await probed(near)) == ["device_open_act"]
    assert await far.read(100, 1.0) == b"", "what it tells only once belongs to who settles the act"


def test_a_journal_that_cannot_be_read_leaves_each_device_alone(tmp_path: Path) -> None:
    assert devices.past_of(tmp_path, [CARD])["card-1"].open_act == ""
    (tmp_path / "journal.sqlite3").write_bytes(b"no database" * 1000)
    assert devices.past_of(tmp_path, [CARD])["card-1"].open_act == "?"


def twin(state: str, reason: str = "") -> dict[str, dict[str, Any]]:
    return {"card-1": {"state": state, "reason": reason, "identity": {"model": "CRT-591"}}}


@pytest.mark.parametrize(
    ("state", "reason", "codes"),
    [
        ("online", "", []),
        ("deviceBusy", "drawing", []),
        ("starting", "", []),
        ("offline", "unit_silent", ["device_offline"]),
        ("hardwareError", "card_jam", ["device_not_well"]),
        ("online", "bin_full", ["device_not_well"]),
    ],
)
def test_what_the_running_agent_shows_is_judged(state: str, reason: str, codes: list[str]) -> None:
    assert ill(devices.shown(twin(state, reason))) == codes

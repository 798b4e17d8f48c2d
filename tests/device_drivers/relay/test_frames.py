"""The two frames of a relay board against the vectors, and everything that must never be written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.errors import DeviceRefused, DeviceUnavailable, OutcomeUnknown
from device_drivers.modbus.framing import rtu_frame
from device_drivers.modbus.protocol import write_coil
from device_drivers.modbus.settings import ModbusSettings
from device_drivers.relay.board import RelayBoard
from device_drivers.relay.protocol import Pulse
from tests.device_drivers.modbus.far_end import far_end, hexed
from tests.virtual_time import virtual_time

FLASH = "01 05 02 00 00 07 8D B0"


def frame_of(pulse: Pulse) -> bytes:
    return rtu_frame(pulse.unit, write_coil(pulse.coil, pulse.steps).pdu)


def test_the_vector_byte_for_byte() -> None:
    assert frame_of(Pulse(1, 0, 700)) == bytes.fromhex(FLASH)


@virtual_time
async def test_a_board_is_asked_and_pulsed_with_the_vectors() -> None:
    async with far_end() as (line, far):
        board = RelayBoard(line, 1)
        far.say = [hexed("01 01 01 00 51 88"), hexed("01 01 01 01 90 48"), hexed(FLASH)]
        assert await board.relays_on() == set()
        assert await board.relays_on() == {0}
        await board.pulse(Pulse(1, 0, 700))
        assert far.frames == [bytes.fromhex("01 01 00 00 00 08 3D CC")] * 2 + [bytes.fromhex(FLASH)]
        with pytest.raises(DeviceRefused, match="not this board"):
            await board.pulse(Pulse(2, 0, 700))


@pytest.mark.rule("PHY-2")
@virtual_time
async def test_what_a_board_does_not_confirm_is_told_in_its_own_words() -> None:
    async with far_end() as (line, far):
        board = RelayBoard(line, 1, ModbusSettings(echo=False))
        far.say = [hexed("01 81 02 C1 91"), hexed("01 85 04 43 53"), hexed("01 85 02 C3 51")]
        with pytest.raises(DeviceRefused, match="relay_refused"):
            await board.relays_on()
        with pytest.raises(OutcomeUnknown, match="relay_refused"):
            await board.pulse(Pulse(1, 0, 700))
        with pytest.raises(DeviceRefused, match="relay_refused"):  # it checked, and has no such relay
            await board.pulse(Pulse(1, 0, 700))
        with pytest.raises(OutcomeUnknown, match="relay_silent"):
            await board.pulse(Pulse(1, 0, 700))
        with pytest.raises(DeviceUnavailable, match="relay_silent"):
            await board.pulse(Pulse(1, 0, 700))
        assert far.frames[1:] == [bytes.fromhex(FLASH)] * 3


@pytest.mark.rule("PHY-3")
@given(st.integers(-5, 70000), st.integers(-5, 70000), st.integers(-100, 10_000_000))
def test_no_frame_can_be_made_that_acts_on_more_than_one_relay(unit: int, channel: int, ms: int) -> None:
    try:
        frame = frame_of(Pulse(unit, channel, ms))
    except ValueError:
        assert not (1 <= unit <= 247 and 0 <= channel <= 7 and ms % 100 == 0 and 100 <= ms <= 3_276_700)
        return
    assert 1 <= frame[0] <= 247
    assert frame[1] == 0x05
    assert 0x0200 <= int.from_bytes(frame[2:4], "big") <= 0x0207
    assert int.from_bytes(frame[4:6], "big") > 0


@pytest.mark.rule("PHY-3")
@pytest.mark.parametrize(
    ("unit", "channel", "ms"),
    [
        (0, 0, 500),
        (248, 0, 500),
        (255, 0, 500),
        (1, 8, 500),
        (1, -1, 500),
        (1, 0xFF - 0x200, 500),
        (1, 0, 0),
        (1, 0, 150),
    ],
)
def test_group_addresses_and_odd_times_are_refused(unit: int, channel: int, ms: int) -> None:
    with pytest.raises(ValueError, match=r"1 to 247|0 to 7|multiple of 100"):
        Pulse(unit, channel, ms)

"""Digit displays: their vectors, what is acknowledged, what an echo must not acknowledge, and their plain text form."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from device_drivers.catalog import kind_of
from device_drivers.device import Arming, Outcome
from device_drivers.errors import DeviceRefused, DeviceUnavailable, OutcomeUnknown
from device_drivers.led485.profile import Led485Profile
from device_drivers.led485.protocol import TEXT_REGISTER, Decoder, text_line, text_words
from device_drivers.modbus import protocol as modbus
from device_drivers.modbus.framing import rtu_frame
from tests.device_drivers.screens.bench import ScreenBench, screens
from tests.virtual_time import virtual_time

CALL = {"number": "A001", "window": "3", "language": "zh+en"}
DISPLAY: dict[str, Any] = {"simulated": "modbus", "units": {"window-3": {"kind": "led485", "boot": "888888"}}}
TWO: dict[str, Any] = {"simulated": "modbus", "units": {name: {"kind": "led485"} for name in ("window-1", "window-2")}}


def lit(bench: ScreenBench, device: str = "window-3") -> str:
    return "".join(bench.lit(device))


def test_the_vector_byte_for_byte() -> None:
    words = text_words("A001", 6)
    assert rtu_frame(1, modbus.write_words(TEXT_REGISTER, words).pdu) == bytes.fromhex(
        "01 10 00 70 00 03 06 41 30 30 31 20 20 ED 69"
    )
    assert text_words("A0013", 5) == [0x4130, 0x3031, 0x3320]  # an odd display gets a blank that it does not show
    assert text_line(1, "A001", 6) == b"$001,A001  #"
    assert Decoder().feed(b"$001,8.8.8.8.#") == [(1, "8.8.8.8.")]


@pytest.mark.rule("PHY-3")
@given(st.integers(-5, 1200), st.text(max_size=20), st.integers(-1, 20))
def test_no_line_can_be_made_for_every_display_nor_one_that_says_something_else(
    unit: int, text: str, digits: int
) -> None:
    try:
        line = text_line(unit, text, digits)
    except ValueError:
        return
    assert 1 <= unit <= 247
    assert Decoder().feed(line) == [(unit, text.ljust(digits))]


def test_lines_one_byte_at_a_time_two_in_one_read_and_garbage_around() -> None:
    line, other = text_line(1, "A001", 6), text_line(2, "B", 1)
    decoder = Decoder()
    assert [found for byte in line for found in decoder.feed(bytes([byte]))] == [(1, "A001  ")]
    assert decoder.feed(b"\xff#" + line[:4] + line + b"1#" + other) == [(1, "A001  "), (2, "B")]
    assert decoder.garbage_bytes == 8
    assert not decoder.feed(b"$" + b"1" * 5000)
    assert decoder.garbage_bytes > 4900
    assert decoder.feed(line) == [(1, "A001  ")]


@given(st.binary(max_size=120))
def test_any_bytes_are_survived_and_the_next_line_is_found(data: bytes) -> None:
    whole, sliced = Decoder(), Decoder()
    assert whole.feed(data) == [found for byte in data for found in sliced.feed(bytes([byte]))]
    assert whole.feed(text_line(1, "A001", 6))[-1] == (1, "A001  ")


@virtual_time
async def test_a_call_is_acknowledged_and_shown_again_after_a_loss_of_power() -> None:
    async with screens("led485", {"window-3": 1}, **DISPLAY) as bench:
        driver = await bench.driver("window-3")
        await driver.probe()
        assert lit(bench) == ""  # its idle text is dark
        verdict = await bench.show(driver, "show_call", "window-3", **CALL)
        assert (verdict.outcome, verdict.facts["evidence"]) == (Outcome.DONE, "acknowledged")
        assert lit(bench) == "A001 3"
        bench.fault("window-3", "power_loss", off_s=2)
        await asyncio.sleep(3)
        assert lit(bench) == "888888"
        await driver.observe()
        assert lit(bench) == "A001 3"
        assert [effect.kind for effect in bench.effects] == ["show"] * len(bench.effects)
        await driver.disconnect()


@virtual_time
async def test_a_restart_shows_what_was_shown() -> None:
    async with screens("led485", {"window-3": 1}, **DISPLAY) as bench:
        first = await bench.driver("window-3")
        await bench.show(first, "show_call", "window-3", **CALL)
        await first.disconnect()
        bench.ask("window-3", do="power", on=False)
        bench.ask("window-3", do="power", on=True)
        second = await bench.driver("window-3")
        await second.probe()
        assert lit(bench) == "A001 3"
        await second.disconnect()


@pytest.mark.parametrize("fault", ["silence", "wrong_crc", "wrong_unit", "half_answer"])
@virtual_time
async def test_what_is_not_acknowledged_is_in_doubt_and_shown_once_more(fault: str) -> None:
    async with screens("led485", {"window-3": 1}, **DISPLAY) as bench:
        driver = await bench.driver("window-3")
        await driver.probe()
        bench.fault("window-3", fault)
        with pytest.raises(OutcomeUnknown):
            await bench.show(driver, "show_call", "window-3", **CALL)
        with pytest.raises(DeviceUnavailable):
            await driver.reconcile("show_call", CALL, Arming({}))  # a silent unit is left in peace for a while
        await asyncio.sleep(1)
        verdict = await driver.reconcile("show_call", CALL, Arming({}))
        assert (verdict.outcome, verdict.facts["again"]) == (Outcome.DONE, True)
        assert lit(bench) == "A001 3"
        await driver.disconnect()


@virtual_time
async def test_an_echo_acknowledges_nothing() -> None:
    async with screens("led485", {"window-3": 1}, **DISPLAY) as bench:
        bench.machine.control({"do": "fault", "name": "echo"}, asyncio.get_running_loop().time())
        driver = await bench.driver("window-3")
        verdict = await bench.show(driver, "show_call", "window-3", **CALL)
        assert verdict.facts["evidence"] == "acknowledged"
        bench.fault("window-3", "dead")
        with pytest.raises(OutcomeUnknown):
            await bench.show(driver, "show_call", "window-3", number="A002", window="3")
        assert lit(bench) == "A001 3"
        await driver.disconnect()


@virtual_time
async def test_a_display_that_refuses_is_told_and_one_that_fails_is_in_doubt() -> None:
    async with screens("led485", {"window-3": 1}, **DISPLAY) as bench:
        driver = await bench.driver("window-3")
        await driver.probe()
        bench.fault("window-3", "exception", code=2)
        with pytest.raises(DeviceRefused, match="unit_refused"):
            await bench.show(driver, "show_call", "window-3", **CALL)
        bench.fault("window-3", "exception", code=4)
        with pytest.raises(OutcomeUnknown):
            await bench.show(driver, "show_call", "window-3", **CALL)
        await driver.disconnect()


@virtual_time
async def test_two_displays_on_one_line_and_one_of_them_dead() -> None:
    async with screens("led485", {"window-1": 1, "window-2": 2}, **TWO) as bench:
        one, two = await bench.driver("window-1", unit=1), await bench.driver("window-2", unit=2)
        bench.fault("window-2", "dead")
        with pytest.raises(DeviceUnavailable):
            await two.probe()
        await bench.show(one, "show_call", "window-1", **CALL)
        assert lit(bench, "window-1") == "A001 3"
        bench.ask("window-2", do="clear")
        await asyncio.sleep(1)
        await two.probe()
        assert lit(bench, "window-1") == "A001 3"
        await two.disconnect()
        await one.disconnect()


@virtual_time
async def test_chinese_is_refused_before_anything_is_sent() -> None:
    async with screens("led485", {"window-3": 1}, **DISPLAY) as bench:
        driver = await bench.driver("window-3")
        with pytest.raises(DeviceRefused) as no:
            await driver.arm("show_text", {"text": "暂停服务"})
        assert (no.value.reason, no.value.waits_for) == ("letter_not_on_screen", "never")
        assert bench.ask("window-3", do="state")["frames"] == 0
        await driver.disconnect()


@virtual_time
async def test_in_plain_text_all_that_is_known_is_that_it_was_sent() -> None:
    async with screens("led485", {"window-1": 1, "window-2": 2}) as bench:
        one = await bench.driver("window-1", unit=1, protocol="ascii", digits=4)
        two = await bench.driver("window-2", unit=2, protocol="ascii")
        verdict = await bench.show(one, "show_call", "window-1", **CALL)
        await bench.show(two, "show_call", "window-2", number="B7", window="2")
        assert (lit(bench, "window-1"), lit(bench, "window-2")) == ("A001", "B7 2")
        assert verdict.facts["evidence"] == "sent"
        assert verdict.facts["shortened"] is True
        await two.disconnect()
        await one.disconnect()


@pytest.mark.rule("PHY-3")
@pytest.mark.parametrize("values", [{"unit": 0}, {"unit": 255}, {"unit": 248}, {"digits": 0}, {"idle_text": "欢迎"}])
def test_what_could_never_work_is_refused_when_it_is_loaded(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Led485Profile.model_validate(values)


def test_plain_text_can_never_reach_a_modbus_tcp_gateway() -> None:
    assert "modbus" not in kind_of("led485").lines

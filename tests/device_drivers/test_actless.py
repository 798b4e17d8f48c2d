"""A driver without acts: it is a whole driver, offers nothing to scenes, and refuses for good what is asked of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from device_drivers.actless import Actless
from device_drivers.device import Arming, Driver, Happening, Listener, Observation, Observer, Outcome, Reading, Twin
from device_drivers.errors import DeviceRefused


class Door(Actless):
    """A site input, as small as a driver can be."""

    async def connect(self) -> None:
        """There is no line."""

    async def disconnect(self) -> None:
        """There is no line."""

    async def probe(self) -> Twin:
        return Twin("online", auxiliaries={"cabinetDoor": "closed"})

    async def observe(self) -> Observation:
        return Observation((Reading("openings", 7, "times", delta=1),))


class Bell(Door):
    """One that speaks."""

    async def listen(self) -> Happening:
        return Happening("rung")


def test_it_is_a_driver_and_what_it_offers_is_seen() -> None:
    driver: Driver = Door()
    assert (driver.acts, driver.settle_s) == ({}, 0.0)
    assert isinstance(driver, Observer)
    assert not isinstance(driver, Listener)
    assert isinstance(Bell(), Listener)
    assert not isinstance(Actless(), Observer)


@pytest.mark.parametrize(
    "ask",
    [
        lambda d: d.arm("draw_card", {}),
        lambda d: d.act("draw_card", {}, Arming({})),
        lambda d: d.watch("await_taken", {}, Arming({}), limit_s=1, fresh=True),
    ],
)
def test_what_is_asked_of_it_is_refused_for_good(ask: Callable[[Any], Awaitable[Any]]) -> None:
    with pytest.raises(DeviceRefused) as no:
        asyncio.run(_of(ask))
    assert (no.value.reason, no.value.waits_for) == ("invalid_act", "never")


async def _of(ask: Callable[[Any], Awaitable[Any]]) -> None:
    await ask(Door())


def test_an_attempt_of_the_machine_before_it_is_for_a_person() -> None:
    verdict = asyncio.run(Door().reconcile("draw_card", {}, Arming({})))
    assert (verdict.outcome, verdict.lane_shut) == (Outcome.UNKNOWN, True)

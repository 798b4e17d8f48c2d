"""Kinds of devices: ours, strangers', and the ones that are not there."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from typing import Any

import pytest

from device_drivers import catalog
from device_drivers.catalog import UnknownKindError, kind_of, kinds
from device_drivers.crt591.profile import Crt591Profile
from device_drivers.kinds import DeviceKind, Wiring
from tests.device_drivers.crt591.bench import Bench

STRANGER = DeviceKind("stranger", Crt591Profile, kind_of("crt591").make, frozenset())


def test_the_card_dispenser_is_made_by_its_kind() -> None:
    kind, it = kind_of("crt591"), Bench()
    driver = kind.make(Wiring("card-1", "tcp://127.0.0.1:1", kind.profile(), it.notes, lambda _: it.line))
    assert driver.settle_s == Crt591Profile().act_max_s + Crt591Profile().drain_s
    assert set(driver.acts) == kind.acts


def test_an_unknown_kind_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UnknownKindError, match=r"'crt592'; known are .*crt591"):
        kind_of("crt592")


def offer(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    def entry_points(**wanted: Any) -> list[EntryPoint]:
        entry = EntryPoint("stranger", value, catalog.ENTRY_POINT_GROUP)
        return [entry] if entry.matches(**wanted) else []

    monkeypatch.setattr(catalog, "entry_points", entry_points)


def test_a_strangers_driver_comes_in_by_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, f"{__name__}:STRANGER")
    assert {"crt591", "stranger"} <= set(kinds())
    assert kind_of("stranger").name == "stranger"


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("no_such_module_at_all:KIND", "does not load: ModuleNotFoundError"),
        (f"{__name__}:NOTHING_OF_THE_KIND", "does not load: AttributeError"),
        (f"{__name__}:offer", "is no DeviceKind but a function"),
    ],
)
def test_a_strangers_driver_that_does_not_load_is_named(monkeypatch: pytest.MonkeyPatch, value: str, why: str) -> None:
    offer(monkeypatch, value)
    with pytest.raises(UnknownKindError, match=why):
        kind_of("stranger")
    assert kind_of("crt591").name == "crt591"

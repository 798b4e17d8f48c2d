"""The kinds of devices by name: ours, and third parties' (entry point `branchgate.drivers`).

Knows where kinds are found, and loads each when it is first asked for; must not know what any of them does.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points

from device_drivers.kinds import DeviceKind

ENTRY_POINT_GROUP = "branchgate.drivers"
# Each package's module `kind` offers KIND; a branch pays only for the kinds that it has.
_BUILT_IN = {
    "banknote_counter": "device_drivers.banknotes.kind",
    "bx6": "device_drivers.bx6.kind",
    "cells": "device_drivers.cells.kind",
    "crt591": "device_drivers.crt591.kind",
    "escpos": "device_drivers.escpos.kind",
    "ipp": "device_drivers.ipp.kind",
    "led485": "device_drivers.led485.kind",
    "people_counter": "device_drivers.people.kind",
    "scanner": "device_drivers.scanner.kind",
    "sealed_printer": "device_drivers.sealed.kind",
    "site_inputs": "device_drivers.site.kind",
    "strip_screen": "device_drivers.strip.kind",
}


class UnknownKindError(LookupError):
    """No such kind of device, or its package does not load; `code` and `places` tell it to who speaks otherwise."""

    def __init__(self, sentence: str, code: str, **places: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.places = places


def kind_of(name: str) -> DeviceKind:
    """The kind of that name; ours first. Raises UnknownKindError."""
    if name in _BUILT_IN:
        return _built_in(name)
    for entry in entry_points(group=ENTRY_POINT_GROUP, name=name):
        return _load(entry.name, entry.value, entry.load)
    known = ", ".join(kinds())
    raise UnknownKindError(
        f"there is no device kind {name!r}; known are {known}", "kind_unknown", kind=repr(name), known=known
    )


def kinds() -> tuple[str, ...]:
    """The names of all kinds, without loading any."""
    return tuple(sorted({*_BUILT_IN, *(entry.name for entry in entry_points(group=ENTRY_POINT_GROUP))}))


@cache
def _built_in(name: str) -> DeviceKind:
    kind = import_module(_BUILT_IN[name]).KIND
    assert isinstance(kind, DeviceKind)
    return kind


def _load(name: str, where: str, load: Callable[[], object]) -> DeviceKind:
    try:
        kind = load()
    except Exception as error:  # a stranger's module may raise anything; told once, here, with its name
        raise UnknownKindError(
            f"the driver for {name!r} ({where}) does not load: {error!r}",
            "kind_does_not_load",
            kind=repr(name),
            where=where,
            error=repr(error),
        ) from error
    if not isinstance(kind, DeviceKind):
        raise UnknownKindError(
            f"the driver for {name!r} ({where}) is no DeviceKind but a {type(kind).__name__}",
            "kind_no_device_kind",
            kind=repr(name),
            where=where,
            type=type(kind).__name__,
        )
    return kind

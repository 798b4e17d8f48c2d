"""The kinds of devices: name to settings model and factory, ours and third parties' (entry point `branchgate.drivers`).

Knows where kinds are found; must not know what any of them does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import entry_points

from pydantic import BaseModel

from device_drivers.crt591.driver import CardDispenser
from device_drivers.crt591.evidence import AWAIT_TAKEN, CAPTURE, DRAW, PRESENT
from device_drivers.crt591.profile import Crt591Profile
from device_drivers.device import Driver, Notebook
from device_drivers.links.line import SharedLine

ENTRY_POINT_GROUP = "branchgate.drivers"


class UnknownKindError(LookupError):
    """No such kind of device, or its package does not load; `code` and `places` tell it to who speaks otherwise."""

    def __init__(self, sentence: str, code: str, **places: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.places = places


@dataclass(frozen=True, slots=True)
class DeviceKind:
    """One kind of device. `make(device_id, line, profile, notebook, is_tcp)` gives a driver, not connected yet."""

    name: str
    profile: type[BaseModel]
    make: Callable[[str, SharedLine, BaseModel, Notebook, bool], Driver]
    acts: frozenset[str]  # the names that scenes may use, known without making a driver


def _make_crt591(device_id: str, line: SharedLine, profile: BaseModel, notebook: Notebook, is_tcp: bool) -> Driver:  # noqa: FBT001  # the signature of DeviceKind.make
    return CardDispenser(device_id, line, Crt591Profile.model_validate(profile), notebook, is_tcp=is_tcp)


_BUILT_IN = {
    kind.name: kind
    for kind in (DeviceKind("crt591", Crt591Profile, _make_crt591, frozenset({DRAW, PRESENT, CAPTURE, AWAIT_TAKEN})),)
}


def kind_of(name: str) -> DeviceKind:
    """The kind of that name; ours first. Raises UnknownKindError."""
    if name in _BUILT_IN:
        return _BUILT_IN[name]
    for entry in entry_points(group=ENTRY_POINT_GROUP, name=name):
        return _load(entry.name, entry.value, entry.load)
    known = ", ".join(kinds())
    raise UnknownKindError(
        f"there is no device kind {name!r}; known are {known}", "kind_unknown", kind=repr(name), known=known
    )


def kinds() -> tuple[str, ...]:
    """The names of all kinds, without loading third parties' code."""
    return tuple(sorted({*_BUILT_IN, *(entry.name for entry in entry_points(group=ENTRY_POINT_GROUP))}))


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

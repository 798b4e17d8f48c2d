"""What a kind of device is: its name, its settings, the acts that scenes may ask of it, and how its driver is made.

Knows no kind in particular; which kinds there are is the catalogue's affair.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from pydantic import BaseModel

from device_drivers.commissioning import Commissioning
from device_drivers.device import Driver, Json, Notebook
from device_drivers.links.line import SharedLine

BYTE_LINES = frozenset({"serial", "tcp", "memory"})


@runtime_checkable
class MayBeBlind(Protocol):
    """A profile of cells, some of which may not show by themselves whether their item is there."""

    @property
    def blind_cells(self) -> list[str]: ...


class Tells(Protocol):
    """A `telling.Teller`."""

    def feed(self, direction: Any, data: bytes) -> list[Any]: ...


@dataclass(frozen=True, slots=True)
class Wiring:
    """What a driver is made of. `find_line` gives the shared line of any address (AddressError), not opened yet."""

    device_id: str
    address: str
    profile: BaseModel
    notebook: Notebook
    find_line: Callable[[str], SharedLine]

    def line(self) -> SharedLine:
        """The line of the device's own address."""
        return self.find_line(self.address)

    @property
    def is_tcp(self) -> bool:
        """Whether bytes of a dead connection may still be held on the way (PHY-1)."""
        return self.address.startswith(("tcp:", "modbus:"))


@dataclass(frozen=True, slots=True)
class DeviceKind:
    """One kind of device. `make` gives a driver, not connected yet."""

    name: str
    profile: type[BaseModel]
    make: Callable[[Wiring], Driver]
    acts: frozenset[str]  # the names that scenes may use, known without making a driver; empty: it only observes
    lines: frozenset[str] = BYTE_LINES  # the schemes of addresses that it can be reached by
    observe_s: float = 60.0  # how often an `Observer` is asked where branch.toml does not say
    # Sees at the machine what its profile has to say; gives those members. Raises NotAsMeantError, StoppedByHandError,
    # DeviceError and ValidationError.
    commission: Callable[[Commissioning], Awaitable[Mapping[str, Json]]] | None = None
    telling: Callable[[], Tells] | None = None  # tells recorded bytes in words; ours are found by `telling.teller`

"""What a simulated USB device says of itself: numbers, texts, interfaces and their endpoints.

Knows plain values and their defaults; must not know what the device does.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class UsbInterface:
    """One alternate setting. `bulk_in` None: no such endpoint."""

    number: int = 0
    alternate: int = 0
    kind: tuple[int, int, int] = (0x07, 0x01, 0x02)  # class, subclass, protocol
    bulk_out: int | None = 0x01
    bulk_in: int | None = 0x82


@dataclass(frozen=True)
class UsbModel:
    """What a device says of itself. `driver`: the kernel has one that takes the interface at plugging in."""

    vendor: int = 0x04B8
    product: int = 0x0E15
    serial: str = "SIM0001"
    maker: str = "EPSON"
    name: str = "TM-T88VI"
    device_id: str = "MFG:EPSON;CMD:ESC/POS;MDL:TM-T88VI;CLS:PRINTER;"
    interfaces: tuple[UsbInterface, ...] = (UsbInterface(),)
    packet_bytes: int = 64
    configured: bool = True
    driver: bool = True

    def strings(self) -> tuple[str, str, str]:
        """Those of string descriptors 1 to 3."""
        return self.maker, self.name, self.serial

"""A simulated device's descriptors as pyusb asks for them, by logical index (USB 2.0, chapter 9.6).

Knows the fields and their order; must not know buses, claims nor transfers.
"""

from __future__ import annotations

from types import SimpleNamespace

from simulators.usb_model import UsbInterface, UsbModel


def device(address: int, model: UsbModel) -> SimpleNamespace:
    """With what libusb adds of its own: where it is plugged in."""
    return SimpleNamespace(
        bLength=18,
        bDescriptorType=1,
        bcdUSB=0x0200,
        bDeviceClass=0,
        bDeviceSubClass=0,
        bDeviceProtocol=0,
        bMaxPacketSize0=64,
        idVendor=model.vendor,
        idProduct=model.product,
        bcdDevice=0x0100,
        iManufacturer=1,
        iProduct=2,
        iSerialNumber=3 if model.serial else 0,
        bNumConfigurations=1,
        address=address,
        bus=1,
        port_number=1,
        port_numbers=(1,),
        speed=2,
    )


def configuration(model: UsbModel, index: int) -> SimpleNamespace:
    """There is one; raises IndexError for others."""
    if index:
        raise IndexError(index)
    return SimpleNamespace(
        bLength=9,
        bDescriptorType=2,
        wTotalLength=32,
        bNumInterfaces=len(_by_number(model)),
        bConfigurationValue=1,
        iConfiguration=0,
        bmAttributes=0xC0,
        bMaxPower=1,
        extra_descriptors=[],
    )


def interface(model: UsbModel, index: int, setting: int) -> SimpleNamespace:
    """One alternate setting; raises IndexError for one that is not there."""
    one = _by_number(model)[index][setting]
    return SimpleNamespace(
        bLength=9,
        bDescriptorType=4,
        bInterfaceNumber=one.number,
        bAlternateSetting=one.alternate,
        bNumEndpoints=len(_endpoints(one)),
        bInterfaceClass=one.kind[0],
        bInterfaceSubClass=one.kind[1],
        bInterfaceProtocol=one.kind[2],
        iInterface=0,
        extra_descriptors=[],
    )


def endpoint(model: UsbModel, index: int, interface_index: int, setting: int) -> SimpleNamespace:
    """A bulk endpoint; raises IndexError for one that is not there."""
    return SimpleNamespace(
        bLength=7,
        bDescriptorType=5,
        bEndpointAddress=_endpoints(_by_number(model)[interface_index][setting])[index],
        bmAttributes=2,
        wMaxPacketSize=model.packet_bytes,
        bInterval=0,
        bRefresh=0,
        bSynchAddress=0,
        extra_descriptors=[],
    )


def _by_number(model: UsbModel) -> list[list[UsbInterface]]:
    numbers = sorted({one.number for one in model.interfaces})
    return [[one for one in model.interfaces if one.number == number] for number in numbers]


def _endpoints(one: UsbInterface) -> list[int]:
    return [address for address in (one.bulk_out, one.bulk_in) if address is not None]

"""Records and frames of notes, put together here by hand from devices.md sections 5.1 and 5.2, not by our writer."""

from __future__ import annotations

MOMENT = "B1 58 AF 6D"  # 2024-05-17 13:45:30
CNY = "43 00 4E 00 59 00 00 00"
SERIAL = "41 00 42 00 31 00 32 00 33 00 34 00 35 00 36 00 37 00 38 00 00 00 00 00"  # AB12345678
MACHINE = "4A 00 58 00 31 00" + " 00" * 42  # JX1
IMAGE = bytes([0x55]) * 1544

FILE_RECORD = (
    bytes.fromhex(f"{MOMENT} 01 00 00 00 00 00 00 00 {CNY} 02 00 64 00 0A 00 {SERIAL} {MACHINE} 00 00") + IMAGE
)
FILE_HEAD_OF_ONE = "14 00 0A 00 07 00 1A 00 00 00 01 00 2E 00 53 00 4E 00 6F 00 01 00 00 00 00 00 01 00 02 00 03 00"


def live_record(
    number: int = 1,
    *,
    value: int = 100,
    flag: int = 1,
    serial: str = "AB12345678",
    currency: str = "CNY",
    letters: int | None = None,
) -> bytes:
    """A 100 yuan note of the edition of 2005, unless told otherwise."""
    head = (
        bytes.fromhex(MOMENT) + flag.to_bytes(2, "little") + value.to_bytes(4, "little") + number.to_bytes(2, "little")
    )
    head += wide(currency, 4) + bytes.fromhex("02 00 00 00")
    head += (len(serial) if letters is None else letters).to_bytes(2, "little") + wide(serial, 12)
    return head + bytes.fromhex(MACHINE) + bytes(2) + IMAGE


def live_frame(number: int = 1, *, order: str = "little", **more: int | str) -> bytes:
    length = bytes.fromhex("72 06" if order == "little" else "06 72")
    record = live_record(number, **more)  # type: ignore[arg-type]
    return b"\xae\xae\xae\xae" + length + b"\x01\x00" + record + b"\xbe\xbe\xbe\xbe"


def wide(text: str, places: int) -> bytes:
    return text.encode("utf-16-le").ljust(2 * places, b"\0")

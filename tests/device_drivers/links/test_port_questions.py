"""What a printer's port answers, read from whatever it sends, through whatever wraps its link."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.links.address import open_address
from device_drivers.links.port_questions import (
    PortQuestions,
    PortStatus,
    parse_device_id,
    parse_port_status,
    port_questions,
)
from device_drivers.links.tap import TapLink
from tests.harness.crash import CountedLink, Counter, Plan

ID = "MFG:EPSON;CMD:ESC/POS;MDL:TM-T88VI;CLS:PRINTER;SN:X1;"
READ = {"MFG": "EPSON", "CMD": "ESC/POS", "MDL": "TM-T88VI", "CLS": "PRINTER", "SN": "X1"}


def with_length(text: str, length: int | None = None) -> bytes:
    return (len(text) + 2 if length is None else length).to_bytes(2, "big") + text.encode()


@pytest.mark.parametrize(
    "answer",
    [
        with_length(ID),
        with_length(ID) + b"rest of the buffer;X:Y;",
        with_length(ID) + bytes(40),
        with_length(ID, len(ID)),  # counted without itself
        (len(ID) + 2).to_bytes(2, "little") + ID.encode(),
        with_length(ID, 0),
        with_length(ID, 0xFFFF),
        ID.encode(),
        with_length(ID.rstrip(";")),
        with_length("Manufacturer:EPSON;COMMAND SET: ESC/POS ;Model:TM-T88VI;CLASS:PRINTER;SERN:X1;"),
        with_length(ID + "MFG:other;;:;lonely;NOTHING:;"),
        with_length(ID.replace("EPSON", "EP\x00SON\r\n")),
    ],
)
def test_an_id_is_read_however_it_is_counted_and_named(answer: bytes) -> None:
    assert parse_device_id(answer) == READ


def test_a_value_keeps_its_colons_and_its_chinese() -> None:
    assert parse_device_id(with_length("MDL:A:1;") + b"") == {"MDL": "A:1"}
    told = "MFG:\u7f8e\u677e;"
    assert parse_device_id(len(told.encode()).to_bytes(2, "big") + told.encode()) == {"MFG": "\u7f8e\u677e"}


@given(st.binary(max_size=1100) | st.binary(max_size=40).map(lambda tail: with_length(ID) + tail))
def test_any_bytes_are_an_id_or_nothing(answer: bytes) -> None:
    for name, value in parse_device_id(answer).items():
        assert name
        assert value
        assert (name + value).isprintable()
        assert name == name.strip()
        assert len(name) + len(value) <= 3 * len(answer)


@given(
    st.dictionaries(st.sampled_from(["MFG", "MDL", "CMD", "SN"]), st.from_regex("[A-Za-z0-9/-]{1,20}", fullmatch=True))
)
def test_what_a_printer_tells_is_what_is_read(pairs: dict[str, str]) -> None:
    assert parse_device_id(with_length("".join(f"{name}:{value};" for name, value in pairs.items()))) == pairs


@pytest.mark.parametrize(
    ("byte", "status"),
    [
        (0x18, PortStatus(no_error=True, selected=True, paper_empty=False)),
        (0x30, PortStatus(no_error=False, selected=True, paper_empty=True)),
        (0x00, PortStatus(no_error=False, selected=False, paper_empty=False)),
        (0xFF, PortStatus(no_error=True, selected=True, paper_empty=True)),
    ],
)
def test_each_bit_of_the_status_is_read(byte: int, status: PortStatus) -> None:
    assert parse_port_status(bytes([byte])) == status
    assert parse_port_status(bytes([byte, 7])) == status
    assert parse_port_status(b"") is None


def test_the_port_is_reached_through_every_wrapper() -> None:
    link = open_address("usb://04b8:0e15")
    assert isinstance(link, PortQuestions)
    wrapped = CountedLink(TapLink(link, lambda _passing: None), Counter(Plan()))
    assert port_questions(wrapped) is link
    assert port_questions(link) is link


@pytest.mark.parametrize("address", ["serial:///dev/ttyUSB0", "tcp://127.0.0.1:4001", "memory://questions"])
def test_other_lines_have_no_port_to_ask(address: str) -> None:
    assert port_questions(TapLink(open_address(address), lambda _passing: None)) is None

"""Status bytes of the manuals as one value, and the worst that is wrong."""

from __future__ import annotations

import pytest

from device_drivers.escpos.status import PresenterStatus, Status, from_asb, from_real_time


@pytest.mark.parametrize(
    ("answers", "trouble"),
    [
        ({1: 0x12, 2: 0x12, 3: 0x12, 4: 0x12}, ""),
        ({1: 0x16}, ""),  # the drawer's line is high
        ({1: 0x1A}, "printer_offline"),
        ({1: 0x1A, 2: 0x16}, "cover_open"),
        ({1: 0x1A, 2: 0x32}, "paper_out"),
        ({1: 0x1A, 2: 0x52, 3: 0x1A}, "cutter_jam"),
        ({1: 0x1A, 2: 0x52, 3: 0x52}, "head_hot"),
        ({1: 0x1A, 2: 0x52, 3: 0x32}, "printer_error"),
        ({1: 0x1A, 2: 0x52}, "printer_error"),  # an error whose cause it cannot tell
        ({1: 0x12, 4: 0x7E}, "paper_out"),
        ({1: 0x12, 4: 0x72}, "paper_out"),
    ],
)
def test_real_time(answers: dict[int, int], trouble: str) -> None:
    assert from_real_time(answers).trouble == trouble


def test_near_end_is_no_trouble() -> None:
    assert from_real_time({1: 0x12, 4: 0x1E}) == Status(near_end=True)
    assert from_asb(bytes.fromhex("14 00 03 00")) == Status(near_end=True)


@pytest.mark.parametrize(
    ("block", "trouble"),
    [
        ("14 00 00 00", ""),
        ("1C 00 00 00", "printer_offline"),
        ("3C 00 00 00", "cover_open"),
        ("1C 00 0F 00", "paper_out"),
        ("1C 08 00 00", "cutter_jam"),
        ("1C 20 00 00", "printer_error"),
        ("1C 40 00 00", "head_hot"),
    ],
)
def test_automatic(block: str, trouble: str) -> None:
    assert from_asb(bytes.fromhex(block)).trouble == trouble


@pytest.mark.parametrize(("paper", "ticket", "out"), [(0x00, False, False), (0x20, True, False), (0x01, False, True)])
def test_presenter(paper: int, ticket: bool, out: bool) -> None:
    status = PresenterStatus.of(bytes([paper, 0, 0, 0]))
    assert (status.ticket, status.paper_out, status.cover_open) == (ticket, out, False)

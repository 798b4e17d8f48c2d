"""What `branchgate check` says of a cabinet: cells that show nothing are unwise, what would open two is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_agent.console.check import Checked, check
from edge_agent.texts import Texts

BRANCH = """
[branch]
id = "B0001"
[link]
host = "127.0.0.1"
[journal]
folder = "{folder}"
[[device]]
id = "token-1"
role = "token-cabinet"
kind = "cells"
address = "serial:///dev/ttyUSB0?baud=9600"
[device.profile]
{profile}
"""
LOCK = "lock = {{ board = {board}, lock = {lock} }}"


def checked(folder: Path, profile: str) -> Checked:
    path = folder / "branch.toml"
    path.write_text(BRANCH.format(folder=folder, profile=profile), encoding="utf-8")
    return check(path, Texts("en"))


def cell(id_: str, board: int, lock: int, more: str = "") -> str:
    return f'[[device.profile.cell]]\nid = "{id_}"\n{LOCK.format(board=board, lock=lock)}\n{more}\n'


def test_cells_without_an_item_sensor_are_warned_of_by_name(tmp_path: Path) -> None:
    shows = cell("01", 1, 1, "item = { board = 2, lock = 1 }")
    told = checked(tmp_path, 'locked_feedback = "00"\n' + shows + cell("02", 1, 2))
    assert told.good
    (finding,) = [finding for finding in told.findings if finding.code == "blind_cells"]
    assert (finding.level, "Cells 02 of token-1" in finding.message) == ("warning", True)


@pytest.mark.rule("PHY-3")
@pytest.mark.parametrize(
    ("profile", "code"),
    [
        ('locked_feedback = "00"\n' + cell("01", 1, 0), "too_small"),
        ('locked_feedback = "00"\n' + cell("01", 0, 1), "too_small"),
        ('locked_feedback = "00"\n' + cell("01", 1, 1) + cell("02", 1, 1), "cell_lock_twice"),
        ('locked_feedback = "00"\n' + cell("01", 1, 1) + cell("01", 1, 2), "cell_id_twice"),
        ('locked_feedback = "00"\n' + cell("01", 1, 1, "item = { board = 1, lock = 1 }"), "cell_contact_twice"),
        ('locked_feedback = "00"\n' + cell("01", 1, 1, "item = { unit = 2, channel = 1 }"), "cell_modules"),
        (cell("01", 1, 1), "cell_feedback"),
        ('[[device.profile.cell]]\nid = "01"\nlock = { unit = 1, channel = 0 }\n', "cell_door"),
        ('[[device.profile.cell]]\nid = "01"\nlock = { unit = 1 }\n', "cell_place"),
    ],
)
def test_what_would_open_more_than_one_cell_or_asks_one_contact_twice_is_refused(
    tmp_path: Path, profile: str, code: str
) -> None:
    told = checked(tmp_path, profile)
    assert not told.good
    assert code in {finding.code for finding in told.findings}
    assert all(finding.message for finding in told.findings)

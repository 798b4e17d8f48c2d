"""A simulated branch: several lines in one process, one ledger, from a dict or a TOML file."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import serial

from simulators.branch import open_branch, parse_branch
from simulators.control import ControlClient
from simulators.ledger import read_ledger
from simulators.machine import ControlError
from tests.simulators.bench import RESET_KEEP

ROOT = Path(__file__).resolve().parents[2]
LINES: list[dict[str, Any]] = [
    {
        "kind": "crt591",
        "listen": "pty:run/hall",
        "control": "unix:run/hall.sock",
        "devices": {"card-1": 0, "card-2": 1},
        "options": {"act_s": 0.05, "units": {"card-2": {"cards": 3}}},
        "faults": [{"at": "1st motion", "fault": "jam", "device": "card-2"}],
    },
    {"kind": "crt591", "listen": "tcp:127.0.0.1:0", "control": "tcp:127.0.0.1:0", "devices": {"card-3": 0}},
]
TOML = """
ledger = "branch.jsonl"
[[lines]]
kind = "crt591"
listen = "pty:run/hall"
devices = { card-1 = 0 }
options = { act_s = 0.05 }
"""


@pytest.mark.process
async def test_lines_share_one_ledger_and_have_their_own_control(tmp_path: Path) -> None:
    async with open_branch({"lines": LINES}, tmp_path) as branch:
        assert branch.lines["card-1"] is branch.lines["card-2"]
        assert branch.lines["card-1"].address == f"serial://{tmp_path}/run/hall"
        for device in ("card-2", "card-3"):
            where = branch.lines[device].control
            assert where is not None
            async with ControlClient(where, device=device) as control:
                assert len((await control.state())["stacker"]) == (3 if device == "card-2" else 20)
                await control.power(on=False)
                await control.power(on=True)
    lines = read_ledger(tmp_path / "ledger.jsonl")
    assert [(line["n"], line["device"]) for line in lines] == [
        (1, "card-2"),
        (2, "card-2"),
        (3, "card-3"),
        (4, "card-3"),
    ]
    assert sorted(path.name for path in (tmp_path / "state").iterdir()) == ["card-1.json", "card-3.json"]


@pytest.mark.process
def test_a_branch_from_a_file_until_sigterm(tmp_path: Path) -> None:
    (tmp_path / "branch.toml").write_text(TOML)
    command = [sys.executable, "-m", "simulators.branch", str(tmp_path / "branch.toml")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == f"ready card-1 serial://{tmp_path}/run/hall\n"
        with serial.Serial(f"{tmp_path}/run/hall", timeout=30) as port:
            port.write(bytes.fromhex(RESET_KEEP))
            assert port.read(25).endswith(b"CRT-591-M001\x03\x82")
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    assert [line["act"] for line in read_ledger(tmp_path / "branch.jsonl")] == ["reset"]


@pytest.mark.process
@pytest.mark.parametrize("content", ["", "lines = 3", "[[lines", "[[lines]]\nkind = 'toaster'"])
def test_a_wrong_file_is_one_sentence_and_exit_2(content: str, tmp_path: Path) -> None:
    (tmp_path / "branch.toml").write_text(content)
    command = [sys.executable, "-m", "simulators.branch", str(tmp_path / "branch.toml")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("simulator: ")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "toaster"},
        {"kind": None},
        {"listen": 5},
        {"devices": {}},
        {"devices": ["card-1"]},
        {"devices": {"card-1": "0"}},
        {"devices": {"card-3": 0}},
        {"options": []},
        {"faults": {}},
        {"colour": "red"},
    ],
)
def test_a_wrong_line_is_refused_with_a_sentence(change: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(ControlError):
        parse_branch({"lines": [{**LINES[0], **change}, LINES[1]]}, tmp_path)


@pytest.mark.parametrize(
    "raw", [{}, {"lines": []}, {"lines": [3]}, {"lines": LINES, "colour": 1}, {"lines": LINES, "ledger": 1}]
)
def test_a_wrong_branch_is_refused_with_a_sentence(raw: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(ControlError):
        parse_branch(raw, tmp_path)

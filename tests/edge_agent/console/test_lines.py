"""A line that cannot be opened by hand: away, another's, or in use by somebody who is named."""

from __future__ import annotations

import fcntl
import json
import os
import pty
from pathlib import Path

import pytest

import cli
from edge_agent.hand_written import Unreadable, read_text
from tests.speech import speak


def refused(capsys: pytest.CaptureFixture[str], tmp_path: Path, path: str, *command: str) -> tuple[int, dict[str, str]]:
    none = str(tmp_path / "no-branch.toml")
    code = cli.run([*command, f"serial://{path}", "--config", none, "--json"])
    told: dict[str, str] = json.loads(capsys.readouterr().err)
    return code, told


@pytest.mark.parametrize("command", [("serial", "listen"), ("modbus", "scan"), ("modbus", "read", "--unit", "1")])
def test_what_stands_in_the_way_is_said_with_its_remedy(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: tuple[str, ...]
) -> None:
    speak(monkeypatch, "en")
    code, told = refused(capsys, tmp_path, f"{tmp_path}/nothing", *command)
    assert (code, told["error"]) == (1, "port_missing")
    assert "/dev/branchgate" in told["remedy"]
    ours, theirs = pty.openpty()
    try:
        path = os.ttyname(theirs)
        fcntl.flock(theirs, fcntl.LOCK_EX)  # as whoever opens a port for itself does
        code, told = refused(capsys, tmp_path, path, *command)
        assert (code, told["error"]) == (75, "port_busy")
        assert f"process {os.getpid()} (" in told["message"]
        assert f"kill {os.getpid()}" in told["remedy"]
        with monkeypatch.context() as patch:
            patch.setattr(os, "access", lambda *_: False)
            code, told = refused(capsys, tmp_path, path, *command)
        assert (code, told["error"]) == (1, "port_rights")
        assert "sudo adduser" in told["remedy"]
    finally:
        os.close(ours)
        os.close(theirs)


def test_a_file_that_is_not_ours_to_read_asks_for_root_and_not_for_another_path(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    speak(monkeypatch, "en")

    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("edge_agent.hand_written.open_plain", refuse)
    with pytest.raises(Unreadable, match="file_forbidden"):
        read_text(tmp_path, 10)
    assert cli.run(["top", "--config", str(tmp_path / "branch.toml")]) == 78
    assert "sudo branchgate" in capsys.readouterr().err
    assert cli.run(["doctor", "--config", str(tmp_path / "branch.toml")]) == 78
    assert f"{tmp_path}/branch.toml:1: may not be read" in "".join(capsys.readouterr().out.splitlines())

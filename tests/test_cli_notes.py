"""The command line and what banknote counters export: counted, listed, and what is no record named with its byte."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import cli
from simulators.banknotes.records import Note, fsn_file
from tests.speech import speak

NOTES = [Note(100, "fit", f"AB0000000{n}") for n in range(3)] + [Note(50, "suspect", "ZZ12345678")]


@pytest.fixture(autouse=True)
def _in_english(monkeypatch: pytest.MonkeyPatch) -> None:
    speak(monkeypatch, "en")
    monkeypatch.delenv("BRANCHGATE_DEBUG", raising=False)
    monkeypatch.setenv("COLUMNS", "100")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "day.fsn"
    path.write_bytes(fsn_file(NOTES, "JX1"))
    return path


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = cli.run(("notes", "show", *arguments))
    said = capsys.readouterr()
    return code, said.out, said.err


def test_the_notes_are_counted_and_serial_numbers_are_shown_when_asked_for(
    capsys: pytest.CaptureFixture[str], file: Path
) -> None:
    code, said, _ = run(capsys, str(file))
    assert code == 0
    assert "4 notes, 300 CNY" in said
    assert "suspect" in said
    assert "ZZ12" not in said
    _, said, _ = run(capsys, str(file), "--serials")
    assert "ZZ12345678" in said


def test_as_json(capsys: pytest.CaptureFixture[str], file: Path) -> None:
    code, said, _ = run(capsys, str(file), "--json")
    told = json.loads(said)
    assert (code, told["count"], told["sum"], told["bad"]) == (0, 4, 300, [])
    assert told["notes"][3] == {
        "serial": "ZZ12****78",
        "value": 50,
        "cash": "suspect",
        "time": "2024-05-17T13:45:30",
        "machine": "JX1",
    }
    _, said, _ = run(capsys, str(file), "--json", "--serials")
    assert json.loads(said)["notes"][3]["serial"] == "ZZ12345678"


def test_a_record_that_is_none_is_named_and_the_others_are_counted(
    capsys: pytest.CaptureFixture[str], file: Path
) -> None:
    data = bytearray(file.read_bytes())
    data[32 + 1644 + 4] = 9
    file.write_bytes(bytes(data))
    code, said, _ = run(capsys, str(file))
    assert code == 1
    assert "3 notes, 200 CNY" in said
    assert "record 2 is none, at byte 1680: 9 is neither fake, genuine, damaged nor old" in said


def test_what_is_no_file_of_notes(capsys: pytest.CaptureFixture[str], file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1])
    code, _, said = run(capsys, str(file))
    assert code == 1
    assert "no FSN file, at byte 6607: 4 records make 6608 bytes, the file has 6607" in " ".join(said.split())
    code, _, said = run(capsys, str(file.parent / "none.fsn"))
    assert code == 1
    assert "No such file" in said

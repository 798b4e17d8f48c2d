"""The commands that look into a journal on its own machine: exit codes, both languages, JSON, and files."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import cli
from edge_agent.audit import verify
from edge_agent.journal import opening
from edge_agent.texts import Texts
from tests.edge_agent.audit.test_verify import SPOILT
from tests.edge_agent.journal.gate import opened
from tests.speech import speak


@pytest.fixture(autouse=True)
def _in_english(monkeypatch: pytest.MonkeyPatch) -> None:
    speak(monkeypatch, "en")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    async def fill() -> None:
        async with opened(tmp_path / "data") as journal:
            for n in range(30):
                await journal.write(lambda tx, n=n: tx.emit("t", None, {"n": n}))  # type: ignore[misc]

    asyncio.run(fill())
    return tmp_path / "data"


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    code = cli.run(("journal", *map(str, arguments)))
    said = capsys.readouterr()
    return code, said.out, said.err


def spoil(folder: Path) -> None:
    with closing(sqlite3.connect(folder / opening.NAME, isolation_level=None)) as db:
        db.execute("DELETE FROM outbox WHERE seq = 7")


def test_a_sound_journal(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    code, said, _ = run(capsys, "verify", folder)
    assert (code, "agrees with itself (30 events" in said) == (0, True)


def test_one_that_does_not_agree(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    spoil(folder)
    code, said, _ = run(capsys, "verify", folder)
    assert code == 1
    assert "error: events 7-7 are missing" in said
    code, said, _ = run(capsys, "verify", folder, "--json")
    told = json.loads(said)
    assert (code, told["ok"]) == (1, False)
    assert told["findings"] == [{"code": "gap", "where": "outbox 7", "detail": "7-7"}]


def test_the_folder_is_found_through_the_configuration(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> None:
    config = tmp_path / "branch.toml"
    config.write_text(f'[branch]\nid = "B1"\n[journal]\nfolder = "{folder}"\n')
    assert run(capsys, "verify", "--config", config)[0] == 0
    config.write_text("[branch]\n")
    assert run(capsys, "verify", "--config", config)[0] == 78


def test_what_it_has_cost_the_flash(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    with closing(sqlite3.connect(folder / opening.NAME, isolation_level=None)) as db:
        db.execute('INSERT INTO meta VALUES (\'wear\', \'{"bytes": 5242880, "commits": 31, "transactions": 40}\')')
    code, said, _ = run(capsys, "wear", folder)
    assert code == 0
    assert "5.0 MiB written to flash" in said.replace("\n", " ")
    assert "30 rows" in said
    code, said, _ = run(capsys, "wear", folder, "--json")
    told = json.loads(said)
    assert (told["bytes"], told["commits"], told["rows"], told["full"]) == (5242880, 31, 30, 0)
    (folder / opening.NAME).write_bytes(b"no database" * 1000)
    assert run(capsys, "wear", folder)[0] == 1


@pytest.mark.parametrize("command", ["verify", "export", "wear"])
def test_what_is_not_there_and_what_is_not_said(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, command: str
) -> None:
    code, _, said = run(capsys, command, tmp_path)
    assert (code, f"no journal in {tmp_path}" in said.replace("\n", " ")) == (3, True)
    assert run(capsys, command)[0] == 2
    assert run(capsys, command, tmp_path, "--config", tmp_path / "x.toml")[0] == 2


@pytest.mark.parametrize("command", ["journal verify", "journal wear", "audit verify", "audit show"])
def test_a_folder_that_is_not_ours_to_look_into_is_told(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A branch's folder is 0700: whoever forgot sudo met an error that nobody foresaw."""
    stat = os.stat

    def closed(path: Any, **more: Any) -> os.stat_result:
        if isinstance(path, str | os.PathLike) and Path(path).parent == tmp_path:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return stat(path, **more)

    monkeypatch.setattr(os, "stat", closed)
    assert cli.run([*command.split(), str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert ("cannot be read" in said, "foresaw" in said) == (True, False), said


def test_lines_on_standard_output_are_json_and_nothing_else(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    code, said, warned = run(capsys, "export", folder)
    rows = [json.loads(line) for line in said.splitlines()]
    assert (code, warned) == (0, "")
    assert len([row for row in rows if row["table"] == "outbox"]) == 30


def test_lines_to_a_file(capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "all.jsonl"
    out.write_text("an older one\n" * 10_000)
    out.chmod(0o666)
    code, said, _ = run(capsys, "export", folder, "--out", out, "--json")
    assert out.stat().st_mode & 0o777 == 0o600, "every customer stands in it"
    assert "an older one" not in out.read_text()
    assert code == 0
    assert json.loads(said)["rows"]["outbox"] == 30
    assert sum(json.loads(said)["rows"].values()) == len(out.read_text("utf-8").splitlines())
    assert run(capsys, "export", folder, "--out", tmp_path / "none" / "all.jsonl")[0] == 1


def test_what_is_left_of_a_damaged_one(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    (folder / opening.NAME).write_bytes(b"no database" * 1000)
    code, said, warned = run(capsys, "export", folder)
    assert code == 1
    assert json.loads(said.splitlines()[0])["unreadable"]
    assert "could not be read whole" in warned


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_finding_has_words(lang: str) -> None:
    source = Path(verify.__file__).read_text("utf-8")
    codes = {code for _, code in SPOILT.values()} | {"not_in_ring", "only_in_ring", "integrity", "unreadable", "newer"}
    for code in codes:
        assert f'Found("{code}"' in source
        assert Texts(lang)(f"verify.{code}", where="here", detail="so")
    assert source.count('Found("') >= len(codes)

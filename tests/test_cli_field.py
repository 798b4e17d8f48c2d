"""Completion of three shells, and the live picture of a box."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

import cli
from commands import top
from tests.speech import speak

LOOK: dict[str, Any] = {
    "branch": "B1",
    "versions": {"agent": "1.0"},
    "clock": "synced",
    "journal": {"store": "good"},
    "orders": {"waiting": 2},
    "link": {"connected": False, "last_error": "refused \x1b[31m", "sent_events": 7},
    "devices": {
        "card-1": {"state": "online", "lane": "shut", "reason": "card_jam", "media": "jammed", "order": "O-1",
                   "storage": {"errorBin": {"type": "retain", "replenishmentStatus": "high", "count": 40}}},
    },
}  # fmt: skip


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_script(capsys: pytest.CaptureFixture[str], shell: str) -> None:
    assert cli.run(["completion", shell]) == 0
    said = capsys.readouterr().out
    assert "_BRANCHGATE_COMPLETE" in said
    assert f"complete_{shell}" in said
    assert cli.run(["completion", "tcsh"]) == 2


@pytest.mark.parametrize(
    ("words", "wanted"),
    [("branchgate do", "doctor"), ("branchgate tap ", "record"), ("branchgate device ex", "exercise")],
)
def test_a_shell_that_asks_is_answered(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, words: str, wanted: str
) -> None:
    monkeypatch.setenv("_BRANCHGATE_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(len(words.split(" ")) - 1))
    cli.run([])
    assert wanted in capsys.readouterr().out.split()


@pytest.mark.parametrize(
    ("lang", "words"), [("en", ("card jam", "shut", "bin 40 high")), ("zh", ("卡", "时钟", "回收箱 40"))]
)
def test_the_picture_tells_what_the_agent_told(
    monkeypatch: pytest.MonkeyPatch, lang: str, words: tuple[str, ...]
) -> None:
    speak(monkeypatch, lang)
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(top.shown(LOOK))
    text = console.export_text()
    assert [word for word in (*words, "B1", "card-1", "O-1", "refused") if word not in text] == []
    assert "\x1b[31m" not in text


def test_the_command_once_in_json_and_without_an_agent(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = tmp_path / "branch.toml"
    config.write_text(f'[branch]\nid = "B1"\n[journal]\nfolder = "{tmp_path}"\n')
    assert cli.run(["top", "--config", str(config)]) == 5
    monkeypatch.setattr(top, "_look", lambda settings: LOOK)
    capsys.readouterr()
    assert cli.run(["top", "--config", str(config), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["branch"] == "B1"
    assert cli.run(["top", "--config", str(config), "--once"]) == 0
    assert "card-1" in capsys.readouterr().out
    config.write_text("[branch]\n")
    assert cli.run(["top", "--config", str(config)]) == 78

"""The command line's screens: previewed into a file or the terminal, and every mistake in two lines."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

import cli
from tests.speech import speak

ROOT = Path(__file__).parents[1]
SCRIPT = (ROOT / "scripts" / "screen-pictures").read_text("utf-8").splitlines()
HALL = "--set width=26 --set height=8 --set calls=4"
DRAWN = [shlex.split(line.replace("$hall", HALL)) for line in SCRIPT if line.startswith("draw ")]


@pytest.fixture(autouse=True)
def _in_english(monkeypatch: pytest.MonkeyPatch) -> None:
    speak(monkeypatch, "en")
    monkeypatch.delenv("BRANCHGATE_DEBUG", raising=False)
    monkeypatch.setenv("COLUMNS", "80")


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = cli.run(("screen", "preview", *arguments))
    said = capsys.readouterr()
    return code, said.out, said.err


@pytest.mark.parametrize("words", DRAWN, ids=lambda words: words[1])
def test_the_pictures_of_the_manual_are_those_that_are_drawn_today(words: list[str], tmp_path: Path) -> None:
    assert cli.run(["screen", "preview", *words[2:], "--out", str(tmp_path / "now.png")]) == 0
    kept = ROOT / "docs" / "screens" / f"{words[1]}.png"
    assert (tmp_path / "now.png").read_bytes() == kept.read_bytes()
    assert f"screens/{words[1]}.png" in (ROOT / "docs" / "screens.md").read_text("utf-8")


def test_the_terminal_shows_rows_and_says_what_was_shortened(capsys: pytest.CaptureFixture[str]) -> None:
    code, said, _ = run(capsys, "strip_screen", "--call", "A001:3")
    assert code == 0
    assert said.splitlines()[:3] == ["+----------------+", "|A001号到3号窗口 |", "+----------------+"]
    assert "Shortened" in said
    assert "runs through" in run(capsys, "strip_screen", "--text", "x" * 40, "--set", "scroll_play=4")[1]


def test_a_preview_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("bx6", "--call", "A001:3", "--call", "B010:1", "--set", "calls=2", "--set", "width=24", "--json")
    code, said, _ = run(capsys, *arguments)
    assert code == 0
    assert json.loads(said) == {
        "kind": "bx6",
        "columns": 24,
        "rows": 4,
        "pages": [["请B010号到1号窗口", "", "请A001号到3号窗口", ""]],
        "scrolls": False,
        "shortened": False,
        "out": None,
    }


def test_a_screen_of_a_branchs_own_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    config = tmp_path / "branch.toml"
    config.write_text(
        f'[branch]\nid = "B1"\n[journal]\nfolder = "{tmp_path}"\n[[device]]\nid = "screen-3"\nrole = "window-screen"\n'
        'kind = "led485"\nplace = "3"\naddress = "tcp://127.0.0.1:4001"\n[device.profile]\ndigits = 4\n'
    )
    code, said, _ = run(capsys, "screen-3", "--config", str(config), "--call", "A001:3")
    assert (code, said.splitlines()[1]) == (0, "|A001|")
    assert run(capsys, "screen-4", "--config", str(config))[0] == 78
    config.write_text("[branch]\n")
    assert run(capsys, "screen-3", "--config", str(config))[0] == 78


@pytest.mark.parametrize(
    ("arguments", "code", "names", "remedy"),
    [
        (["escpos"], 78, "“escpos” is no screen", "bx6, led485, strip_screen"),
        (["toaster"], 78, "“toaster” is no screen", "bx6, led485, strip_screen"),
        (["strip_screen", "--set", "colums=3"], 78, "colums", "docs/screens.md"),
        (["strip_screen", "--set", "unit=255"], 78, "unit", "docs/screens.md"),
        (["strip_screen", "--set", "idle_text=今日业务办理至十七点"], 78, "idle text", "docs/screens.md"),
        (["strip_screen", "--call", "A001"], 2, "“A001” is no call", "A001:3"),
        (["strip_screen", "--text", ""], 2, "no text", "--text"),
        (["strip_screen", "--text", "😀"], 78, "U+1F600", "docs/screens.md"),
        (["led485", "--text", "暂停"], 78, "no such letter", "docs/screens.md"),
        (["strip_screen", "--out", "/no/such/folder/x.png"], 1, "/no/such/folder/x.png", "--out"),
    ],
)
def test_a_mistake_is_told_with_its_remedy(
    capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, names: str, remedy: str
) -> None:
    got, _, err = run(capsys, *arguments)
    said = " ".join(err.split())
    assert got == code
    assert names in said
    assert remedy in said
    assert "Traceback" not in said

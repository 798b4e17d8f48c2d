"""The command line's receipts: previewed into a file or the terminal, listed, and every mistake in two lines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

import cli
from tests.speech import speak


@pytest.fixture(autouse=True)
def _in_english(monkeypatch: pytest.MonkeyPatch) -> None:
    speak(monkeypatch, "en")
    monkeypatch.delenv("BRANCHGATE_DEBUG", raising=False)
    monkeypatch.setenv("COLUMNS", "80")


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = cli.run(("receipt", *arguments))
    said = capsys.readouterr()
    return code, said.out, said.err


def test_a_preview_is_written_and_says_what_was_made_up(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    out = tmp_path / "ticket.png"
    code, said, _ = run(capsys, "preview", "ticket.zh", "--value", "number=B7", "--columns", "32", "--out", str(out))
    assert code == 0
    with Image.open(out) as picture:
        assert picture.size[0] == 448
    assert f"{out}: 448 x " in said
    assert "Made up, because no value was given: ahead, branch_name, date, qr, queue, time" in said


def test_without_a_file_the_terminal_shows_it(capsys: pytest.CaptureFixture[str]) -> None:
    code, said, _ = run(capsys, "preview", "ticket")
    lines = said.splitlines()
    assert code == 0
    assert max(map(len, lines[:-2])) <= 80
    assert sum("█" in line for line in lines) > 10
    assert "--out FILE.png" in lines[-2]


def test_a_preview_as_json(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "v.json").write_text('{"order": "O-1", "customer": ""}')
    arguments = ("card_receipt.zh", "--values", str(tmp_path / "v.json"), "--value", "date=1.1.2030", "--reprint", "2")
    code, said, _ = run(capsys, "preview", *arguments, "--json")
    told = json.loads(said)
    assert (code, told["columns"], told["language"], told["out"]) == (0, 48, "zh", None)
    assert told["made_up"] == ["branch_name", "time"]
    assert told["lines"][0] == "重印 REPRINT 2"
    assert told["lines"][-1].endswith("/receipt/3")
    assert not [line for line in told["lines"] if "客户参考号" in line], "an empty value leaves its line out"


def test_the_templates_that_ship_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    code, said, _ = run(capsys, "list")
    assert code == 0
    assert "card_receipt.zh" in said
    assert "领卡回单" in said
    code, said, _ = run(capsys, "list", "--json")
    told = {one["template"]: one for one in json.loads(said)}
    assert sorted(told) == sorted(
        f"{name}.{lang}" for name in ("card_receipt", "receipt", "ticket") for lang in ("en", "zh")
    )
    assert told["ticket.en"]["needs"] == ["ahead", "branch_name", "date", "number", "queue", "time"]
    assert told["ticket.en"]["names"] == sorted([*told["ticket.en"]["needs"], "qr"])


@pytest.mark.parametrize(
    ("arguments", "code", "names", "remedy"),
    [
        (["preview"], 2, "TEMPLATE", "receipt preview --help"),
        (["preview", "ticket", "--columns", "40"], 2, "--columns", "receipt preview --help"),
        (["preview", "ticket", "--reprint", "-1"], 2, "--reprint", "receipt preview --help"),
        (["preview", "ticket", "--value", "number"], 2, "number", "NAME=TEXT"),
        (["preview", "ticket", "--value", "a=1", "--value", "a=2"], 2, "a=2", "NAME=TEXT"),
        (["preview", "nope"], 78, "There is no template “nope”", "or one that ships: card_receipt, receipt, ticket"),
        (["preview", "n" * 300], 78, "There is no template “nnn", "or one that ships: card_receipt, receipt, ticket"),
        (["preview", "ticket.fr"], 78, "There is no template “ticket.fr”", "card_receipt, receipt, ticket"),
        (["preview", "nope.toml"], 78, "nope.toml:1: cannot be read", "docs/receipts.md"),
        (["preview", "/no/such.toml"], 78, "/no/such.toml:1: cannot be read", "docs/receipts.md"),
        (["preview", "ticket", "--values", "/no/such.json"], 78, "/no/such.json:1: cannot be read", "docs/receipts.md"),
        (["preview", "ticket", "--value", "number=😀"], 78, "number: 😀 (U+1F600)", "docs/receipts.md"),
        (["preview", "ticket", "--value", "number=\x1b@"], 78, "'\\x1b'", "docs/receipts.md"),
        (["preview", "ticket", "--out", "/no/such/folder/x.png"], 1, "/no/such/folder/x.png", "--out"),
    ],
)
def test_a_mistake_is_named_with_its_remedy(
    capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, names: str, remedy: str
) -> None:
    got, out, err = run(capsys, *arguments)
    assert got == code
    assert (names in err, remedy in err, out) == (True, True, "")
    assert len(err.splitlines()) == 2


def test_findings_come_as_json_too(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "t.zh.toml"
    path.write_text("[[block]]\ntext = '{'\nsize = 9\n")
    code, _, err = run(capsys, "preview", str(path), "--json")
    told = json.loads(err)
    assert (code, told["error"], told["exit_code"]) == (78, "receipt", 78)
    assert [(one["line"], one["code"]) for one in told["findings"]] == [(2, "template_brace"), (3, "too_large")]
    assert all(one["file"] == str(path) and one["message"] for one in told["findings"])


def test_a_value_that_the_template_does_not_know_is_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    given = ("ticket", "--value", "number=7", "--value", "nmuber=8")
    assert "does not ask for it: nmuber" in run(capsys, "preview", *given, "--out", str(tmp_path / "x.png"))[1]
    assert json.loads(run(capsys, "preview", *given, "--json")[1])["unasked"] == ["nmuber"]


def test_what_the_system_refused_is_told_in_chinese(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    speak(monkeypatch, "zh")
    code, _, err = run(capsys, "preview", "ticket", "--out", str(tmp_path / "none" / "x.png"))
    assert (code, "没有这个文件或目录" in err) == (1, True)
    path = tmp_path / "my.zh.toml"
    path.write_text('[[block]]\nimage = "none.png"\n')
    code, _, err = run(capsys, "preview", str(path))
    assert (code, "none.png 不是可读的图片（没有这个文件或目录）" in err) == (78, True)


def test_mistakes_are_told_in_chinese(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    speak(monkeypatch, "zh")
    code, _, err = run(capsys, "preview", "ticket", "--value", "number=😀")
    assert code == 78
    assert "请换一个" in err

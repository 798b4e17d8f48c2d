"""The bundle tells what happened on a box, and none of the secrets and personal data that were planted on it."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import stat
import tarfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import cli
from edge_agent.findings import Word
from edge_agent.settings import parse
from edge_agent.upkeep import bundle as bundles
from edge_agent.upkeep.bundle import Bundle
from edge_agent.upkeep.doctor.found import Found, Level
from edge_agent.upkeep.recording import FOLDER
from edge_agent.upkeep.scrub import Scrub
from tests.edge_agent.journal.gate import opened
from tests.speech import speak

PASSWORD, COMMENT, USER = "korrekt-Pferd-7", "geheim-in-a-comment", "branch-0001-user"
CUSTOMER, CARD, DOCUMENT = "C-10086-ZHANGSAN", "6222021234567890123", "https://files.bank.example/a.pdf?sig=SIGNATURE99"
TELLER = "li.na"
NOTE, NAME, LETTER = "AB12345678", "张三丰", "打印给客户的正文"
PLANTED = (
    PASSWORD,
    COMMENT,
    USER,
    CUSTOMER,
    CARD,
    "SIGNATURE99",
    NOTE,
    NAME,
    LETTER,
    "CARD-SERIAL-77",
    "U-SHIELD-4711",
    TELLER,
)
FACTS = {"serial": "CARD-SERIAL-77", "notes": [NOTE], "card": CARD, "name": NAME}
EVENT = {
    "order": "O-1",
    "device": "card-1",
    "state": "completed",
    "reason": "taken",
    "customer": CUSTOMER,
    "facts": FACTS,
    "parameters": {"lines": LETTER},
    "documents": [{"address": DOCUMENT}],
    "act": NAME,  # what is no code is left out, whatever its member is called
}
TWIN: dict[str, Any] = {
    "device": "card-1",
    "kind": "crt591",
    "role": "card-dispenser",
    "state": "online",
    "reason": "",
    "lane": "open",
    "media": "present",
    "order": "O-1",
    "storage": {"A1": {"count": 1, "article": "u_shield", "serial": "U-SHIELD-4711", "status": "ok"}},
    "identity": {"model": "CRT-591"},
    "counters": {"garbageBytes": 3},
}
LOOK = {
    "branch": "B1",
    "link": {"connected": False, "last_error": f"//{USER}:{PASSWORD}@h refused"},
    "devices": {"card-1": TWIN},
}
LOG = f"2030-01-01 INFO printed {DOCUMENT} for {CARD}\n2030-01-01 DEBUG frame {LETTER}\n"
LOG += f"2030-01-01 INFO {NOTE} {PASSWORD}\n2030-01-01 WARNING sign-in of /people/{TELLER} failed, 3 in a row\n"


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "password").write_text(PASSWORD + "\n", encoding="utf-8")
    config = tmp_path / "branch.toml"
    config.write_text(
        f'# {COMMENT}\n[branch]\nid = "B1"\n[journal]\nfolder = "{tmp_path / "data"}"\n'
        f'[link]\nusername = "{USER}"\npassword_file = "{tmp_path / "password"}"\n',
        encoding="utf-8",
    )

    async def fill() -> None:
        async with opened(tmp_path / "data") as journal:
            for _ in range(3):
                await journal.write(lambda tx: tx.emit("branchgate.order.changed.v1", "O-1", EVENT))

    asyncio.run(fill())
    (tmp_path / "data" / FOLDER).mkdir()
    (tmp_path / "data" / FOLDER / "card-1-x.tap").write_text(LETTER, encoding="utf-8")
    monkeypatch.setattr(bundles, "hand_in", lambda folder, line: json.loads(json.dumps(LOOK)))
    return config


def parts_of(file: Path) -> dict[str, str]:
    with tarfile.open(file) as archive:
        read = {one.name: archive.extractfile(one) for one in archive.getmembers()}
        return {name.removeprefix("branchgate/"): one.read().decode() for name, one in read.items() if one is not None}


def made(box: Path, found: list[Found] | None = None) -> tuple[Bundle, dict[str, str]]:
    bundle = Bundle(box, found or [], run=lambda command: LOG)
    out = box.parent / "out.tar.gz"
    bundle.write(out)
    assert out.stat().st_mode & 0o777 == 0o600
    return bundle, parts_of(out)


def test_nothing_that_was_planted_leaves_the_box(box: Path) -> None:
    quoting = Found(Level.ERROR, "broker", "broker_tcp", "h", {"where": "h", "why": f"//{USER}:{PASSWORD}@h {CARD}"})
    quoting = Found(quoting.level, quoting.area, quoting.code, "h", {"why": quoting.places["why"]})
    _, parts = made(box, [quoting])
    whole = "\n".join(parts.values())
    assert [one for one in PLANTED if one in whole] == []
    raw = (box.parent / "out.tar.gz").read_bytes()
    assert PASSWORD.encode() not in raw


def test_nobody_else_may_read_it_though_it_takes_an_older_files_place(box: Path) -> None:
    out = box.parent / "out.tar.gz"
    out.touch(0o644)
    Bundle(box, [], run=lambda command: "").write(out)
    assert stat.S_IMODE(out.stat().st_mode) == 0o600


def test_a_configuration_that_only_a_bounded_reader_survives_is_left_out(box: Path) -> None:
    box.write_text(f"x = {'[' * 5000}", encoding="utf-8")
    bundle, _ = made(box)
    assert "config.json" in bundle.missing


def test_what_is_needed_is_in_it(box: Path) -> None:
    bundle, parts = made(box, [Found(Level.ERROR, "clock", "clock_no_service")])
    assert bundle.missing == {}
    events = [json.loads(line) for line in parts["events.jsonl"].splitlines()]
    assert events[-1]["data"] == {"order": "O-1", "device": "card-1", "state": "completed", "reason": "taken"}
    assert json.loads(parts["agent.json"])["devices"]["card-1"]["storage"] == {
        "A1": {"count": 1, "status": "ok", "article": "u_shield"}
    }
    assert json.loads(parts["journal.json"])["verify"]["events"] == 3
    assert json.loads(parts["recordings.json"])[0]["name"] == "card-1-x.tap"
    assert json.loads(parts["doctor.json"])[0]["code"] == "clock_no_service"
    assert json.loads(parts["config.json"])["link"]["password_file"].endswith("/password")
    assert json.loads(parts["config.json"])["link"]["username"] == "***"
    assert "https://files.bank.example/a.pdf?***" in parts["log.txt"]
    assert set(bundle.parts) | {"missing.json"} == set(parts)


def test_a_box_that_is_ill_gives_what_it_has(box: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from edge_agent.console.door import NoDoor

    def nobody(folder: Path, line: bytes) -> dict[str, Any]:
        raise NoDoor("refused", Word("os", "ECONNREFUSED"))

    monkeypatch.setattr(bundles, "hand_in", nobody)
    (box.parent / "data" / "journal.sqlite3").write_bytes(b"no database" * 999)
    bundle = Bundle(box, [], run=lambda command: "")
    bundle.write(box.parent / "out.tar.gz")
    assert {"agent.json", "events.jsonl", "log.txt"} <= set(bundle.missing)
    assert {"README.txt", "config.json", "doctor.json", "box.json"} <= set(bundle.parts)
    box.write_text("[branch\n")
    bundle = Bundle(box, [], run=lambda command: "")
    bundle.write(box.parent / "out.tar.gz")
    assert "config.json" in bundle.missing


def test_the_command(
    box: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def no_log(*_: Any, **__: Any) -> None:
        raise FileNotFoundError(2, "no journalctl here")

    speak(monkeypatch, "zh")
    monkeypatch.setattr("subprocess.run", no_log)
    assert cli.run(["bundle", "--config", str(box), "--out", str(tmp_path / "b.tar.gz"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert "doctor.json" in told["parts"]
    whole = "\n".join(parts_of(tmp_path / "b.tar.gz").values())
    assert [one for one in PLANTED if one in whole] == []
    assert cli.run(["bundle", "--config", str(box), "--out", "/nowhere/b.tar.gz"]) == 1


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("6222021234567890123", "***"),
        ("145c7216-eecd-4fc5-b340-123456789012", "145c7216-eecd-4fc5-b340-123456789012"),  # a journal's own name
        ("ipp://me:pw@10.0.0.1/x", "ipp://***@10.0.0.1/x"),
        ("at 1893456000.123456 s", "at 1893456000.123456 s"),
        ("note AB12345678.", "note ***."),
        ("O-20300131-0042", "O-20300131-0042"),
    ],
)
def test_what_is_masked_wherever_it_stands(text: str, left: str) -> None:
    assert Scrub().text(text) == left


def test_members_that_may_be_secrets_are_masked_and_paths_are_not() -> None:
    given = {"password": "a", "api_token": "b", "password_file": "/p", "nested": [{"secret": 1}], "name": "x"}
    masked = {"password": "***", "api_token": "***", "password_file": "/p", "nested": [{"secret": "***"}], "name": "x"}
    assert Scrub().config(given) == masked


def test_the_journal_that_was_planted_really_holds_it(box: Path) -> None:
    folder = parse(box.read_text("utf-8")).journal.folder
    with closing(sqlite3.connect(folder / "journal.sqlite3")) as db:
        (data,) = db.execute("SELECT data FROM outbox WHERE type LIKE '%order.changed%' LIMIT 1").fetchone()
    assert CUSTOMER in data
    assert NOTE in data

"""Commissioning from the command line's side: which device, what is agreed to, what is kept, and what `check` says."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from central_scheduler.console.problem import Exit, Problem
from central_scheduler.console.screen import Screen
from commands.commission import commission_device
from commands.kit import T
from device_drivers.cells.kind import KIND as CELLS
from device_drivers.commissioning import Commissioning, NotAsMeantError
from device_drivers.device import Json
from device_drivers.errors import DeviceUnavailable
from edge_agent.console import commission, commissioned
from edge_agent.console.check import check
from edge_agent.journal.opening import take_lock
from edge_agent.texts import Texts, load
from edge_agent.upkeep.doctor.devices import Past

BRANCH = """\
[branch]
id = "B1"
[journal]
folder = "{folder}"
[[device]]
id = "token-1"
role = "token-cells"
kind = "cells"
address = "tcp://127.0.0.1:4001"
[device.profile]
{profile}
[[device.profile.cell]]
id = "01"
lock = {{ board = 1, lock = 1 }}
item = {{ board = 2, lock = 1, inverted = {inverted} }}
"""
SEEN = {"locked_feedback": "11", "act_max_s": 2.5, "cell": [{"id": "01", "item": {"inverted": True}}]}


@pytest.fixture
def at_terminal(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A terminal whose person says yes to everything; the questions."""
    asked: list[str] = []

    def yes(question: str) -> bool:
        asked.append(question)
        return True

    monkeypatch.setattr("commands.commission.confirm", yes)
    monkeypatch.setattr(Screen, "is_terminal", True)
    return asked


def seen_so(monkeypatch: pytest.MonkeyPatch, result: Mapping[str, Json] | Exception) -> None:
    """The kind's procedure: asks once, then this."""

    async def procedure(it: Commissioning) -> Mapping[str, Json]:
        await it.guide.have_done("shut_doors", count=1)
        await it.guide.may_move("may_open", cell="01")
        it.guide.tell("door_opened", cell="01", seconds="0.4")
        if isinstance(result, Exception):
            raise result
        return result

    def kind_of(name: str) -> Any:
        from dataclasses import replace

        from device_drivers.catalog import kind_of as real

        return replace(CELLS, commission=procedure) if name == "cells" else real(name)

    monkeypatch.setattr(commission, "kind_of", kind_of)


def branch(folder: Path, profile: str = "", inverted: str = "false") -> Path:
    file = folder / "branch.toml"
    file.write_text(BRANCH.format(folder=folder, profile=profile, inverted=inverted), encoding="utf-8")
    return file


def commissioning(config: Path, device: str = "token-1", by: tuple[str, ...] = ("li",)) -> int:
    return commission_device(Screen(T), config, device, by)


def test_what_was_seen_is_kept_beside_the_file_and_what_was_agreed_to_before_it_moved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_terminal: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    config = branch(tmp_path)
    seen_so(monkeypatch, SEEN)
    assert commissioning(config) == Exit.OK
    record = (tmp_path / "commissioned.token-1.toml").read_text("utf-8")
    assert 'by = ["/people/li"]' in record
    assert record.endswith("""
[profile]
locked_feedback = "11"
act_max_s = 2.5

[[profile.cell]]
id = "01"
item = { inverted = true }
""")
    assert record.strip() in capsys.readouterr().out
    (row,) = (tmp_path / "commissioned.token-1.log").read_text("utf-8").splitlines()
    assert {**json.loads(row), "at": ""} == {"at": "", "by": ["/people/li"], "asked": at_terminal[1], "agreed": True}
    assert "01" in at_terminal[1]


@pytest.mark.parametrize(
    ("result", "code", "told"),
    [
        (NotAsMeantError("other_doors", cell="01", cells="02"), Exit.FAILED, "not_as_meant"),
        (DeviceUnavailable("line_unavailable", "held by another"), Exit.FAILED, "commission_machine"),
    ],
    ids=["wiring", "line"],
)
def test_what_goes_wrong_is_told_and_nothing_is_kept(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    at_terminal: list[str],
    result: Exception,
    code: Exit,
    told: str,
) -> None:
    config = branch(tmp_path)
    seen_so(monkeypatch, result)
    with pytest.raises(Problem) as problem:
        commissioning(config)
    assert (problem.value.exit_code, problem.value.name) == (code, told)
    assert problem.value.sentence(Texts("zh")) and problem.value.help(Texts("en"))  # noqa: PT018 - both are there
    assert not (tmp_path / "commissioned.token-1.toml").exists()


def test_who_when_and_which_must_be_known_before_anything_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_terminal: list[str]
) -> None:
    config = branch(tmp_path)
    for device, by, told in (("token-1", (), "commission_by"), ("card-1", ("li",), "not_to_commission")):
        with pytest.raises(Problem) as problem:
            commissioning(config, device, by)
        assert problem.value.name == told
    monkeypatch.setattr(Screen, "is_terminal", False)
    with pytest.raises(Problem) as problem:
        commissioning(config)
    assert problem.value.name == "commission_not_tty"
    assert at_terminal == []


@pytest.mark.rule("PHY-5")
@pytest.mark.parametrize("told", ["locked", "open_act"])
def test_nothing_is_asked_of_a_machine_that_an_agent_serves_or_where_an_act_is_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_terminal: list[str], told: str
) -> None:
    """On a TCP serial server no port is locked: two masters would speak on one line, one of them to open cells."""
    config = branch(tmp_path)
    seen_so(monkeypatch, SEEN)
    if told == "open_act":
        monkeypatch.setattr(commission, "past_of", lambda folder, devices: {"token-1": Past(open_act="o1/open/1")})
    held = take_lock(tmp_path) if told == "locked" else os.open(os.devnull, os.O_RDONLY)
    try:
        with pytest.raises(Problem) as problem:
            commissioning(config)
    finally:
        os.close(held)
    assert problem.value.name == told
    assert problem.value.sentence(Texts("zh")) and problem.value.help(Texts("en"))  # noqa: PT018 - both are there
    assert (at_terminal, list(tmp_path.glob("commissioned.*"))) == ([], [])


def test_check_warns_until_the_profile_says_what_was_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def told(config: Path) -> list[tuple[str, str]]:
        found = check(config, Texts("en")).findings
        return [(one.code, one.message) for one in found if one.code in {"not_commissioned", "commissioned_otherwise"}]

    config = branch(tmp_path, 'locked_feedback = "00"')
    assert [code for code, _ in told(config)] == ["not_commissioned"]
    device = commission.find(config, "token-1").device
    commissioned.keep(config, device, SEEN, ["li"])
    ((code, message),) = told(config)
    assert code == "commissioned_otherwise"
    assert "locked_feedback, act_max_s, cell 01: item.inverted" in message
    assert told(branch(tmp_path, 'locked_feedback = "11"\nact_max_s = 2.5', inverted="true")) == []
    (tmp_path / "commissioned.token-1.toml").write_text("no toml [", encoding="utf-8")
    assert [code for code, _ in told(config)] == ["not_commissioned"]


def test_every_sentence_of_commissioning_is_in_the_catalogue_and_used() -> None:
    sources = [*Path("device_drivers").glob("*/commission.py")]
    text = "".join(source.read_text("utf-8") for source in sources)
    assert len(sources) >= 2
    keys = {key.removeprefix("commission.") for key in load("en") if key.startswith("commission.")}
    assert sorted(key for key in keys if f'"{key}"' not in text) == []

"""The commands about people on the branch's own box: an agent, its door, both languages, exit codes."""

from __future__ import annotations

import asyncio
import io
import json
import stat
from pathlib import Path
from typing import Any

import pytest

import cli
from commands import hands_on
from edge_agent import door
from edge_agent.audit.proof import Wanted as Asked
from edge_agent.audit.proof import rows
from edge_agent.console import exercise
from edge_agent.console.at_device import Place
from edge_agent.console.exercise import Wanted
from edge_agent.orders.exercising import EXERCISES
from edge_agent.people import hashes
from edge_agent.settings import load
from edge_agent.texts import Texts
from tests.edge_agent.people.desk import GOOD, quick
from tests.edge_agent.test_app import config, started, told
from tests.ports import free_port
from tests.speech import speak

__all__ = ["told"]  # a fixture of these tests
OTHER = "another good one"


@pytest.fixture(autouse=True)
def _in_english(monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)
    speak(monkeypatch, "en")


@pytest.fixture
def box(tmp_path: Path) -> Path:
    path = tmp_path / "branch.toml"
    path.write_text(config(tmp_path, free_port()), "utf-8")
    return path


async def run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, words: str, *typed: str
) -> tuple[int, str]:
    """One command line; what is typed comes on its standard input."""
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in typed)))
    code = await asyncio.to_thread(cli.run, [*words.split(), *(["--password-stdin"] if typed else [])])
    said = capsys.readouterr()
    return code, said.out + said.err


async def test_people_from_the_first_run_on(
    box: Path, told: asyncio.Queue[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def say(words: str, *typed: str) -> tuple[int, str]:
        return await run(capsys, monkeypatch, f"{words} --config {box}", *typed)

    async with started(told, load(box)):
        code, said = await say("people set-up chief", GOOD)
        assert (code, "chief: done" in said) == (0, True)
        assert (await say("people add li --as chief --role teller", GOOD, "a fine password"))[0] == 0
        code, said = await say("people add li --as chief --role teller", GOOD, "a fine password")
        assert (code, "there is a li already" in said) == (1, True)
        assert (await say("people role nobody engineer --as chief", GOOD))[0] == 3
        assert (await say("people role li king --as chief", GOOD))[0] == 2
        assert (await say("people role li engineer --as chief", GOOD))[0] == 0
        assert (await say("people password li --as li", "a fine password", OTHER))[0] == 0
        assert (await say("people disable li --as chief", "wrong password"))[0] == 1
        for verb in ("disable", "enable", "unlock"):
            assert (await say(f"people {verb} li --as chief", GOOD))[0] == 0
        code, said = await say("application add till --as chief --trust orders --json", GOOD)
        token = json.loads(said)["token"]
        code, said = await say("people list --as chief --json", GOOD)
        listed = json.loads(said)
        assert [(one["name"], one["role"]) for one in listed["people"]] == [("chief", "supervisor"), ("li", "engineer")]
        assert (token in said, hashes.token_hash(token) in said) == (False, False)
        code, said = await say("people list --as chief", GOOD)
        assert (code, "engineer" in said, "till" in said) == (0, True, True)
        assert (await say("application remove till --as chief", GOOD))[0] == 0
        code, said = await say("application add hall --as li --trust display", OTHER)
        assert (code, "/wall#bg_" in said) == (0, True), said  # an engineer hangs up a screen, and gets no other token
        assert (await say("application add shop --as li --trust reader", OTHER))[0] == 1
        assert (await say("application remove hall --as li", OTHER))[0] == 0
        assert (await say("people code"))[0] == 0
        assert (await say("people list --as chief"))[0] == 2, "a password is no argument, and nobody types here"
        code, said = await say(
            "order resolve o1 --step draw --choice done --by chief --by li --attempt o1/draw/1",
            GOOD,
            OTHER,
        )
        assert (code, "no order 'o1'" in said) == (1, True)
        assert (await say("order resolve o1 --step draw --choice done --by chief", GOOD))[0] == 2
    code, said = await say("people list --as chief", GOOD)
    assert (code, "No agent answers" in said) == (5, True)


@pytest.mark.parametrize("lang", ["zh", "en"])
async def test_what_two_people_do_on_the_box_each_proves_to_be_theirs(
    box: Path,
    told: asyncio.Queue[str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    lang: str,
) -> None:
    speak(monkeypatch, lang)
    words = Texts(lang)

    async def say(line: str, *typed: str) -> tuple[int, str]:
        code, said = await run(capsys, monkeypatch, f"{line} --config {box}", *typed)
        return code, " ".join(said.split())

    def members(said: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(said[said.index("{") :])
        return found

    two = "--by chief --by li --yes"
    async with started(told, load(box)):
        code, said = await say(f"clock attest {two} --json")
        assert (code, members(said)["authenticated"]) == (0, False), "a branch without people takes names as declared"
        await say("people set-up chief", GOOD)
        await say("people add li --as chief --role engineer", GOOD, OTHER)
        await say("people add wu --as chief --role teller", GOOD, OTHER)
        code, said = await say(f"clock attest {two} --json", GOOD, OTHER)
        assert (code, members(said)["authenticated"]) == (0, True)
        assert members(said)["by"] == ["/people/chief", "/people/li"]
        code, said = await say(f"clock attest {two}", GOOD, OTHER)
        assert (code, words("console.said_proven", people="chief, li") in said.replace("、", ", ")) == (0, True)
        for line, typed, why, remedy in (
            (f"clock attest {two}", (GOOD, "wrong one"), "wrong_credentials", "wrong_credentials"),
            ("clock attest --by li --by wu --yes", (OTHER, OTHER), "none_may", "none_may"),
            (f"stock load token-1 01= {two}", (GOOD, "wrong one"), "wrong_credentials", "wrong_credentials"),
            (f"journal adopt {two} --counted card-1=98", (GOOD, "wrong one"), "wrong_credentials", "wrong_credentials"),
            ("people role nobody teller --as chief", (GOOD,), "", "unknown_person"),
            ("people add li --as chief --role teller", (GOOD, OTHER), "", "name_taken"),
            ("people disable chief --as chief", (GOOD,), "last_supervisor", "last_supervisor"),
        ):
            code, said = await say(line, *typed)
            assert code in (1, 3), said
            assert words(f"remedy.people_{remedy}") in said, said
            right = {"right": words.word("right", "vouch")} if why == "none_may" else {}
            assert not why or words(f"people.{why}", **right) in said, said
        code, said = await say(f"stock load token-1 01=u_shield:US-1 {two}", GOOD, OTHER)
        assert (code, words("rejection.no_cabinet", device="token-1", known=words("console.none")) in said) == (1, True)
        code, said = await say(f"journal adopt {two} --counted card-1=98", GOOD, OTHER)
        assert (code, words("rejection.adopted_already") in said) == (1, True), said
        assert (await say(f"clock attest {two}"))[0] == 2, "nobody types here, and no password is an argument"
        assert (await say("clock attest --by chief --yes", GOOD))[0] == 2
        assert (await say("clock attest --by chief --by li", GOOD, OTHER))[0] == 2, "nobody to ask back"
    assert (await say(f"clock attest {two}", GOOD, OTHER))[0] == 5


async def test_whoever_exercises_a_machine_shows_their_password(
    box: Path, told: asyncio.Queue[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def say(line: str, *typed: str) -> tuple[int, str]:
        return await run(capsys, monkeypatch, f"{line} --config {box}", *typed)

    def free(place: Place, act: str) -> Wanted:
        return Wanted(place, act, EXERCISES[place.device.role, act])

    monkeypatch.setattr(exercise, "wanted", free)  # whether the machine is free is asked in test_hands_on
    monkeypatch.setattr(hands_on, "POLL_S", 0.01)
    async with started(told, load(box)):
        await say("people set-up chief", GOOD)
        for name, role in (("li", "engineer"), ("wu", "teller")):
            await say(f"people add {name} --as chief --role {role}", GOOD, OTHER)
        line = "device exercise card-1 draw_card --yes --by"
        assert (await say(f"{line} li", "wrong one"))[0] == 1
        code, said = await say(f"{line} wu", OTHER)
        assert (code, "may have that done" in said) == (1, True)
        code, said = await say(f"{line} li", OTHER)
        assert (code, "--config branch.toml --step draw --choice release" in " ".join(said.split())) == (0, True), said
        row = rows(load(box).journal.folder, Asked(act="order.submit"))[-1]
        assert (row["who"], row["proven"], row["door"]) == (["/people/li"], True, "local")
        assert len(rows(load(box).journal.folder, Asked(act="order.submit"))) == 1


def test_passwords_are_shown_to_no_broker(capsys: pytest.CaptureFixture[str]) -> None:
    for line in ("clock attest", "stock load token-1 01=", "journal adopt"):
        people = [] if line.startswith("journal") else ["--by", "a", "--by", "b"]
        assert cli.run([*line.split(), *people, "--password-stdin"]) == 2
        assert "works on the branch's own box only" in " ".join(capsys.readouterr().err.split())


async def test_the_door_of_a_group_stands_where_it_is_told(tmp_path: Path, told: asyncio.Queue[str]) -> None:
    (tmp_path / "run").mkdir()
    path = tmp_path / "branch.toml"
    more = f'[door]\nfolder = "{tmp_path / "run"}"\ngroup = "root"\n'
    path.write_text(config(tmp_path, free_port(), more=more), "utf-8")
    async with started(told, load(path)):
        place = tmp_path / "run" / door.NAME
        for _ in range(100_000):
            if place.exists():
                break
            await asyncio.sleep(0)
        assert stat.S_IMODE((await asyncio.to_thread(place.stat)).st_mode) == door.MODE_OF_GROUP

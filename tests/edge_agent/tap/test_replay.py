"""A machine is recorded, and its recording answers a driver as the machine did; what differs is told."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from device_drivers.links.memory import joined_ends
from device_drivers.links.tap import Passing, about_recording, read_recording
from edge_agent.console import tap
from edge_agent.console.at_device import OpenAct, Place, ask
from edge_agent.settings import parse
from edge_agent.texts import Texts
from edge_agent.upkeep.recording import about
from simulators.crt591.line import Crt591Line
from simulators.crt591.options import Options
from simulators.machine import ControlError, Effect, Send
from simulators.replay.kind import build
from simulators.replay.player import Player
from simulators.replay.tape import Piece, Turn, read_tape
from tests.device_drivers.far_side import at_far_end
from tests.virtual_time import virtual_time

BRANCH = """[branch]
id = "B1"
[journal]
folder = "{folder}/data"
[[device]]
id = "card-1"
role = "card-dispenser"
kind = "crt591"
address = "memory://card"
profile = {{ act_max_s = 2.0 }}
"""


def place(folder: Path) -> Place:
    settings = parse(BRANCH.format(folder=folder))
    return Place(settings, settings.device[0])


@asynccontextmanager
async def recorded(folder: Path) -> AsyncIterator[Path]:
    from device_drivers.links.tap import Recorder

    near, far = joined_ends()
    it, file = place(folder), folder / "card-1.tap"
    recorder = Recorder(file, about=about(it.device))
    async with at_far_end(Crt591Line({0: ("card-1", Options())}), far) as effects:
        asked = await ask(it, show=recorder, open_link=lambda _: near)
        assert [one for one in effects if one.kind == "act"] == []
    recorder.close()
    assert asked.twin.device == "online"
    yield file


@virtual_time
async def test_a_recording_answers_the_driver_as_the_machine_did(tmp_path: Path) -> None:
    async with recorded(tmp_path) as file:
        near, far = joined_ends()
        player = build({"card-1": 0}, {"recording": str(file), "tell": False}, None).machine
        assert isinstance(player, Player)
        async with at_far_end(player, far) as effects:
            again = await ask(place(tmp_path), open_link=lambda _: near)
        assert (again.twin.device, again.twin.identity["model"][:7]) == ("online", "CRT-591")
        assert effects == [], "the same driver asks the same"
        assert player.same >= 6
        assert (player.elsewhere, player.unknown) == (0, 0)


@virtual_time
async def test_what_is_recorded_is_told_in_words(tmp_path: Path) -> None:
    async with recorded(tmp_path) as file:
        assert about_recording(file) == {"device": "card-1", "kind": "crt591", "address": "memory://card"}
        lines = list(tap.lines(file, "crt591"))
        words = [words for line in lines for words in line.words(Texts("en"))]
        assert "unit 0: initialise, leave card, bin counted" in words
        assert lines[0].direction == "open"
        assert all(a.t_s <= b.t_s for a, b in itertools.pairwise(lines))
        assert [words for line in lines for words in line.words(Texts("zh")) if "初始化" in words]
        assert (file.stat().st_mode & 0o777) == 0o600


def test_another_question_is_told_and_the_tape_is_found_again() -> None:
    turns = [Turn(b"", (Piece(0.0, b"hi"),)), Turn(b"AB", (Piece(0.1, b"1"),)), Turn(b"CD", (Piece(0.1, b"2"),))]
    heard: list[str] = []
    player = Player("d", turns, heard.append)
    assert player.advance(0.0) == [Send(b"hi")]
    player.receive(b"C", 1.0)
    player.receive(b"D", 1.1)  # out of turn, in two pieces
    assert [one for one in player.advance(2.0) if isinstance(one, Send)] == [Send(b"2")]
    player.receive(b"AB", 3.0)  # back again
    assert [one for one in player.advance(4.0) if isinstance(one, Send)] == [Send(b"1")]
    player.receive(b"XX", 5.0)
    (told,) = [one for one in player.advance(6.0) if isinstance(one, Effect)]
    assert told.act == "replay_unknown"
    assert "58 58" in told.detail["what"]
    assert "43 44" in told.detail["what"], "what the recording has next"
    assert (player.same, player.elsewhere, player.unknown) == (0, 2, 1)
    assert len(heard) == 3


def test_the_same_question_is_answered_each_time_as_it_was_then() -> None:
    turns = [Turn(b"Q", (Piece(0.0, b"%d" % n),)) for n in range(3)]
    player = Player("d", turns, lambda _: None)
    said = b""
    for n in range(3):
        player.receive(b"Q", float(n))
        said += b"".join(one.data for one in player.advance(float(n)) if isinstance(one, Send))
    assert said == b"012"


def test_a_file_that_is_none(tmp_path: Path) -> None:
    file = tmp_path / "x.tap"
    with pytest.raises(ControlError, match="cannot be read"):
        read_tape(file)
    file.write_text('{"t": 1}\nnot json}\n', encoding="utf-8")
    with pytest.raises(ControlError, match="cannot be read"):
        read_tape(file)
    file.write_text(Passing(1.0, "write", b"A").to_json() + "\n", encoding="utf-8")
    assert read_tape(file) == [Turn(b"A", ())]
    assert [one.data for one in read_recording(file)] == [b"A"]
    with pytest.raises(ControlError, match="recording"):
        build({"d": 0}, {}, None)


@pytest.mark.rule("PHY-5")
@virtual_time
async def test_a_device_with_an_open_act_is_not_recorded_by_asking_it(tmp_path: Path) -> None:
    near, far = joined_ends()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "journal.sqlite3").write_bytes(b"no database" * 99)  # what it holds cannot be known
    with pytest.raises(OpenAct):
        await ask(place(tmp_path), open_link=lambda _: near)
    assert await far.read(1, 1.0) == b""

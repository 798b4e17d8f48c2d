"""The ledger and the state file: gap-free through any end of the process, and on disk before any confirming byte."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest

from simulators.crt591 import Crt591Line, parse_options
from simulators.ledger import Ledger, LedgerError, read_ledger
from simulators.machine import Effect
from simulators.runtime import Runtime
from simulators.state import StateError, StateFile
from tests.simulators.bench import CAPTURE, COUNTER, DRAW, PRESENT, RESET_KEEP, STATUS, frame, reply
from tests.simulators.virtual_time import run_in_virtual_time


class Wire:
    """A port in memory that keeps what was sent and tells a diary when."""

    address = "memory://test"

    def __init__(self, diary: list[str]) -> None:
        self.diary, self.sent, self.plugs = diary, b"", list[str]()

    def send(self, data: bytes) -> None:
        self.diary.append("send " + data.hex())
        self.sent += data

    def unplug(self) -> None:
        self.plugs.append("out")

    def plug(self) -> None:
        self.plugs.append("in")

    def ready(self, *, on: bool) -> None:
        self.plugs.append("ready" if on else "not ready")

    def close(self) -> None:
        self.plugs.append("closed")


class Simulator:
    """One life of a simulator over the files of `folder`; a second one is its restart."""

    def __init__(self, folder: Path, diary: list[str] | None = None, **options: Any) -> None:
        self.ledger = Ledger(folder / "ledger.jsonl")
        parsed = parse_options({"customer": {"policy": "leave"}, **options})
        self.runtime = Runtime(Crt591Line({0: ("card-1", parsed)}), self.ledger, StateFile(folder / "state.json"))
        self.wire = Wire([] if diary is None else diary)
        self.runtime.attach(self.wire)

    async def ask(self, text: str, for_s: float = 2.0) -> str:
        before = len(self.wire.sent)
        self.runtime.feed(bytes.fromhex(text))
        await asyncio.sleep(for_s)
        return self.wire.sent[before:].hex(" ").upper()

    def end(self) -> None:
        self.runtime.close()
        self.ledger.close()

    def kill(self) -> None:
        """The process ends without a word; the kernel closes its files and frees its lock."""
        self.runtime.failed.cancel()
        self.ledger.close()


@pytest.mark.rule("SIM-1")
@pytest.mark.parametrize("effect_at", [0.9, 1.0])  # 1.0: effect and answer fall due in one moment
def test_state_and_ledger_are_on_disk_before_the_confirming_bytes_leave(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, effect_at: float
) -> None:
    diary: list[str] = []
    fsync = os.fsync

    def noted_fsync(fd: int) -> None:
        fsync(fd)
        diary.append("synced " + Path(f"/proc/self/fd/{fd}").readlink().name)

    async def draw() -> None:
        simulator = Simulator(tmp_path, diary, effect_at=effect_at)
        await simulator.ask(RESET_KEEP)
        diary.clear()
        await simulator.ask(DRAW)
        simulator.end()

    monkeypatch.setattr(os, "fsync", noted_fsync)
    run_in_virtual_time(draw())
    answer = bytes.fromhex(reply("50 32 31 32 32 30")).hex()
    assert diary == [
        "send 06",
        "synced state.json.new",
        f"synced {tmp_path.name}",
        "synced ledger.jsonl",
        f"send {answer}",
    ]


@pytest.mark.rule("SIM-1")
def test_an_effect_that_cannot_be_written_is_never_confirmed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(fd: int) -> None:
        raise OSError(28, "No space left on device")

    async def draw() -> None:
        simulator = Simulator(tmp_path)
        await simulator.ask(RESET_KEEP)
        monkeypatch.setattr(os, "fsync", full)
        assert await simulator.ask(DRAW) == "06"
        with pytest.raises(OSError, match="No space"):
            simulator.runtime.failed.result()
        assert await simulator.ask(STATUS) == ""
        simulator.end()

    run_in_virtual_time(draw())


@pytest.mark.rule("SIM-1")
def test_each_line_has_the_words_of_the_contract(tmp_path: Path) -> None:
    async def one_card() -> None:
        simulator = Simulator(tmp_path, customer={"policy": "take", "after_s": 1})
        for command in (RESET_KEEP, DRAW, PRESENT):
            await simulator.ask(command)
        simulator.end()

    run_in_virtual_time(one_card())
    lines = read_ledger(tmp_path / "ledger.jsonl")
    assert [set(line) for line in lines] == [{"n", "t", "device", "kind", "act", "detail"}] * 4
    assert [line["n"] for line in lines] == [1, 2, 3, 4]
    assert [(line["kind"], line["act"]) for line in lines] == [
        ("show", "reset"),
        ("act", "card_drawn"),
        ("act", "card_presented"),
        ("show", "card_taken"),
    ]
    assert all(line["detail"]["serial"] == "card-1-0001" for line in lines[1:])
    assert [line["t"] for line in lines] == sorted(line["t"] for line in lines)


@pytest.mark.rule("SIM-2")
def test_cards_counter_and_numbers_survive_the_simulators_restart(tmp_path: Path) -> None:
    async def two_lives() -> None:
        first = Simulator(tmp_path)
        for command in (RESET_KEEP, DRAW, CAPTURE, DRAW):
            await first.ask(command)
        first.kill()
        second = Simulator(tmp_path)
        assert await second.ask(STATUS) == f"06 {reply('50 31 30 32 32 30')}", (
            "no reset needed: its power was never gone"
        )
        assert await second.ask(COUNTER) == f"06 {reply('50 A5 30 32 32 30 30 30 31')}"
        await second.ask(PRESENT)
        second.end()

    run_in_virtual_time(two_lives())
    lines = read_ledger(tmp_path / "ledger.jsonl")
    assert [line["n"] for line in lines] == list(range(1, 6))
    assert lines[-1]["detail"]["serial"] == lines[-2]["detail"]["serial"] == "card-1-0002"


def test_a_motion_under_way_when_the_simulator_ends_has_not_happened(tmp_path: Path) -> None:
    async def two_lives() -> None:
        first = Simulator(tmp_path)
        await first.ask(RESET_KEEP)
        await first.ask(DRAW, 0.3)
        first.kill()
        await asyncio.sleep(5)
        second = Simulator(tmp_path)
        assert await second.ask(STATUS) == f"06 {reply('50 31 30 30 32 30')}"
        second.end()

    run_in_virtual_time(two_lives())


def test_a_unit_without_power_comes_back_by_itself_only_if_it_would_have(tmp_path: Path) -> None:
    async def lives() -> None:
        first = Simulator(tmp_path)
        first.runtime.control({"do": "fault", "name": "power_loss", "args": {"off_s": 5}})
        first.kill()
        second = Simulator(tmp_path)
        assert await second.ask(STATUS) == f"06 {reply('4E 31 30 42 30')}"
        second.runtime.control({"do": "power", "on": False})
        second.kill()
        third = Simulator(tmp_path)
        assert await third.ask(STATUS) == ""
        third.end()

    run_in_virtual_time(lives())
    acts = [line["act"] for line in read_ledger(tmp_path / "ledger.jsonl")]
    assert acts == ["power_lost", "power_restored", "power_lost"]


def test_a_card_left_in_the_gate_meets_its_customer_again_after_a_restart(tmp_path: Path) -> None:
    async def two_lives() -> None:
        first = Simulator(tmp_path)
        await first.ask(RESET_KEEP)
        await first.ask(PRESENT)
        first.kill()
        second = Simulator(tmp_path, customer={"policy": "take", "after_s": 3})
        await asyncio.sleep(4)
        assert await second.ask(STATUS) == f"06 {reply('50 31 30 30 32 30')}"
        second.end()

    run_in_virtual_time(two_lives())


@pytest.mark.rule("SIM-1")
def test_a_cut_between_state_and_ledger_is_mended_at_the_next_start(tmp_path: Path) -> None:
    async def two_lives() -> None:
        first = Simulator(tmp_path)
        for command in (RESET_KEEP, DRAW):
            await first.ask(command)
        first.kill()
        path = tmp_path / "ledger.jsonl"
        whole = path.read_bytes()
        path.write_bytes(whole[:-9])
        second = Simulator(tmp_path)
        assert path.read_bytes() == whole
        await second.ask(PRESENT)
        second.end()

    run_in_virtual_time(two_lives())
    assert [line["n"] for line in read_ledger(tmp_path / "ledger.jsonl")] == [1, 2, 3]


def test_numbers_go_on_even_when_the_ledger_was_moved_away(tmp_path: Path) -> None:
    async def two_lives() -> None:
        first = Simulator(tmp_path)
        await first.ask(RESET_KEEP)
        await first.ask(DRAW)
        await first.ask(frame("A5 31 30 30 37"))
        first.end()
        (tmp_path / "ledger.jsonl").rename(tmp_path / "old.jsonl")
        second = Simulator(tmp_path)
        await second.ask(PRESENT)
        second.end()

    run_in_virtual_time(two_lives())
    assert [line["n"] for line in read_ledger(tmp_path / "ledger.jsonl")] == [3]


def test_unplug_by_fault_is_ended_by_its_timer(tmp_path: Path) -> None:
    async def life() -> list[str]:
        simulator = Simulator(tmp_path)
        simulator.runtime.control({"do": "fault", "name": "unplug", "args": {"for_s": 2}})
        await asyncio.sleep(1)
        assert simulator.wire.plugs == ["out"]
        await asyncio.sleep(2)
        simulator.runtime.control({"do": "fault", "name": "unplug", "args": {"for_s": 5}})
        simulator.runtime.control({"do": "fault", "name": "unplug", "args": {"for_s": None}})
        await asyncio.sleep(1000)
        simulator.runtime.control({"do": "fault", "name": "unplug", "args": {"for_s": 5}})
        simulator.end()
        await asyncio.sleep(1000)
        return simulator.wire.plugs

    assert run_in_virtual_time(life()) == ["out", "in", "out", "out", "out", "closed"]


def test_a_second_simulator_on_the_same_ledger_is_refused(tmp_path: Path) -> None:
    first = Ledger(tmp_path / "ledger.jsonl")
    with pytest.raises(LedgerError, match="in use"):
        Ledger(tmp_path / "ledger.jsonl")
    first.close()
    Ledger(tmp_path / "ledger.jsonl").close()


def test_a_ledger_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ledger.jsonl").write_text("shopping list\n")
    with pytest.raises(LedgerError, match="move it away"):
        Ledger(tmp_path / "ledger.jsonl")


def test_lines_already_there_are_not_written_twice(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl")
    lines = ledger.number([Effect(1.0, "card-1", "act", "card_drawn", {"serial": "一"})])
    ledger.append(lines)
    ledger.append(lines)
    ledger.close()
    assert read_ledger(ledger.path) == lines
    assert read_ledger(tmp_path / "none.jsonl") == []


@pytest.mark.parametrize("content", ["{}", '{"n": 1, "unwritten": [], "machine": {"card-1": {}}}', '{"unwritten": 3}'])
def test_a_state_of_something_else_is_refused(tmp_path: Path, content: str) -> None:
    async def begin() -> None:
        with pytest.raises(StateError, match="delete it"):
            Simulator(tmp_path)

    (tmp_path / "state.json").write_text(content)
    run_in_virtual_time(begin())


@pytest.mark.parametrize("content", ["{", "[]", "\x00\x00"])
def test_a_state_file_that_is_none_says_what_to_do(tmp_path: Path, content: str) -> None:
    (tmp_path / "state.json").write_text(content)
    with pytest.raises(StateError, match="delete it"):
        StateFile(tmp_path / "state.json").load()


def test_a_state_is_replaced_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = StateFile(tmp_path / "state.json")
    state.save({"n": 1})

    def torn(fd: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", torn)
    with pytest.raises(OSError, match="Input"):
        state.save({"n": 2})
    assert state.load() == {"n": 1}
    assert json.loads((tmp_path / "state.json").read_text()) == {"n": 1}

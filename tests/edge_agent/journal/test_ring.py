"""The second memory of what is armed: whatever happens to its bytes, it never breaks and never invents (ORD-12)."""

from __future__ import annotations

import os
import random
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from edge_agent.journal.ring import SLOT_BYTES, SLOTS, Ring, RingFull
from edge_agent.settings import Settings
from tests.edge_agent.journal.gate import arming, opened

ANY_JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(), st.lists)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "armed.ring"


def kept(path: Path) -> dict[str, dict[str, Any]]:
    """What a new start would find."""
    with closing(Ring(path)) as ring:
        return dict(ring.entries)


def test_what_was_put_is_there_after_reopening_and_what_was_cleared_is_not(path: Path) -> None:
    first, second = arming("o-1/draw/1", readings={"bin": 3, "st0": "取卡"}), arming("o-2/draw/1")
    with closing(Ring(path)) as ring:
        ring.put(first)
        ring.put(second)
        ring.sync()
        ring.clear("o-2/draw/1")
        ring.clear("never there")
        assert ring.entries == {"o-1/draw/1": first}
    assert kept(path) == {"o-1/draw/1": first}


def test_one_sync_serves_all_that_was_put_and_none_is_made_for_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    with closing(Ring(path)) as ring:
        monkeypatch.setattr(os, "fdatasync", synced.append)
        ring.sync()
        assert synced == []
        ring.put(arming("a"))
        ring.put(arming("b"))
        ring.sync()
        assert len(synced) == 1
        ring.clear("a")
        ring.sync()
        assert len(synced) == 1, "a stale slot only adds doubt, so clearing costs no fsync"


def test_every_device_of_a_branch_may_be_armed_at_once(path: Path) -> None:
    devices = Settings.model_fields["device"].metadata
    most = next(limit.max_length for limit in devices if hasattr(limit, "max_length"))
    assert most <= SLOTS
    with closing(Ring(path)) as ring:
        for n in range(SLOTS):
            ring.put(arming(f"o/{n}/1"))
        with pytest.raises(RingFull, match=str(SLOTS)):
            ring.put(arming("one too many"))
        ring.put(arming("o/7/1", readings={"again": 1}))  # the same attempt needs no other slot
        ring.clear("o/9/1")
        ring.put(arming("one more"))
        there = dict(ring.entries)
    assert kept(path) == there
    assert len(there) == SLOTS


async def test_a_full_ring_fails_only_who_finds_no_room(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal:

        def fill(tx: Any) -> None:
            tx.armed += [arming(f"o/{n}/1") for n in range(SLOTS - 1)]

        def two(tx: Any) -> None:
            tx.armed += [arming("x/1"), arming("x/2")]

        await journal.write(fill)
        bad, good = journal.post(two), journal.post(lambda tx: tx.emit("good", None, {}))
        with pytest.raises(Exception, match="slots"):
            await bad
        assert await good == 1
        assert "x/1" not in journal.ring.entries, "half of what a job armed is nothing that it armed"
        await journal.write(lambda tx: tx.armed.append(arming("last")))


def test_what_does_not_fit_keeps_its_names_without_its_readings(path: Path) -> None:
    big = arming("o/draw/1", readings={"text": "x" * SLOT_BYTES})
    with closing(Ring(path)) as ring:
        ring.put(big)
    assert kept(path) == {"o/draw/1": arming("o/draw/1")}


def test_what_may_lie_in_the_machine_is_kept_before_the_readings(path: Path) -> None:
    memory = {"next_id": 8, "open_jobs": [["o/print/1", "0007"]]}
    what: dict[str, Any] = {"memory": memory, "time": "2026-01-01T00:00:00Z"}
    with closing(Ring(path)) as ring:
        ring.put(arming("o/print/1", readings={"text": "x" * SLOT_BYTES}, **what))
    assert kept(path) == {"o/print/1": arming("o/print/1", **what)}


def test_names_that_fill_more_than_a_slot_are_refused_and_never_cut(path: Path) -> None:
    with closing(Ring(path)) as ring:
        with pytest.raises(ValueError, match="shorter ids"):
            ring.put(arming("o" * SLOT_BYTES))
        assert ring.entries == {}
        ring.put(arming(f"{'o' * 100}/{'s' * 46}/2", "d" * 64))  # the longest that settings and orders allow
    assert len(kept(path)) == 1


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32), flips=st.integers(1, 40))
def test_torn_slots_are_no_entries_and_break_nothing(path: Path, seed: int, flips: int) -> None:
    dice = random.Random(seed)
    path.unlink(missing_ok=True)
    entries = {f"o-{n}/draw/1": arming(f"o-{n}/draw/1", readings={"n": n}) for n in range(6)}
    with closing(Ring(path)) as ring:
        for entry in entries.values():
            ring.put(entry)
    raw = bytearray(path.read_bytes())
    hurt = set()
    for _ in range(flips):
        at = dice.randrange(len(entries) * SLOT_BYTES)
        hurt.add(at // SLOT_BYTES)
        raw[at] = dice.randrange(256)
    path.write_bytes(raw)
    found = kept(path)
    assert found.items() <= entries.items(), "a damaged slot became another entry"
    assert {f"o-{n}/draw/1" for n in range(6) if n not in hurt} <= set(found), "a whole slot was lost"
    with closing(Ring(path)) as ring:
        ring.put(arming("new"))
        assert "new" in ring.entries


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(raw=st.binary(max_size=5000), cut=st.integers(0, SLOTS * SLOT_BYTES))
def test_any_file_is_read_without_a_crash(path: Path, raw: bytes, cut: int) -> None:
    path.write_bytes((raw * (1 + cut // max(1, len(raw))))[:cut])
    assert kept(path) == {}


def _slot(body: bytes) -> bytes:
    crc = zlib.crc32(body)
    return (b"BGR1" + len(body).to_bytes(4, "big") + crc.to_bytes(4, "big") + body).ljust(SLOT_BYTES, b"\0")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b'"text"',
        b"{}",
        b'{"attempt":1,"device":"d"}',
        b'{"attempt":"a"}',
        b'{"attempt":"a","device":null}',
        b"\xff\xfe",
        b"[" * 1012,
        b"1" * 1012,
        b'{"attempt":',
    ],
)
def test_a_sound_checksum_over_nonsense_is_no_entry(path: Path, body: bytes) -> None:
    path.write_bytes(_slot(body) + _slot(b'{"attempt":"z","device":"d"}'))
    assert kept(path) == {"z": {"attempt": "z", "device": "d"}}


class AgainstDict(RuleBasedStateMachine):
    """Any order of put, sync, clear and reopen, against a plain dict."""

    folder: Path

    def __init__(self) -> None:
        super().__init__()
        self.path = self.folder / "model.ring"
        self.path.unlink(missing_ok=True)
        self.ring = Ring(self.path)
        self.model: dict[str, dict[str, Any]] = {}

    @rule(n=st.integers(0, 300), readings=st.dictionaries(st.text(max_size=5), ANY_JSON, max_size=3))
    def put(self, n: int, readings: dict[str, Any]) -> None:
        entry = arming(f"o/{n}", readings=readings)
        try:
            self.ring.put(entry)
        except RingFull:
            assert len(self.model) == SLOTS
            assert f"o/{n}" not in self.model
        else:
            self.model[f"o/{n}"] = entry

    @rule(many=st.integers(1, 100), of=st.integers(0, 300))
    def put_many(self, many: int, of: int) -> None:
        for n in range(of, of + many):
            self.put(n, {})

    @rule(n=st.integers(0, 300))
    def clear(self, n: int) -> None:
        self.ring.clear(f"o/{n}")
        self.model.pop(f"o/{n}", None)

    @rule()
    def sync(self) -> None:
        self.ring.sync()

    @rule()
    def reopen(self) -> None:
        self.ring.close()
        self.ring = Ring(self.path)
        assert set(self.ring.entries) == set(self.model)

    @invariant()
    def same(self) -> None:
        assert self.ring.entries.keys() == self.model.keys()

    def teardown(self) -> None:
        self.ring.close()


@pytest.fixture
def model_folder(tmp_path: Path) -> Iterator[None]:
    AgainstDict.folder = tmp_path
    yield
    del AgainstDict.folder


def test_it_is_a_dict_that_survives(model_folder: None) -> None:
    run_state_machine_as_test(AgainstDict, settings=settings(max_examples=15, stateful_step_count=20, deadline=None))


def test_what_the_disk_refuses_is_raised(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(Ring(path)) as ring:

        def dead(*_: object) -> int:
            raise OSError(5, "dead")

        monkeypatch.setattr(os, "pwrite", dead)
        with pytest.raises(OSError, match="dead"):
            ring.put(arming("a"))
        monkeypatch.undo()
        ring.put(arming("a"))
        monkeypatch.setattr(os, "fdatasync", dead)
        with pytest.raises(OSError, match="dead"):
            ring.sync()
        monkeypatch.undo()
        ring.sync()


def test_the_file_has_its_room_before_it_is_needed(path: Path) -> None:
    """On a full disk an armed attempt still gets its slot: the blocks are there from the beginning."""
    Ring(path).close()
    assert path.stat().st_blocks * 512 >= SLOTS * SLOT_BYTES

"""The banknote counter as a machine: what it sends for each note, what it writes of a batch, and how it goes wrong."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.banknotes.fsn import read_fsn
from device_drivers.banknotes.note import Note
from device_drivers.banknotes.protocol import Bad, NoteReader
from simulators.banknotes.counter import BanknoteCounter
from simulators.banknotes.kind import KIND, build
from simulators.banknotes.options import NOTES_MAX, parse_options
from simulators.faults import parse_fault
from simulators.machine import ControlError, Effect, Kept, Plug, Send, Unplug
from simulators.plan import parse_plan
from tests.device_drivers.banknotes.bytes_of import live_frame


class Bench:
    """A counter, its clock, and what left it."""

    def __init__(self, plan: Any = None, **options: Any) -> None:
        self.machine = BanknoteCounter("note-1", parse_options(options), plan)
        self.now = 100.0
        self.sent = b""
        self.effects: list[Effect] = []
        self.files: dict[str, bytes] = {}
        self.others: list[Any] = []

    def do(self, verb: str, for_s: float = 0.0, **keys: Any) -> dict[str, Any]:
        self.machine.control({"do": verb, **keys}, self.now)
        self.run(for_s)
        return self.machine.control({"do": "state"}, self.now)

    def fault(self, name: str, **args: Any) -> None:
        self.do("fault", name=name, args=args)

    def run(self, for_s: float) -> None:
        end_s = self.now + for_s
        self._take()
        while (due_s := self.machine.next_time()) is not None and due_s <= end_s:
            self.now = max(self.now, due_s)
            self._take()
        self.now = end_s

    def _take(self) -> None:
        for action in self.machine.advance(self.now):
            if isinstance(action, Send):
                self.sent += action.data
            elif isinstance(action, Effect):
                self.effects.append(action)
            elif isinstance(action, Kept):
                assert action.folder == "fsn"
                self.files[action.name] = action.data
            else:
                self.others.append(action)

    def heard(self) -> list[Note | Bad]:
        """What a reader made of all that left, and forgotten."""
        data, self.sent = self.sent, b""
        reader = NoteReader()
        return reader.feed(data) + reader.quiet()

    def shows(self, act: str) -> list[dict[str, Any]]:
        return [effect.detail for effect in self.effects if effect.act == act]


def test_the_frame_is_the_one_written_out() -> None:
    b = Bench(machine="JX1")
    b.do("put", 1, notes=[{"value": 100, "serial": "AB12345678"}])
    ours, theirs = bytearray(b.sent), bytearray(live_frame(1))
    ours[108:1652] = theirs[108:1652] = bytes(1544)  # the picture
    assert ours == theirs
    big = Bench(machine="JX1", byte_order="big")
    big.do("put", 1, notes=[100])
    assert big.sent[:8].hex(" ").upper() == "AE AE AE AE 06 72 01 00"


def test_a_bundle_passes_note_by_note_and_a_file_is_written() -> None:
    b = Bench(note_s=0.5)
    b.do("put", notes=[{"value": 100, "count": 2}, {"value": 50, "cash": "unfit"}, {"value": 20, "cash": "suspect"}])
    b.run(0.6)
    assert len(b.heard()) == 1
    state = b.do("state", 3)
    told = b.heard()
    assert [(n.number, n.value, n.fitness) for n in told if isinstance(n, Note)] == [
        (2, 100, "fit"),
        (3, 50, "unfit"),
        (4, 20, "suspect"),
    ]
    assert (state["hopper"], state["stacker"], state["batches"]) == (0, 4, 1)
    assert b.shows("batch_counted") == [{"batch": 1, "count": 4, "sum": 250, "notes": 4, "file": "note-1-1.fsn"}]
    file = read_fsn(b.files["note-1-1.fsn"])
    assert [note.serial for note in file.notes] == ["SM00000000", "SM00000001", "SM00000002", "SM00000003"]
    assert file.bad == ()


def test_a_batch_of_so_many_waits_for_hands() -> None:
    b = Bench(stops_at=2)
    assert b.do("put", 5, notes=[100] * 5)["stopped"] == "full"
    assert b.do("take", 5)["hopper"] == 1
    b.do("take", 5)
    assert [show["count"] for show in b.shows("batch_counted")] == [2, 2, 1]
    assert [n.number for n in b.heard() if isinstance(n, Note)] == [1, 2, 1, 2, 1]


def test_hands_take_everything_out() -> None:
    b = Bench()
    b.do("put", 0.13, notes=[100] * 10)
    assert b.do("free", 5) | {"armed": []} == {
        "hopper": 0,
        "stacker": 0,
        "stopped": "",
        "running": False,
        "powered": True,
        "batches": 0,
        "armed": [],
    }
    b.do("put", 5, notes=[50])
    assert [n.number for n in b.heard() if isinstance(n, Note)] == [1, 2, 1]


@pytest.mark.parametrize(
    ("name", "args", "numbers", "bad"),
    [
        ("frame_cut", {"after": 700}, [1, 3], 1),
        ("wrong_check", {}, [1, 3], 1),
        ("noise", {}, [1, 2, 3], 0),
        ("note_missed", {}, [1, 3], 0),
    ],
)
def test_what_the_wire_does(name: str, args: dict[str, Any], numbers: list[int], bad: int) -> None:
    b = Bench(plan=parse_plan([{"at": "2nd note", "fault": name, "args": args}], KIND.faults, KIND.occasions))
    b.do("put", 5, notes=[100] * 3)
    told = b.heard()
    assert [n.number for n in told if isinstance(n, Note)] == numbers
    assert sum(isinstance(one, Bad) for one in told) == bad
    assert len(b.shows("note_passed")) == 3


def test_a_note_that_looks_forged_is_none_in_the_ledger() -> None:
    b = Bench()
    b.fault("suspect")
    b.do("put", 5, notes=[100, 100])
    assert [n.fitness for n in b.heard() if isinstance(n, Note)] == ["suspect", "fit"]
    assert [(show["cash"], show["told"]) for show in b.shows("note_passed")] == [("fit", "suspect"), ("fit", "fit")]


def test_two_notes_at_once() -> None:
    seen = Bench()
    seen.fault("double_feed")
    assert seen.do("put", 5, notes=[100] * 4)["stopped"] == "double_feed"
    assert [(n.value, n.fitness) for n in seen.heard() if isinstance(n, Note)] == [(0, "unrecognized")]
    unseen = Bench()
    unseen.fault("double_feed", seen=False)
    unseen.do("put", 5, notes=[100] * 4)
    assert len(unseen.heard()) == 3  # and nobody is told
    assert unseen.shows("batch_counted")[0] | {"file": ""} == {
        "batch": 1,
        "count": 3,
        "sum": 300,
        "notes": 4,
        "file": "",
    }


def test_a_jam_and_a_loss_of_power_need_hands() -> None:
    for name, stopped in (("jam", "jam"), ("power_loss", "notes_inside")):
        b = Bench(plan=parse_plan([{"at": "3rd note", "fault": name}], KIND.faults, KIND.occasions))
        assert b.do("put", 10, notes=[100] * 6)["stopped"] == stopped
        assert len(b.heard()) == 2
        assert b.files == {}
        b.do("free")
        b.do("put", 10, notes=[100] * 6)
        assert len(b.heard()) == 6


def test_it_goes_on_where_its_process_ended() -> None:
    b = Bench()
    b.do("put", 0.2, notes=[100] * 6)
    first = b.heard()
    again = Bench()
    again.machine.restore(b.machine.snapshot(), again.now)
    again.run(5)
    numbers = [n.number for n in [*first, *again.heard()] if isinstance(n, Note)]
    assert numbers == [1, 2, 3, 4, 5, 6]
    assert again.shows("batch_counted")[0]["count"] == 6


def test_the_line_is_pulled_and_put_back() -> None:
    b = Bench()
    b.fault("unplug", for_s=3)
    b.do("plug")
    assert b.others == [Unplug(3.0), Plug()]
    b.do("power", on=False)
    assert b.do("put", 2, notes=[100])["hopper"] == 1
    assert b.heard() == []
    assert b.do("power", 2, on=True)["hopper"] == 1
    assert b.do("put", 2, notes=[100])["hopper"] == 0
    b.machine.receive(b"anything", b.now)


@pytest.mark.parametrize(
    "request_",
    [
        {"do": "count"},
        {"do": "put"},
        {"do": "put", "notes": []},
        {"do": "put", "notes": ["100"]},
        {"do": "put", "notes": [0]},
        {"do": "put", "notes": [True]},
        {"do": "put", "notes": [{"value": 100, "cash": "good"}]},
        {"do": "put", "notes": [{"value": 100, "serial": "A" * 13}]},
        {"do": "put", "notes": [{"value": 100, "colour": 1}]},
        {"do": "put", "notes": [{"value": 100, "count": NOTES_MAX}, 100]},
        {"do": "state", "device": "other"},
        {"do": "state", "x": 1},
        {"do": "fault", "name": "melt"},
    ],
)
def test_a_request_that_cannot_be_done_is_refused(request_: dict[str, Any]) -> None:
    with pytest.raises(ControlError):
        Bench().machine.control(request_, 100.0)


def test_options_that_cannot_be_meant() -> None:
    for wrong in ({"speed": 1}, {"note_s": 0}, {"note_s": -1}, {"byte_order": "x"}, {"fsn": 1}, {"machine": "M" * 25}):
        with pytest.raises(ControlError):
            build({"note-1": 0}, wrong, None)
    with pytest.raises(ControlError, match="line of its own"):
        build({"note-1": 0, "note-2": 1}, {}, None)
    assert build({"note-1": 0}, {"line_delay_s": 0.5}, None).tcp == {"line_delay_s": 0.5}
    assert parse_fault("jam", None, KIND.faults).args == {"count": 1}


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("put"), st.integers(1, 5)),
            st.tuples(st.sampled_from(["take", "free", "clear"]), st.just(0)),
            st.tuples(st.just("fault"), st.sampled_from(sorted(KIND.faults))),
        ),
        max_size=25,
    ),
    st.integers(0, 3),
)
def test_whatever_happens_no_note_is_lost_inside_and_none_is_told_that_did_not_pass(
    deeds: list[tuple[str, Any]], stops_at: int
) -> None:
    b = Bench(stops_at=stops_at)
    put = 0
    for verb, more in deeds:
        if verb == "put":
            put += more
        b.do(verb, 0.1, **({"notes": [100] * more} if verb == "put" else {"name": more} if verb == "fault" else {}))
    state = b.do("free", 60)
    taken = sum(show["notes"] for show in b.shows("notes_taken"))
    assert taken + state["hopper"] + state["stacker"] == put
    assert sum(isinstance(one, Note) for one in b.heard()) <= len(b.shows("note_passed"))

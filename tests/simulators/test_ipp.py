"""The document printer on the far side: jobs outlive connections and its own process, faults do as they are named."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.ipp.protocol import Group, Message, Tag, Value, decode, encode
from simulators.ipp.faults import FAULTS, OCCASIONS
from simulators.ipp.http import BadRequestError, Requests, answer
from simulators.ipp.jobs import paper_of
from simulators.ipp.options import parse_options
from simulators.ipp.printer import IppPrinter
from simulators.machine import ControlError, Effect, Plug, Send, Unplug
from simulators.plan import parse_plan

PDF = b"%PDF-1.4 <</Type/Pages>> <</Type/Page>> <</Type /Page>> <</Type/Page/Parent 1 0 R>>"


class Bench:
    """A printer, its clock, what left it and what happened."""

    def __init__(self, plan: Any = None, **options: Any) -> None:
        self.printer = IppPrinter("a4-1", parse_options(options), plan)
        self.now = 100.0
        self.sent = b""
        self.effects: list[Effect] = []
        self.plugs: list[object] = []
        self.ids = 0

    def run(self, for_s: float) -> None:
        end_s = self.now + for_s
        self._take()
        while (due_s := self.printer.next_time()) is not None and due_s <= end_s:
            self.now = max(self.now, due_s)
            self._take()
        self.now = end_s

    def _take(self) -> None:
        for action in self.printer.advance(self.now):
            if isinstance(action, Send):
                self.sent += action.data
            elif isinstance(action, Effect):
                self.effects.append(action)
            elif isinstance(action, (Unplug, Plug)):
                self.plugs.append(action)

    def ask(self, code: int, data: bytes = b"", **attributes: Value) -> Message | None:
        """One request on a connection of its own; None for silence."""
        self.ids += 1
        named = {name.replace("_", "-"): (value,) for name, value in attributes.items()}
        body = encode(Message((2, 0), code, self.ids, (Group(Tag.OPERATION, named),), data))
        self.sent = b""
        self.printer.opened(self.now)
        self.printer.receive(b"POST /ipp/print HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(body) + body, self.now)
        self.run(0.05)
        self.printer.closed(self.now)
        return decode(self.sent.partition(b"\r\n\r\n")[2]) if self.sent else None

    def create(self, name: str = "O-1/print/1") -> int:
        told = self.ask(0x05, job_name=Value(Tag.NAME, name))
        assert told is not None
        job_id = told.group(Tag.JOB).integer("job-id")
        assert job_id is not None
        return job_id

    def send(self, job_id: int, data: bytes = PDF, *, last: bool = True) -> int:
        kind = Value(Tag.MIME_TYPE, "application/pdf")
        last_document = Value(Tag.BOOLEAN, last)
        told = self.ask(
            0x06, data, job_id=Value(Tag.INTEGER, job_id), document_format=kind, last_document=last_document
        )
        assert told is not None
        return told.code

    def state(self, job_id: int) -> int | None:
        told = self.ask(0x09, job_id=Value(Tag.INTEGER, job_id))
        assert told is not None
        return told.group(Tag.JOB).integer("job-state")

    def listed(self, which: str) -> list[str]:
        names = Value(Tag.KEYWORD, "job-name")
        told = self.ask(0x0A, which_jobs=Value(Tag.KEYWORD, which), requested_attributes=names)
        assert told is not None
        return [group.text("job-name") for group in told.all(Tag.JOB)]

    def fault(self, name: str, **args: Any) -> None:
        self.printer.control({"do": "fault", "name": name, "args": args}, self.now)
        self.run(0)

    @property
    def sheets(self) -> list[dict[str, Any]]:
        return [effect.detail for effect in self.effects if effect.act == "sheet_out"]


def test_a_job_is_created_filled_and_printed_by_time() -> None:
    b = Bench()
    job = b.create()
    assert b.state(job) == 4
    assert b.listed("not-completed") == ["O-1/print/1"]
    assert b.send(job) == 0
    assert b.state(job) == 5
    b.run(2)
    assert b.state(job) == 9
    assert (b.listed("not-completed"), b.listed("completed")) == ([], ["O-1/print/1"])
    (sheet,) = b.sheets
    assert (sheet["attempts"], sheet["pages"], sheet["pages_done"], sheet["void"]) == (["O-1/print/1"], 3, 3, False)
    assert b.send(job) == 0x0404


def test_pages_are_counted_and_a_reprint_is_read_from_its_cover() -> None:
    assert paper_of("application/pdf", PDF).pages == 3
    assert paper_of("application/pdf", b"nothing").pages == 1
    assert paper_of("image/pwg-raster", PDF).pages == 1
    assert paper_of("application/pdf", b"<</Title(REPRINT 2 No. O-1/print/3)>>").reprint == 2


def test_a_job_without_its_document_is_given_up() -> None:
    b = Bench(incoming_s=10.0)
    job = b.create()
    b.run(11)
    assert b.state(job) == 8
    assert b.sheets == []


@pytest.mark.parametrize("prints_partial", [False, True])
def test_a_document_cut_short_aborts_its_job(prints_partial: bool) -> None:
    b = Bench(prints_partial=prints_partial)
    job = b.create()
    attributes = {"job-id": (Value(Tag.INTEGER, job),), "document-format": (Value(Tag.MIME_TYPE, "application/pdf"),)}
    body = encode(Message((2, 0), 0x06, 9, (Group(Tag.OPERATION, attributes),), PDF))
    b.printer.opened(b.now)
    b.printer.receive(b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % (len(body) + 1) + body, b.now)
    b.printer.closed(b.now)
    b.run(5)
    assert b.state(job) == 8
    assert [sheet["pages_done"] for sheet in b.sheets] == ([3] if prints_partial else [])


def test_cancelling_lets_go_of_what_is_left() -> None:
    b = Bench()
    job = b.create()
    b.send(job)
    b.run(1.0)
    assert b.ask(0x08, job_id=Value(Tag.INTEGER, job)) is not None
    assert b.state(job) == 7
    b.run(5)
    assert [sheet["pages_done"] for sheet in b.sheets] == [1]


def test_trouble_stops_and_hands_let_it_go_on() -> None:
    for fault, hands in (("media_empty", "refill"), ("cover_open", "close"), ("toner_empty", "refill")):
        b = Bench()
        job = b.create()
        b.send(job)
        b.run(0.8)
        b.fault(fault)
        b.run(60)
        assert b.state(job) == 6
        b.printer.control({"do": hands}, b.now)
        b.run(5)
        assert b.state(job) == 9
        assert [sheet["pages_done"] for sheet in b.sheets] == [3]
    b = Bench()
    b.fault("jam", after=1)
    job = b.create()
    b.send(job)
    b.run(60)
    assert b.state(job) == 6
    b.printer.control({"do": "free"}, b.now)
    b.run(5)
    assert b.state(job) == 9


@pytest.mark.parametrize(("keeps", "listed"), [(True, ["O-1/print/1"]), (False, [])])
def test_a_restart_aborts_what_was_under_way_and_may_forget_it(keeps: bool, listed: list[str]) -> None:
    b = Bench()
    b.send(b.create())
    b.run(0.8)
    b.fault("restart", off_s=2.0, keeps_history=keeps)
    assert b.plugs == [Unplug(None)]
    b.run(3)
    assert b.plugs[-1] == Plug()
    assert b.printer.up_s(b.now) == pytest.approx(1.0)
    assert b.listed("completed") == listed
    b.run(10)
    assert [sheet["pages_done"] for sheet in b.sheets] == [1]


def test_the_oldest_ended_jobs_are_forgotten() -> None:
    b = Bench(history=2)
    for number in range(1, 5):
        b.send(b.create(f"job-{number}"))
        b.run(5)
    assert b.listed("completed") == ["job-4", "job-3"]


def test_its_own_process_may_end_and_the_printer_was_never_off() -> None:
    b = Bench()
    job = b.create()
    b.send(job)
    b.run(0.8)
    waiting = b.create("O-2/print/1")
    saved = b.printer.snapshot()
    again = Bench()
    again.now = b.now + 3
    again.printer.restore(saved, again.now)
    assert again.printer.up_s(again.now) == pytest.approx(b.printer.up_s(b.now) + 3)
    again.run(5)
    assert (again.state(job), again.state(waiting)) == (9, 4)
    assert [sheet["pages_done"] for sheet in again.sheets] == [3]
    again.run(100)
    assert again.state(waiting) == 8


def test_faults_of_the_wire() -> None:
    b = Bench()
    b.fault("no_answer")
    assert b.ask(0x05, job_name=Value(Tag.NAME, "heard")) is None
    b.fault("no_answer", executes=False)
    assert b.ask(0x05, job_name=Value(Tag.NAME, "unheard")) is None
    b.fault("hang_after_create")
    assert b.ask(0x0B) is not None
    assert b.ask(0x05, job_name=Value(Tag.NAME, "hung")) is None
    assert b.listed("not-completed") == ["heard", "hung"]
    b.fault("late_answer", delay_s=3.0)
    assert b.ask(0x0B) is None
    b.run(5)
    assert b.sent == b""  # its connection is long gone
    b.fault("busy")
    told = b.ask(0x0B)
    assert told is not None
    assert told.code == 0x0507
    b.fault("cut", after=30)
    assert b.ask(0x0B) is None
    assert b.plugs == [Unplug(0.0)]
    assert b.ask(0x0B) is not None


def test_a_plan_strikes_at_the_nth_job() -> None:
    b = Bench(parse_plan([{"at": "2nd job", "fault": "abort_job"}], FAULTS, OCCASIONS))
    first = b.create("one")
    b.send(first)
    b.run(5)
    second = b.create("two")
    b.send(second)
    b.run(5)
    assert (b.state(first), b.state(second)) == (9, 8)


def test_wrong_options_and_requests_say_what_may_stand_there() -> None:
    for wrong in ({"speed": 1}, {"page_s": "fast"}, {"formats": "pdf"}, {"counts": 1}, {"history": -1}):
        with pytest.raises(ControlError, match="option"):
            parse_options(wrong)
    b = Bench()
    for request in (
        {"do": "tear"},
        {"do": "refill", "x": 1},
        {"do": "state", "device": "b"},
        {"do": "print", "pages": 0},
    ):
        with pytest.raises(ControlError):
            b.printer.control(request, b.now)


def test_a_body_in_chunks_and_in_any_slices() -> None:
    wire = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"
    wire += b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nfg"
    for size in (1, 3, len(wire)):
        requests = Requests()
        slices = [wire[at : at + size] for at in range(0, len(wire), size)]
        assert [body for piece in slices for body in requests.feed(piece)] == [b"abcde", b"fg"]
    for wrong in (b"GET / HTTP/1.1\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"x" * 70_000):
        with pytest.raises(BadRequestError):
            Requests().feed(wrong)
    assert answer(b"abcde", chunked=True).endswith(b"\r\n\r\n2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n")


@given(st.lists(st.binary(max_size=60), max_size=10))
def test_any_bytes_leave_a_printer_that_answers(slices: list[bytes]) -> None:
    b = Bench()
    b.printer.opened(b.now)
    for piece in [b"POST / HTTP/1.1\r\n", *slices]:
        b.printer.receive(piece, b.now)
        b.run(0.01)
    b.printer.closed(b.now)
    assert b.ask(0x0B) is not None

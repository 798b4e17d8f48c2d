"""What goes up: rows as messages, in order, until they are acknowledged; birth, heartbeat, death, twins."""

from __future__ import annotations

import asyncio
import json
import threading
from pathlib import Path
from typing import Any

import pytest

from cloud_bridge.envelope import read_envelope
from cloud_bridge.messages.catalogue import CATALOGUE
from cloud_bridge.ports import StoreFailed
from edge_agent import app
from edge_agent.clock import Clock
from edge_agent.journal.journal import Journal, Tx
from edge_agent.observed import ReadingBox
from edge_agent.orders import resending
from edge_agent.uplink import MAX_BIRTH_BYTES, About, JournalOutbox, TwinBox
from tests.edge_agent.journal.gate import Gate, held, opened
from tests.edge_agent.orders import points as at_point
from tests.edge_agent.parts import BRANCH, Book, Json, Wall, marked
from tests.virtual_time import virtual_time


def read(payload: bytes) -> Json:
    """A message as its receiver sees it, checked against the catalogue; its data."""
    envelope = read_envelope(payload)
    assert envelope.source == f"/branches/{BRANCH}"
    assert envelope.branch == BRANCH
    assert json.loads(payload)["time"].endswith("Z")
    CATALOGUE[envelope.type].model.model_validate(envelope.data)
    return {"type": envelope.type, "id": envelope.id, **envelope.data}


async def seqs(outbox: JournalOutbox, limit: int = 100) -> list[int]:
    return [row.key for row in await outbox.unsent("events", limit)]


async def holding(journal: Journal, events: int) -> JournalOutbox:
    """An outbox of so many events that were not sent yet."""
    for _ in range(events):
        await journal.write(lambda tx: tx.emit("branchgate.journal.changed.v1", None, {"what": "w"}))
    return JournalOutbox(journal, About(BRANCH, {}, "", dict), Wall().clock())


# -- rows --------------------------------------------------------------------------------------------------------------


@pytest.mark.rule("ENV-2")
@pytest.mark.rule("OUT-3")
async def test_events_carry_journal_and_a_gap_free_seq_through_restarts(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await at_point.completed(book)
        journal, epoch = book.journal.id, book.journal.epoch
        await book.restart()
        await book.submit("o2")
        events = [read(row.payload) for row in await book.outbox().unsent("events", 1000)]
        assert [e["seq"] for e in events] == list(range(1, len(events) + 1))
        assert {e["journal"] for e in events} == {journal}
        assert [e["id"] for e in events] == [f"{journal}-{e['seq']}" for e in events]
        assert book.journal.epoch == epoch + 1


@pytest.mark.parametrize("subject", [None, 'a "quoted" o\\rder', "订单"])
@pytest.mark.parametrize("data", [{}, {"x": None}, {"文": '字\n"', "n": [1, 2.5, True, {"y": {}}]}])
async def test_a_row_goes_up_byte_for_byte_as_its_message_would_be_written(
    tmp_path: Path, subject: str | None, data: Json
) -> None:
    async with Book(tmp_path) as book:
        await book.journal.write(lambda tx: tx.reply("i1", data))
        seq = await book.journal.write(lambda tx: tx.emit("branchgate.journal.changed.v1", subject, data))
        event = (await book.outbox().unsent("events", 100))[-1].payload
        reply = (await book.outbox().unsent("replies", 100))[-1].payload
        journal = book.journal.id
    for payload, of in ((event, {"journal": journal, "seq": seq, **data}), (reply, data)):
        told = json.loads(payload)
        assert told["data"] == of
        assert json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode() == payload
    assert json.loads(event).get("subject") == subject


@pytest.mark.rule("OUT-1")
@pytest.mark.rule("ENV-2")
async def test_what_was_undone_leaves_no_gap(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:

        def fail(tx: Any) -> None:
            tx.emit("branchgate.journal.changed.v1", None, {"what": "lie"})
            raise ValueError("no")

        with pytest.raises(ValueError, match="no"):
            await book.do(fail)
        await book.submit()
        assert await seqs(book.outbox()) == [1, 2]
        assert "lie" not in book.told("journal.changed", "what")


@pytest.mark.rule("OUT-2")
async def test_only_what_was_acknowledged_by_its_exact_seq_is_marked(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await at_point.drawn(book)
        outbox = book.outbox()
        all_ = await seqs(outbox)
        await marked(outbox, "events", [2, 4])
        assert await seqs(outbox) == [s for s in all_ if s not in (2, 4)]
        assert await seqs(outbox, 2) == [1, 3]
        await book.restart()
        assert await seqs(book.outbox()) == [s for s in all_ if s not in (2, 4)]
        assert len(book.events()) == len(all_)  # nothing is removed


@pytest.mark.rule("OUT-2")
async def test_replies_and_events_are_marked_apart(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await book.submit("o1")
        await book.submit("o2")
        outbox = book.outbox()
        replies = await outbox.unsent("replies", 100)
        assert [read(row.payload)["order"] for row in replies] == ["o1", "o2"]
        await marked(outbox, "replies", [replies[0].key])
        assert [row.key for row in await outbox.unsent("replies", 100)] == [replies[1].key]
        assert await seqs(outbox) == [1, 2, 3]


@pytest.mark.rule("ENV-2")
async def test_a_reply_tells_the_last_seq_of_its_own_transaction(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        for n in range(3):
            reply = await book.ask("order.submit", {"scene": "collect_card"}, subject=f"o{n}")
            assert reply["after"] == len(book.events())


async def test_change_is_told_once_for_what_was_committed(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        outbox = book.outbox()
        await book.submit()
        await outbox.changed()
        assert not book.journal._told.is_set()


# -- session -----------------------------------------------------------------------------------------------------------


@pytest.mark.rule("ENV-2")
async def test_sessions_are_counted_through_restarts(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        assert [await book.outbox().next_session() for _ in range(2)] == [1, 2]
        await book.restart()
        assert await book.outbox().next_session() == 3


@pytest.mark.rule("SES-2")
async def test_the_birth_says_who_what_and_how_far(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await book.submit("o1")
        await book.submit("o2")
        await at_point.play_on(book, "o1")
        outbox = book.outbox(lambda: {"card-1": "online"})
        last = len(book.events())
        await marked(outbox, "events", [1, 2, 4])
        born = read(await outbox.birth(7))
        assert born["type"] == "branchgate.session.born.v1"
        assert (born["journal"], born["epoch"], born["session"]) == (book.journal.id, 1, 7)
        assert (born["after"], born["acknowledged"]) == (last, 2)
        assert (born["clock"], born["adopted"], born["config"]) == ("synced", True, "digest")
        assert born["devices"] == {"card-1": "online"}
        assert born["counts"] == {"accepted": 1}
        assert [o["order"] for o in born["oldest"]] == ["o2"]
        assert born["versions"] == {"agent": "test"}


@pytest.mark.rule("SES-2")
@pytest.mark.rule("ORD-12")
async def test_the_birth_of_a_journal_that_nobody_adopted_says_so(tmp_path: Path) -> None:
    async with Book(tmp_path, adopted=False) as book:
        book.wall.known = False
        born = read(await book.outbox().birth(1))
        assert (born["adopted"], born["clock"], born["after"], born["acknowledged"]) == (False, "unknown", 0, 0)


@pytest.mark.rule("SES-2")
async def test_a_birth_with_a_thousand_open_orders_fits_and_names_the_oldest(tmp_path: Path) -> None:
    async with Book(tmp_path, fast=True) as book:
        for n in range(1000):
            await book.submit(f"{n:04d}-" + "x" * 95)
        payload = await book.outbox().birth(1)
        assert len(payload) <= MAX_BIRTH_BYTES == 64 * 1024
        born = read(payload)
        assert born["counts"] == {"accepted": 1000}
        assert [o["order"][:4] for o in born["oldest"]] == [f"{n:04d}" for n in range(50)]


@pytest.mark.rule("SES-2")
async def test_a_birth_that_would_be_too_long_names_fewer_orders(tmp_path: Path) -> None:
    async with Book(tmp_path, fast=True) as book:
        for n in range(50):
            await book.submit(f"{n:04d}-" + "x" * 95)
        many = {f"device-{n:04d}": "x" * 46 for n in range(900)}
        about = About(BRANCH, {}, "", lambda: many)
        payload = await JournalOutbox(book.journal, about, book.clock).birth(1)
        assert len(payload) <= MAX_BIRTH_BYTES
        assert 0 < len(read(payload)["oldest"]) < 50


@pytest.mark.rule("SES-6")
async def test_the_heartbeat_tells_the_highest_seq(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await book.submit()
        outbox = book.outbox()
        beat = read(await outbox.heartbeat(3))
        assert (beat["type"], beat["session"], beat["after"]) == ("branchgate.session.beat.v1", 3, 2)
        assert beat["acknowledged"] == 0
        await marked(outbox, "events", [1, 2])
        assert read(await outbox.heartbeat(3))["acknowledged"] == 2


@pytest.mark.rule("SES-3")
async def test_the_death_names_its_session_and_reason(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        outbox = book.outbox()
        death = read(outbox.will(4))
        assert (death["type"], death["session"], death["reason"]) == ("branchgate.session.died.v1", 4, "lost")
        assert read(outbox.will(4, "stopped"))["reason"] == "stopped"


@pytest.mark.rule("SES-3")
async def test_a_death_on_the_own_topic_is_seen_and_nothing_else_is_taken_for_one(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        outbox = book.outbox()
        assert outbox.is_other_death(outbox.will(3), 4)
        others = [await outbox.birth(4), await outbox.heartbeat(4), b"", b"\xff", b"[]", b"null", b"{}", b"[" * 100_000]
        assert not any(outbox.is_other_death(payload, 4) for payload in others)


async def test_what_concerns_the_link_is_told_as_an_event(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await book.outbox().told("publish_refused", "quota")
        assert book.told("journal.changed", "what", "reason")[-1] == ("publish_refused", "quota")


@pytest.mark.rule("DEV-1")
async def test_a_twin_says_after_which_seq_it_was_made(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await book.submit()
        members = {"device": "card-1", "kind": "crt591", "role": "card-dispenser", "state": "online"}
        twin = read(await book.outbox().twin("card-1", members))
        assert (twin["type"], twin["after"], twin["state"]) == ("branchgate.device.reported.v1", 2, "online")


@pytest.mark.rule("DEV-4")
async def test_of_twins_that_nobody_takes_the_newest_of_each_device_is_kept() -> None:
    box = TwinBox()
    for n in range(10_000):
        box.put("card-1", {"n": n})
        box.put("ticket-1", {"n": -n})
    assert len(box) == 2
    device, members = await box.take()
    assert (device, members) == ("card-1", {"n": 9_999})
    box.put("card-1", {"n": 10_000})
    box.put_back(device, members)
    assert await box.take() == ("ticket-1", {"n": -9_999})
    assert await box.take() == ("card-1", {"n": 10_000})
    box.put_back("card-1", members)
    assert await box.take() == ("card-1", members)


@pytest.mark.rule("DEV-4")
@virtual_time
async def test_twins_that_cannot_be_made_into_messages_do_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The journal cannot be read for ten seconds; a device that changes all the time is told once, as it is then."""
    agent = app.Agent(None, None, Clock("host"))  # type: ignore[arg-type]
    made: list[tuple[str, Any]] = []

    class Disk:
        broken = True

        async def twin(self, device: str, members: Json) -> bytes:
            if self.broken:
                raise StoreFailed("I/O error")
            return json.dumps(members).encode()

    class Bridge:
        def put_twin(self, device: str, payload: bytes) -> None:
            made.append((device, json.loads(payload)["n"]))

    disk = Disk()
    publishing = asyncio.create_task(app._publish_twins(agent, Bridge(), disk))  # type: ignore[arg-type]
    for n in range(100):
        agent.twins.put("card-1", {"n": n})
        await asyncio.sleep(0.1)
    assert len(agent.twins) == 1
    disk.broken = False
    await asyncio.sleep(2)
    publishing.cancel()
    await asyncio.wait([publishing])
    assert made == [("card-1", 99)]


# -- sent again --------------------------------------------------------------------------------------------------------


@pytest.mark.rule("SES-6")
@pytest.mark.rule("OUT-3")
async def test_events_asked_for_again_come_unchanged_and_in_order_before_newer_ones(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await at_point.completed(book)
        outbox = book.outbox()
        first = await outbox.unsent("events", 1000)
        await marked(outbox, "events", [row.key for row in first])
        await book.ask("events.request", {"journal": book.journal.id, "from": 3, "to": 5})
        await book.submit("o2")
        again = await outbox.unsent("events", 1000)
        assert again[:3] == first[2:5]
        assert [row.key for row in again] == [3, 4, 5, len(first) + 1]


@pytest.mark.rule("SES-6")
async def test_events_asked_for_while_their_batch_is_under_way_go_out_once_more(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await at_point.completed(book)
        outbox = book.outbox()
        batch = await outbox.unsent("events", 5)
        await book.ask("events.request", {"journal": book.journal.id, "from": 1, "to": 3})
        await marked(outbox, "events", [row.key for row in batch])
        again = await outbox.unsent("events", 5)
        assert again[:3] == batch[:3]
        assert again[3].key > batch[-1].key, "the rest of the batch counts: else who asks often enough holds up all"


@pytest.mark.rule("OUT-2")
async def test_what_was_acknowledged_is_not_sent_again_while_its_mark_waits_for_the_disk(tmp_path: Path) -> None:
    gate = Gate()
    async with opened(tmp_path, gate) as journal:
        outbox = await holding(journal, 4)
        before = await seqs(outbox, 2)
        await held(journal, gate)
        await outbox.mark_sent("events", before)  # returns although no commit ends now
        assert await seqs(outbox, 2) == [key + 2 for key in before]
        gate.open()
        await journal.write(lambda tx: tx.emit("branchgate.journal.changed.v1", None, {"what": "w"}))
        assert await seqs(outbox) == [before[-1] + n for n in (1, 2, 3, 4)]
        gate.fail = OSError(28, "No space left on device")
        await outbox.mark_sent("events", [before[-1] + 1])
        await asyncio.wait([journal.post(lambda tx: None)])
        gate.fail = None
        with pytest.raises(StoreFailed):
            await seqs(outbox)
        assert before[-1] + 1 in await seqs(outbox), "what could not be marked goes out once more"


@pytest.mark.rule("SES-5")
async def test_what_is_marked_while_a_backlog_is_read_is_not_sent_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, durable, read_all = Gate(), threading.Event(), Tx.all

    def read_slowly(tx: Tx, sql: str, *values: Any) -> list[Any]:
        rows = read_all(tx, sql, *values)
        if "outbox WHERE sent = 0" in sql:
            gate.open()
            assert durable.wait(60)
        return rows

    async with opened(tmp_path, gate) as journal:
        outbox = await holding(journal, 4)
        before = await seqs(outbox, 2)
        await held(journal, gate)
        await outbox.mark_sent("events", before)
        outbox._marked.add_done_callback(lambda _: durable.set())
        monkeypatch.setattr(Tx, "all", read_slowly)
        assert await seqs(outbox, 2) == [key + 2 for key in before]


@pytest.mark.rule("OUT-2")
async def test_what_is_acknowledged_while_marks_wait_for_the_disk_joins_them(tmp_path: Path) -> None:
    gate = Gate()
    async with opened(tmp_path, gate) as journal:
        outbox = await holding(journal, 5)
        keys = await seqs(outbox, 5)
        await held(journal, gate)
        for key in keys[:4]:
            await outbox.mark_sent("events", [key])
        assert journal._jobs.qsize() == 1
        gate.open()
        await asyncio.wait([journal.post(lambda tx: None)])
        await outbox.mark_sent("events", keys[4:])
        await asyncio.wait([journal.post(lambda tx: None)])
        assert await seqs(outbox) == [keys[-1] + 1], "what was written while it was held"


@pytest.mark.rule("SES-6")
async def test_of_marks_that_joined_the_oldest_question_counts(tmp_path: Path) -> None:
    gate = Gate()
    async with opened(tmp_path, gate) as journal:
        outbox = await holding(journal, 4)
        first = await seqs(outbox, 2)
        await journal.write(lambda tx: resending.send_again(tx, first[0], first[0]))
        await held(journal, gate)
        await outbox.mark_sent("events", first)
        later = [row.key for row in await outbox.unsent("events", 4)]
        await outbox.mark_sent("events", later)
        gate.open()
        await asyncio.wait([journal.post(lambda tx: None)])
        assert await seqs(outbox) == [first[0], later[-1] + 1], "it was asked for while it was under way"


@pytest.mark.rule("SES-6")
async def test_what_was_asked_for_again_meanwhile_wakes_the_link_once_its_mark_is_decided(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await at_point.completed(book)
        outbox = book.outbox()
        batch = await outbox.unsent("events", 5)
        await book.ask("events.request", {"journal": book.journal.id, "from": 1, "to": 1})
        await outbox.changed()
        await marked(outbox, "events", [row.key for row in batch])
        async with asyncio.timeout(60):
            await outbox.changed()


@pytest.mark.rule("SES-6")
async def test_more_questions_than_are_remembered_only_send_more_again(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await at_point.completed(book)
        outbox = book.outbox()
        batch = await outbox.unsent("events", 5)
        for n in range(resending.KEPT + 1):
            await book.ask("events.request", {"journal": book.journal.id, "from": 1 + (n > 0), "to": 2})
        await marked(outbox, "events", [row.key for row in batch])
        assert await outbox.unsent("events", 5) == batch


# -- readings ----------------------------------------------------------------------------------------------------------


@pytest.mark.rule("DEV-3")
@pytest.mark.rule("ENV-2")
async def test_a_reading_goes_up_as_a_message_of_its_own_and_is_gone(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        box = ReadingBox()
        outbox = JournalOutbox(book.journal, About(BRANCH, {}, "", dict), book.clock, box)
        members: Json = {"device": "door-1", "kind": "k", "role": "r", "time": "2026-03-02T12:00:00.000Z"}
        members |= {"readings": [{"name": "in", "raw": 7, "unit": "people", "delta": 1}]}
        box.put("door-1", members)
        box.put("door-1", members)
        await outbox.observed()
        ids = set()
        for _ in range(2):
            taken = await outbox.next_reading()
            assert taken is not None
            message = read(taken[1])
            assert (taken[0], message["type"]) == ("door-1", "branchgate.device.observed.v1")
            assert message["after"] == book.look(lambda tx: tx.last_seq())
            assert message["readings"][0]["delta"] == 1
            ids.add(message["id"])
        assert len(ids) == 2
        assert await outbox.next_reading() is None

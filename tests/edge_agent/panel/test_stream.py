"""Events as they happen: in the journal's order, each once, from wherever a reader left off, also behind a restart."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from edge_agent.panel import branch
from edge_agent.panel.sessions import IDLE_S, MOST_OF_ONE
from edge_agent.panel.stream import MAX_READERS
from edge_agent.people.roles import MAY, Role, Trust
from edge_agent.people.signing_in import LOCKED_AT, LONGEST_S
from tests.edge_agent.panel.asking import Panel, Reader
from tests.edge_agent.parts import Book, Json
from tests.edge_agent.people.desk import quick


@pytest.fixture
async def panel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Panel]:
    quick(monkeypatch)
    async with Book(tmp_path) as book:
        yield await Panel.of(book)


async def seqs(reader: Reader, count: int) -> list[int]:
    return [(await reader.next())["data"]["data"]["seq"] for _ in range(count)]


async def test_from_now_on_and_from_a_seq(panel: Panel) -> None:
    headers, book = await panel.as_application(Trust.READER), panel.people.book
    await book.submit("o1")
    last = book.look(lambda tx: tx.last_seq())
    async with Reader(panel, headers) as now, Reader(panel, headers, "after=0") as whole:
        assert await seqs(whole, last) == list(range(1, last + 1))
        await book.submit("o2")
        event = await now.next()
        assert (event["data"]["data"]["seq"], event["data"]["subject"]) == (last + 1, "o2")
        assert event["id"] == f"{book.journal.id}-{last + 1}"
        assert await seqs(whole, 1) == [last + 1]


async def test_a_restart_of_the_agent_goes_on_in_order_without_a_gap_or_a_repeat(panel: Panel) -> None:
    headers, book = await panel.as_application(Trust.READER), panel.people.book
    for n in range(130):
        await book.submit(f"a{n}")
    async with Reader(panel, headers, "after=0") as reader:
        got = [await reader.next() for _ in range(70)]
    await book.restart()
    for n in range(5):
        await book.submit(f"b{n}")
    again = await Panel.of(book)
    last = book.look(lambda tx: tx.last_seq())
    async with Reader(again, {**headers, "last-event-id": got[-1]["id"]}) as reader:
        got += [await reader.next() for _ in range(last - 70)]
        await book.submit("c")
        got.append(await reader.next())
    told = [event["data"]["data"]["seq"] for event in got]
    assert told == list(range(1, len(told) + 1))


async def test_what_a_reader_missed_for_good_is_told(panel: Panel) -> None:
    headers, book = await panel.as_application(Trust.READER), panel.people.book
    for n in range(4):
        await book.submit(f"o{n}")
    other = "0" * 8 + "-0000-0000-0000-" + "0" * 12
    async with Reader(panel, {**headers, "last-event-id": f"{other}-17"}) as reader:
        gap = await reader.next()
        assert (gap["event"], gap["data"]["reason"], gap["data"]["journal"]) == ("gap", "journal", book.journal.id)
        assert await seqs(reader, 1) == [1]
    await book.do(lambda tx: tx.set_meta("outbox_removed", "3"))
    await book.do(lambda tx: tx.do("DELETE FROM outbox WHERE seq <= 3"))
    async with Reader(panel, {**headers, "last-event-id": f"{book.journal.id}-1"}) as reader:
        gap = await reader.next()
        assert (gap["data"]["reason"], gap["data"]["from"]) == ("removed", 4)
        assert await seqs(reader, 1) == [4]
    answer = await panel.ask("GET", "/events", **headers, last_event_id="nonsense")
    assert answer.status == 422


async def test_readers_are_bounded_and_go_when_the_agent_stops(panel: Panel) -> None:
    headers = await panel.as_application(Trust.READER)
    readers = [Reader(panel, headers, "after=0") for _ in range(MAX_READERS)]
    for reader in readers:
        await reader.__aenter__()
        await reader.next()
    assert (await panel.ask("GET", "/events", **headers)).status == 503
    panel.house.closing.set()
    for reader in readers:
        assert reader._task is not None
        await reader._task
    assert panel.people.book.journal._listeners == []


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer wrong"}])
async def test_nobody_reads_without_a_right(panel: Panel, headers: dict[str, str]) -> None:
    assert (await panel.ask("GET", "/events", **headers)).status == 401


def here(panel: Panel) -> str:
    """From now on, whenever the reader's task begins."""
    return f"after={panel.people.book.look(lambda tx: tx.last_seq())}"


async def _ends(panel: Panel, how: str, headers: dict[str, str]) -> None:
    staff, chief = panel.people.staff, panel.people.actor("supervisor")
    if how == "role":
        await staff.set_role(chief, "teller", Role.ENGINEER)
    elif how == "password":
        await staff.set_password(chief, "teller", "another horse")
    elif how == "disabled":
        await staff.set_disabled(chief, "teller", disabled=True)
    elif how == "signed out":
        assert (await panel.ask("DELETE", "/session", **headers)).status == 204
    else:
        for _ in range(MOST_OF_ONE):
            await panel.sign_in("teller")


@pytest.mark.parametrize("how", ["role", "password", "disabled", "signed out", "crowded out"])
async def test_a_stream_ends_at_once_with_the_access_of_its_reader(
    panel: Panel, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(branch, "KEEP_ALIVE_S", 3600.0)  # nothing else wakes it
    headers, other = await panel.sign_in("teller"), await panel.sign_in("supervisor")
    async with Reader(panel, headers, here(panel)) as reader, Reader(panel, other, here(panel)) as bystander:
        await panel.people.book.submit("o1")
        assert (await reader.next())["data"]["subject"] == "o1"
        assert (await bystander.next())["data"]["subject"] == "o1"
        await _ends(panel, how, headers)
        last = await reader.next()
        assert (last["event"], last["data"]) == ("end", {"reason": "signed_out"})
        assert "id" not in last, "whoever may come back goes on behind the last event"
        assert reader._task is not None
        await reader._task
        await panel.people.book.submit("o2")
        assert (await next_of(bystander, "o2"))["data"]["subject"] == "o2"
    assert panel.people.book.journal._listeners == []


async def test_guesses_at_a_name_take_nothing_from_whoever_is_signed_in(panel: Panel) -> None:
    """Anybody in the branch's network can lock a name; the till of whoever bears it must not go dark by that."""
    headers = await panel.sign_in("teller")
    async with Reader(panel, headers, here(panel)) as reader:
        for _ in range(LOCKED_AT):
            panel.people.book.wall.seconds += LONGEST_S
            await panel.people.enters("teller", "wrong password")
            assert (await panel.ask("GET", "/session", **headers)).status == 200
        assert panel.people.staff.sign_in.locked("teller")
        await panel.people.book.submit("o1")
        assert (await next_of(reader, "o1"))["data"]["subject"] == "o1"


async def next_of(reader: Reader, subject: str) -> Json:
    while True:
        event = await reader.next()
        if event["data"].get("subject") == subject:
            return event


async def test_a_stream_ends_when_its_session_rested_too_long_and_being_read_is_no_use_of_it(panel: Panel) -> None:
    headers = await panel.sign_in("teller")
    async with Reader(panel, headers, here(panel)) as reader:
        for n, pause_s in enumerate((0, IDLE_S / 2, IDLE_S / 2 - 1)):
            panel.people.book.wall.seconds += pause_s
            await panel.people.book.submit(f"o{n}")
            assert (await reader.next())["data"]["subject"] == f"o{n}"
        panel.people.book.wall.seconds += 1
        await panel.people.book.submit("o3")
        assert (await reader.next())["event"] == "end"


@pytest.mark.parametrize("how", ["removed", "altered", "other trust"])
async def test_a_stream_ends_with_the_token_of_its_application(
    panel: Panel, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers, staff, book = await panel.as_application(Trust.READER), panel.people.staff, panel.people.book
    name = next(iter(staff.register.applications))
    async with Reader(panel, headers, here(panel)) as reader:
        await book.submit("o1")
        assert (await reader.next())["data"]["subject"] == "o1"
        if how == "removed":
            monkeypatch.setattr(branch, "KEEP_ALIVE_S", 3600.0)
            await staff.remove_application(panel.people.actor("supervisor"), name)
        elif how == "altered":
            staff._kept.altered = True
            await book.submit("o2")
        else:
            await staff.remove_application(panel.people.actor("supervisor"), name)
            await staff.add_application(panel.people.actor("supervisor"), name, Trust.ORDERS)
        last = await reader.next()
        assert (last["event"], last["data"]) == ("end", {"reason": "revoked"})


async def test_a_stream_ends_when_the_right_is_gone(panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    headers, book = await panel.as_application(Trust.READER), panel.people.book
    async with Reader(panel, headers, here(panel)) as reader:
        await book.submit("o1")
        await reader.next()
        monkeypatch.setitem(MAY, Trust.READER, frozenset())
        await book.submit("o2")
        assert (await reader.next())["data"] == {"reason": "not_allowed"}

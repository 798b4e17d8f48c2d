"""Times of orders made on site stand on the seconds since the boot: whoever sets the wall clock moves none of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cloud_bridge.envelope import read_envelope
from device_drivers.device import Scan
from edge_agent.custody import paper_rows
from edge_agent.orders.arming import NotNow
from edge_agent.orders.codes import Came, hash_of, scanned
from edge_agent.orders.desk import AT_THE_BOX
from edge_agent.orders.reading import next_on_device
from edge_agent.orders.times import now, wall_now
from edge_agent.timekeeper import Timekeeper
from tests.edge_agent.orders.points import play_on
from tests.edge_agent.parts import DEVICE, Book, Json, Wall, at

pytestmark = pytest.mark.rule("INS-5")
YEARS_S = 2 * 365 * 86_400.0
LIES = [-YEARS_S, -7200.0, -1.5, 299.0, 7200.0, YEARS_S]  # some are jumps, some too small to be one


async def ordered(book: Book, order: str = "o1", **data: Any) -> Json:
    """Somebody at the box orders by what the box's clock says."""
    asked = {"scene": "collect_card", **data}
    written = book.envelope("order.submit", asked, source="/people/zhang", subject=order, deadline=None)
    return await book.intake.ask(read_envelope(json.dumps(written).encode()), AT_THE_BOX)


def by_the_box(book: Book, seconds: float) -> str:
    return at(book.wall.steady() + book.wall.lie_s + seconds)


async def tick(book: Book) -> list[str]:
    """One look of the timekeeper; the devices that it woke."""
    woken: list[str] = []
    await Timekeeper(book.journal, book.clock, lambda devices: woken.extend(sorted(devices))).tick()
    return woken


async def reboot(book: Book, *, known: bool) -> None:
    """The seconds begin again, under another name; the wall clock is right by then, or nobody knows."""
    book.wall.lie_s, book.wall.seconds = book.wall.steady(), 0.0
    book.wall.boot, book.wall.known = "boot-2", known
    await book.restart()


@pytest.mark.rule("ORD-1")
@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("lie_s", LIES)
async def test_a_wall_clock_that_is_set_neither_expires_nor_prolongs_it(
    tmp_path: Path, lie_s: float, known: bool
) -> None:
    async with Book(tmp_path, wall=Wall(known=known)) as book:
        assert (await ordered(book, deadline=by_the_box(book, 60)))["status"] == "accepted"
        book.wall.lie_s, book.wall.seconds = lie_s, 59.9
        await tick(book)
        assert (book.order().state, book.order().waiting_for) == ("accepted", None)
        book.wall.seconds = 60.0
        await tick(book)
        assert (book.order().state, book.order().reason) == ("expired", "deadline_passed")


@pytest.mark.rule("ORD-4")
@pytest.mark.parametrize("lie_s", LIES)
async def test_it_is_armed_until_then_and_not_later_whatever_the_wall_clock_says(tmp_path: Path, lie_s: float) -> None:
    async with Book(tmp_path) as book:
        for order in ("o1", "o2"):
            await ordered(book, order, deadline=by_the_box(book, 60))
        book.wall.lie_s, book.wall.seconds = lie_s, 59.9
        assert await play_on(book, "o1") == "completed"
        book.wall.seconds = 60.0
        assert await book.arm("o2") == NotNow("expired")
        assert book.order("o2").state == "expired"


@pytest.mark.parametrize("lie_s", LIES)
async def test_its_turn_comes_at_its_time_whatever_the_wall_clock_says(tmp_path: Path, lie_s: float) -> None:
    async with Book(tmp_path) as book:
        await ordered(book, not_before=by_the_box(book, 60))
        assert book.order().state == "scheduled"
        book.wall.lie_s, book.wall.seconds = lie_s, 59.9
        assert await tick(book) == []
        assert book.look(lambda tx: next_on_device(tx, DEVICE, now(book.clock))) is None
        assert await book.arm() == NotNow("too_early")
        book.wall.seconds = 60.0
        assert await tick(book) == [DEVICE]
        turn = book.look(lambda tx: next_on_device(tx, DEVICE, now(book.clock)))
        assert turn is not None
        assert await play_on(book) == "completed"


async def test_without_a_clock_it_runs_while_the_centres_waits(tmp_path: Path) -> None:
    async with Book(tmp_path, wall=Wall(known=False, lie_s=-YEARS_S)) as book:
        await book.submit("theirs", deadline=at(60))
        await ordered(book, "ours", deadline=by_the_box(book, 60))
        await tick(book)
        turn = book.look(lambda tx: next_on_device(tx, DEVICE, now(book.clock)))
        assert turn is not None
        assert turn.id == "ours"
        assert await play_on(book, "ours") == "completed"
        assert (book.order("theirs").state, book.order("theirs").waiting_for) == ("waiting", "clock")


@pytest.mark.parametrize("known", [True, False])
async def test_what_has_passed_by_the_clock_of_the_box_is_refused(tmp_path: Path, known: bool) -> None:
    async with Book(tmp_path, wall=Wall(known=known)) as book:
        assert (await ordered(book, deadline=by_the_box(book, 0)))["code"] == "expired"


async def test_a_restart_of_the_agent_keeps_it(tmp_path: Path) -> None:
    async with Book(tmp_path, wall=Wall(known=False)) as book:
        await ordered(book, deadline=by_the_box(book, 60))
        await book.restart()
        book.wall.lie_s, book.wall.seconds = YEARS_S, 59.9
        await tick(book)
        assert book.order().state == "accepted"
        book.wall.seconds = 60.0
        await tick(book)
        assert book.order().state == "expired"


@pytest.mark.parametrize(("away_s", "ends"), [(30.0, "completed"), (90.0, "expired")])
async def test_after_a_reboot_it_waits_for_the_clock_and_then_counts_by_that(
    tmp_path: Path, away_s: float, ends: str
) -> None:
    async with Book(tmp_path) as book:
        await ordered(book, deadline=by_the_box(book, 60))
        book.wall.seconds = away_s
        await reboot(book, known=False)
        assert book.look(lambda tx: next_on_device(tx, DEVICE, now(book.clock))) is None
        await tick(book)
        assert (book.order().state, book.order().waiting_for) == ("waiting", "clock")
        book.wall.known = True
        await tick(book)
        assert (book.order().state if book.order().ended else await play_on(book)) == ends


@pytest.mark.parametrize("known", [True, False])
async def test_a_deadline_of_which_nobody_knew_the_time_does_not_outlive_its_boot(tmp_path: Path, known: bool) -> None:
    """Two years ahead when it was given: by a right clock it would stand for two years."""
    async with Book(tmp_path, wall=Wall(known=False, lie_s=YEARS_S)) as book:
        await ordered(book, "limited", deadline=by_the_box(book, 60))
        await ordered(book, "free")
        await reboot(book, known=known)
        book.wall.lie_s = 1.0
        await tick(book)
        assert (book.order("limited").state, book.order("limited").reason) == ("expired", "deadline_passed")
        assert await play_on(book, "free") == "completed"


async def test_a_card_that_was_drawn_before_the_reboot_is_captured(tmp_path: Path) -> None:
    async with Book(tmp_path, wall=Wall(known=False)) as book:
        await ordered(book, deadline=by_the_box(book, 60))
        await book.act()
        await book.settle("done", "transport")
        await reboot(book, known=False)
        await tick(book)
        assert await play_on(book) == "expired"
        assert book.states()["draw.undo"] == "done"


@pytest.mark.rule("ORD-1")
@pytest.mark.parametrize("lie_s", LIES)
async def test_its_document_is_fetched_at_its_time(tmp_path: Path, lie_s: float) -> None:
    async with Book(tmp_path) as book:
        await ordered(book, not_before=by_the_box(book, 60))
        paper = ("o1", "paper", "application/pdf", "0" * 64, "https://a", "wanted")
        sql = "INSERT INTO documents (order_id, name, media_type, sha256, address, state) VALUES (?, ?, ?, ?, ?, ?)"
        await book.do(lambda tx: tx.do(sql, *paper))
        await book.alter("UPDATE steps SET document = 'paper' WHERE name = 'draw'")
        wanted = []
        for seconds in (59.9, 60.0):
            book.wall.lie_s, book.wall.seconds = lie_s, seconds
            wanted.append(len(book.look(lambda tx: paper_rows.wanted(tx, wall_now(book.clock)))))
        assert wanted == [0, 1]


@pytest.mark.parametrize("lie_s", LIES)
async def test_its_code_opens_it_within_its_time(tmp_path: Path, lie_s: float) -> None:
    async with Book(tmp_path) as book:
        await ordered(
            book,
            scene="collect_card_by_code",
            code_sha256=hash_of("7"),
            not_before=by_the_box(book, 10),
            deadline=by_the_box(book, 60),
        )
        book.wall.lie_s = lie_s
        came = []
        for seconds in (9.9, 60.0):
            book.wall.seconds = seconds
            came.append(await book.do(lambda tx: scanned(tx, book.clock, "scanner-1", Scan("7", "7", ()))))
        assert came == [Came.TOO_EARLY, Came.ENDED]


async def test_the_centres_own_stand_on_the_wall_clock_as_before(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await book.submit(deadline=at(60), not_before=at(10))
        row = book.one("SELECT boot, begins_s, ends_s FROM orders")
        assert row is not None
        assert tuple(row) == (None, None, None)

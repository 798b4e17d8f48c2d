"""What time does to orders: deadlines, not before, a clock that nobody vouches for."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from cloud_bridge.envelope import rfc3339
from cloud_bridge.ports import StoreFailed
from edge_agent.orders.arming import NotNow
from edge_agent.orders.attesting import keep_trusted, newest_trusted
from edge_agent.timekeeper import KEEP_S, TICK_S, Timekeeper
from tests.edge_agent.orders import points as at_point
from tests.edge_agent.orders.points import Way, play_on
from tests.edge_agent.parts import DEVICE, NOON, Book, Json, Wall, at
from tests.virtual_time import virtual_time


class Keeper:
    """A timekeeper on a book, with the lanes that it woke."""

    def __init__(self, book: Book) -> None:
        self.woken: list[str] = []
        self.timekeeper = Timekeeper(book.journal, book.clock, lambda devices: self.woken.extend(sorted(devices)))

    async def tick(self) -> None:
        await self.timekeeper.tick()


@pytest.mark.rule("ORD-1")
@pytest.mark.parametrize("held", [False, True])
async def test_a_deadline_ends_an_order_that_was_not_begun(tmp_path: Path, held: bool) -> None:
    async with Book(tmp_path) as book:
        keeper = Keeper(book)
        await book.submit(deadline=at(60))
        if held:
            await book.ask("order.hold", subject="o1")
        book.wall.seconds = 59.9
        await keeper.tick()
        assert not book.order().ended
        book.wall.seconds = 60
        await keeper.tick()
        assert (book.order().state, book.order().reason) == ("expired", "deadline_passed")


@pytest.mark.rule("ORD-1")
async def test_a_deadline_between_draw_and_present_has_the_card_captured(tmp_path: Path) -> None:
    async with Book(tmp_path, given={"deadline": at(60)}) as book:
        await at_point.drawn(book)
        book.wall.seconds = 60
        await Keeper(book).tick()
        assert book.order().goal == "expire"
        assert await play_on(book) == "expired"
        assert book.states()["draw.undo"] == "done"


@pytest.mark.rule("ORD-1")
@pytest.mark.parametrize(
    "way", [at_point.draw_acting, at_point.draw_in_doubt, at_point.presented, at_point.awaited, at_point.not_taken]
)
async def test_a_deadline_does_not_touch_what_is_under_way_or_undone(tmp_path: Path, way: Way) -> None:
    async with Book(tmp_path, given={"deadline": at(60)}) as book:
        await way(book)
        book.wall.seconds = 3600
        before, commits = book.order(), book.disk.commits
        await Keeper(book).tick()
        assert book.order() == before
        assert book.disk.commits == commits


@pytest.mark.rule("ORD-1")
async def test_a_lane_is_told_once_when_the_time_of_its_order_has_come(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        keeper = Keeper(book)
        await book.submit(not_before=at(30))
        await keeper.tick()
        assert keeper.woken == []
        book.wall.seconds = 30
        await keeper.tick()
        await keeper.tick()
        assert keeper.woken == [DEVICE]
        await book.submit("o2", not_before=at(40))
        book.wall.seconds = 40
        await keeper.tick()
        assert keeper.woken == [DEVICE, DEVICE]


@pytest.mark.rule("INS-5")
async def test_without_a_clock_orders_with_times_wait_for_it_and_go_on_when_it_is_back(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        keeper = Keeper(book)
        await book.submit("timed", deadline=at(60))
        await book.submit("later", not_before=at(60))
        await book.submit("any")
        book.wall.known = False
        await keeper.tick()
        await keeper.tick()
        stands = {o: (book.order(o).state, book.order(o).waiting_for) for o in ("timed", "later", "any")}
        assert stands == {"timed": ("waiting", "clock"), "later": ("waiting", "clock"), "any": ("accepted", None)}
        assert book.told("order.changed", "to", order="timed") == ["accepted", "waiting"]
        book.wall.known = True
        await keeper.tick()
        assert {book.order(o).state for o in ("timed", "later")} == {"scheduled"}
        book.wall.known, book.wall.seconds = True, 61
        await keeper.tick()
        assert book.order("timed").state == "expired"


@pytest.mark.rule("INS-5")
async def test_a_deadline_that_passed_while_the_clock_was_away_counts_when_it_is_back(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        keeper = Keeper(book)
        await book.submit(deadline=at(60))
        book.wall.known, book.wall.seconds = False, 3600
        await keeper.tick()
        assert book.order().state == "waiting"
        book.wall.known = True
        await keeper.tick()
        assert book.order().state == "expired"


async def test_an_order_begun_without_a_clock_goes_on_as_running(tmp_path: Path) -> None:
    async with Book(tmp_path, given={"deadline": at(60)}) as book:
        await at_point.drawn(book)
        book.wall.known = False
        await Keeper(book).tick()
        assert (book.order().state, book.order().waiting_for) == ("waiting", "clock")
        book.wall.known = True
        await Keeper(book).tick()
        assert book.order().state == "running"
        assert await play_on(book) == "completed"


@pytest.mark.parametrize("known", [True, False])
async def test_a_tick_with_nothing_to_do_writes_nothing(tmp_path: Path, known: bool) -> None:
    async with Book(tmp_path, given={"deadline": at(60)}) as book:
        keeper = Keeper(book)
        await book.submit("held")
        await book.ask("order.hold", subject="held")
        await book.submit("waits")
        book.wall.known = known
        await keeper.tick()
        commits = book.disk.commits
        for _ in range(5):
            await keeper.tick()
        assert book.disk.commits == commits


@virtual_time
async def test_it_looks_twice_a_second_and_outlives_a_full_disk(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await book.submit(deadline=at(60))
        book.wall.seconds, book.disk.full = 61, True
        task = asyncio.create_task(Keeper(book).timekeeper.run())
        await asyncio.sleep(30)
        assert not task.done()
        assert book.order().state == "accepted"
        book.disk.full = False
        await asyncio.sleep(TICK_S)
        assert book.order().state == "expired"
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


# -- the grade ---------------------------------------------------------------------------------------------------------


def grades(book: Book) -> list[tuple[str, str, str]]:
    told = [e for e in book.events("journal.changed") if e["data"]["what"] == "clock_changed"]
    return [(e["data"]["facts"]["from"], e["data"]["facts"]["to"], e["data"]["reason"]) for e in told]


@pytest.mark.rule("INS-5")
@pytest.mark.parametrize(
    ("lie_s", "reason"),
    [
        (-3.0, "clock_stepped_back"),
        (301.0, "clock_jumped_ahead"),
        (-730 * 86_400.0, "clock_stepped_back"),
        (-NOON.timestamp(), "clock_stepped_back"),
    ],
)
async def test_a_jump_is_told_once_and_held_orders_go_on_when_the_time_is_known(
    tmp_path: Path, lie_s: float, reason: str
) -> None:
    async with Book(tmp_path) as book:
        keeper = Keeper(book)
        await book.submit(deadline=at(3600))
        await keeper.tick()
        book.wall.lie_s = lie_s
        for _ in range(3):
            await keeper.tick()
        assert grades(book) == [("synced", "unknown", reason)]
        assert book.look(newest_trusted) is None, "a time that nobody trusts is none to remember"
        assert (book.order().state, book.order().waiting_for) == ("waiting", "clock")
        book.wall.lie_s = 0
        await keeper.tick()
        book.wall.seconds += 61
        for _ in range(3):
            await keeper.tick()
        assert grades(book)[1:] == [("unknown", "synced", "")]
        assert book.order().state == "scheduled"


@pytest.mark.rule("INS-5")
async def test_a_jump_that_the_disk_could_not_take_is_told_later(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        keeper = Keeper(book)
        book.wall.known, book.disk.full = False, True
        with pytest.raises(StoreFailed):
            await keeper.tick()
        book.disk.full = False
        await keeper.tick()
        assert grades(book) == [("synced", "unknown", "clock_unknown")]


@pytest.mark.rule("INS-5")
async def test_between_two_looks_a_jump_stops_the_arming_all_the_same(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await Keeper(book).tick()
        await book.submit(deadline=at(3600))
        book.wall.lie_s = 2 * 3600
        assert await book.arm() == NotNow("clock_unknown")
        assert book.order().waiting_for == "clock"


@pytest.mark.rule("INS-5")
async def test_the_newest_trusted_time_is_kept_and_a_start_before_it_is_not_believed(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        keeper = Keeper(book)
        await keeper.tick()
        assert book.look(newest_trusted) is None, "not at each tick"
        book.wall.seconds = KEEP_S
        await keeper.tick()
        kept = book.look(newest_trusted)
        assert kept == book.wall.now()
        await book.restart()
        book.wall.lie_s = -3600
        book.clock.begin_after(book.look(newest_trusted))
        assert book.clock.grade() == "unknown"


# -- people confirm the time -------------------------------------------------------------------------------------------


async def attest(book: Book, **members: Any) -> Json:
    data = {"journal": book.journal.id, "epoch": book.journal.epoch, "time": rfc3339(book.wall.now())}
    return await book.ask("clock.attest", {**data, "people": ["zhang", "li"], **members})


@pytest.mark.rule("INS-5")
async def test_two_people_confirm_the_time_and_what_waited_goes_on(tmp_path: Path) -> None:
    async with Book(tmp_path, wall=Wall(known=False)) as book:
        keeper = Keeper(book)
        await book.submit("soon", deadline=at(60))
        await book.submit("late", deadline=at(3600))
        book.wall.seconds = 120
        await keeper.tick()
        assert {book.order(o).waiting_for for o in ("soon", "late")} == {"clock"}
        reply = await attest(book, note="radio clock")
        assert reply["status"] == "accepted", reply
        await keeper.tick()
        assert grades(book) == [("unknown", "attested", "")]
        assert (book.order("soon").state, book.order("late").state) == ("expired", "scheduled")
        [told] = [e["data"] for e in book.events("journal.changed") if e["data"]["what"] == "clock_attested"]
        assert told["facts"]["people"] == ["/people/zhang", "/people/li"]
        assert (told["reason"], told["facts"]["authenticated"]) == ("radio clock", False)
        await book.restart()  # within one boot it holds
        keeper = Keeper(book)
        await keeper.tick()
        assert book.clock.grade() == "attested"
        await book.restart()
        book.wall.boot = "boot-2"
        await Keeper(book).tick()
        assert book.clock.grade() == "unknown"


@pytest.mark.rule("INS-5")
@pytest.mark.parametrize(
    ("code", "members"),
    [
        ("unauthorized", {"people": ["zhang"]}),
        ("unauthorized", {"people": ["zhang", " ZHANG "]}),
        ("invalid", {"people": ["zhang", "centre"]}),
        ("conflict", {"epoch": 7}),
        ("conflict", {"journal": "another"}),
        ("conflict", {"time": at(61)}),
        ("conflict", {"time": at(-61)}),
        ("invalid", {"time": "noon"}),
    ],
)
async def test_what_does_not_confirm_the_time(tmp_path: Path, code: str, members: Json) -> None:
    async with Book(tmp_path, wall=Wall(known=False)) as book:
        reply = await attest(book, **members)
        assert reply.get("code") == code, reply
        await Keeper(book).tick()
        assert book.clock.grade() == "unknown"


@pytest.mark.rule("INS-5")
async def test_nobody_confirms_a_time_before_one_that_was_trusted(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        book.wall.seconds = 86_400
        await book.do(lambda tx: keep_trusted(tx, book.clock))
        await book.restart()
        book.wall.seconds, book.wall.known = 3600, False
        assert (await attest(book))["code"] == "conflict"
        book.wall.seconds = 86_401
        assert (await attest(book))["status"] == "accepted"


@pytest.mark.rule("INS-5")
async def test_what_the_disk_did_not_take_confirms_nothing(tmp_path: Path) -> None:
    async with Book(tmp_path, wall=Wall(known=False)) as book:
        book.disk.full = True
        with pytest.raises(StoreFailed):
            await attest(book)
        book.disk.full = False
        await Keeper(book).tick()
        assert book.clock.grade() == "unknown"

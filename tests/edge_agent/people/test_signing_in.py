"""Whether somebody gets in: failures, growing delays, the lock, and that no restart and no clock shortens them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from edge_agent.audit.proof import Wanted, prove, rows
from edge_agent.journal.tx import Tx
from edge_agent.people import signing_in
from edge_agent.people.register import PeopleRefused
from edge_agent.people.roles import Role, Trust
from edge_agent.people.signing_in import FREE, LOCKED_AT, LONGEST_S, MAX_WAITING, STRANGERS, delay_s
from tests.edge_agent.parts import Book, Json
from tests.edge_agent.people.desk import GOOD, People, quick
from tests.virtual_time import virtual_time

BAD = "wrong password"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)


async def a_branch(book: Book) -> People:
    people = People(book)
    await people.open()
    await people.set_up()
    await people.add("li")
    people.tries.clear()
    return people


async def fail(people: People, times: int, name: str = "li") -> None:
    """So many failures, each as soon as it is looked at."""
    for _ in range(times):
        people.book.wall.seconds += LONGEST_S
        assert await people.enters(name, BAD) == "wrong_credentials"


def audit(book: Book, act: str = "") -> list[Json]:
    return rows(book.folder, Wanted(1000, act=act))


def test_delays_grow_and_end() -> None:
    delays = [delay_s(n) for n in range(LOCKED_AT + 5)]
    assert delays[: FREE + 4] == [0, 0, 0, 1, 2, 4, 8]
    assert max(delays) == LONGEST_S
    assert delay_s(10_000) == LONGEST_S


@virtual_time
async def test_the_right_password_opens_in_any_spelling_of_the_name(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        people = await a_branch(book)
        assert [await people.enters(name) for name in ("li", "LI", " /people/li")] == ["/people/li"] * 3
        assert await people.enters("li", BAD) == "wrong_credentials"
        assert await people.enters("li", GOOD.upper()) == "wrong_credentials"


@virtual_time
async def test_too_soon_is_not_looked_at_and_not_counted(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        people = await a_branch(book)
        await fail(people, FREE + 1)
        looked = len(people.tries)
        with pytest.raises(PeopleRefused) as refused:
            await people.staff.sign_in.check("li", GOOD, "panel")
        assert (refused.value.code, refused.value.places) == ("too_soon", {"seconds": 2})
        assert len(people.tries) == looked
        book.wall.seconds += 1.9
        assert await people.enters("li") == "too_soon"
        book.wall.seconds += 0.2
        assert await people.enters("li") == "/people/li"
        assert people.staff.sign_in.failures("li") == 0, "who got in begins anew"


@virtual_time
async def test_ten_in_a_row_lock_and_only_people_unlock(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        people = await a_branch(book)
        await fail(people, LOCKED_AT)
        book.wall.seconds += 86_400
        assert await people.enters("li") == "locked"
        assert book.told("journal", "what")[-1] == "person_locked"
        assert len(audit(book, "sign_in.locked")) == 1
        await people.staff.unlock(people.actor("chief"), "Li")
        assert await people.enters("li") == "/people/li"
        assert audit(book, "people.unlock")[0]["who"] == ["/people/chief"]


@virtual_time
async def test_a_spelling_of_ones_own_for_each_try_is_no_way_round_delays_and_lock(tmp_path: Path) -> None:
    """Each of them once had a count of its own: whoever guessed had as many free tries as blanks fit into a name."""
    spellings = ["/people//people/li", *(f"/people/{' ' * n}li" for n in range(1, LOCKED_AT))]
    async with Book(tmp_path) as book:
        people = await a_branch(book)
        for n, name in enumerate(spellings[:LOCKED_AT]):
            assert people.staff.sign_in.failures("li") == n
            book.wall.seconds += LONGEST_S
            assert await people.enters(name, BAD) == "wrong_credentials"
        assert [await people.enters(name) for name in ("li", spellings[-1], "/people/   li")] == ["locked"] * 3


@pytest.mark.parametrize("failures", [FREE, FREE + 3, LOCKED_AT])
@virtual_time
async def test_a_restart_forgets_no_failure_and_each_delay_begins_anew(tmp_path: Path, failures: int) -> None:
    async with Book(tmp_path) as book:
        people = await a_branch(book)
        await fail(people, failures)
        book.wall.seconds += delay_s(failures) - 0.5
        await people.restart()
        assert people.staff.sign_in.failures("li") == failures
        book.wall.seconds += delay_s(failures) - 0.5
        assert await people.enters("li") == ("locked" if failures == LOCKED_AT else "too_soon")
        book.wall.seconds += 1
        assert await people.enters("li") == ("locked" if failures == LOCKED_AT else "/people/li")


@virtual_time
async def test_no_clock_that_is_set_shortens_a_delay(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        people = await a_branch(book)
        await fail(people, FREE + 5)
        book.wall.lie_s = 86_400
        assert await people.enters("li") == "too_soon"


@virtual_time
async def test_a_kill_while_the_password_is_looked_at_gives_no_free_try(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        people = await a_branch(book)
        await fail(people, FREE - 1)

        async def killed(_password: str, _kept: str) -> bool:
            raise ConnectionError("killed")

        people.staff.sign_in._fits = killed
        with pytest.raises(ConnectionError):
            await people.staff.sign_in.check("li", BAD, "panel")
        await people.restart()
        assert people.staff.sign_in.failures("li") == FREE


@virtual_time
async def test_names_that_nobody_has_look_like_anybodys(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        people = await a_branch(book)

        async def story(name: str) -> list[str]:
            told = [await people.enters(name, BAD) for _ in range(FREE + 1)]
            await fail(people, LOCKED_AT - FREE, name)
            return [*told, await people.enters(name, BAD)]

        assert await story("nobody") == await story("li")
        kept = [kept for _, kept in people.tries]
        assert len(kept) == 2 * LOCKED_AT, "for both as much work was done"


@virtual_time
async def test_no_clock_tells_whether_anybody_has_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with Book(tmp_path) as book:
        people = await a_branch(book)
        await people.add("wu")
        await people.staff.set_disabled(people.actor("chief"), "wu", disabled=True)
        monkeypatch.setattr(signing_in, "REFUSED_S", 1.0)
        sign_in, loop = people.staff.sign_in, asyncio.get_running_loop()
        write = sign_in._write

        async def onto_a_card(work: Callable[[Tx], object]) -> None:
            await asyncio.sleep(0.3)  # two for somebody, none for nobody
            await write(work)

        async def took_s(name: str) -> float:
            began_s = loop.time()
            assert await people.enters(name, BAD) == "wrong_credentials"
            return round(loop.time() - began_s, 3)

        monkeypatch.setattr(sign_in, "_write", onto_a_card)
        assert await took_s("nobody") == 1.0  # and its audit row for a minute
        assert [await took_s(name) for name in ("li", "nobody", "wu")] == [1.0] * 3
        refused = [asyncio.create_task(people.enters(name, BAD)) for name in ("nobody", "else")]
        await asyncio.sleep(0.1)
        assert await people.enters("li") == "/people/li"
        assert not any(one.done() for one in refused), "who waits for a refusal keeps nobody"
        await asyncio.gather(*refused)


@virtual_time
async def test_disabled_people_and_forgotten_names_are_told_nothing(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        people = await a_branch(book)
        await people.staff.set_disabled(people.actor("chief"), "li", disabled=True)
        assert await people.enters("li") == "wrong_credentials"
        assert await people.enters("", GOOD) == "wrong_credentials"
        assert await people.enters("li\ud800", "\ud800") == "wrong_credentials"
        await people.staff.set_disabled(people.actor("chief"), "li", disabled=False)
        assert await people.enters("li") == "/people/li"


@virtual_time
async def test_a_name_that_nobody_has_is_written_nowhere(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with Book(tmp_path) as book:
        people = await a_branch(book)
        for n in range(STRANGERS + 20):
            await people.enters(f"hunter2-{n}", GOOD)
        book.wall.seconds += 61
        await people.enters("hunter2", BAD)
        failed = audit(book, "sign_in.failed")
        assert [row["facts"] for row in failed] == [{"unknown_names": 1}, {"unknown_names": STRANGERS + 20}]
        assert len(people.staff.sign_in._strangers) == STRANGERS
        assert book.one("SELECT 1 FROM failures") is None
    for text in (caplog.text, (tmp_path / "journal.sqlite3").read_bytes().decode("latin-1")):
        assert "hunter2" not in text


@virtual_time
async def test_one_password_at_a_time_and_no_queue_without_end(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        people = await a_branch(book)
        at_work, most = 0, 0
        gate = asyncio.Event()

        async def slow(_password: str, _kept: str) -> bool:
            nonlocal at_work, most
            at_work += 1
            most = max(most, at_work)
            await gate.wait()
            at_work -= 1
            return True

        people.staff.sign_in._fits = slow
        coming = [asyncio.create_task(people.enters("li")) for _ in range(MAX_WAITING + 3)]
        await asyncio.sleep(1)
        gate.set()
        told = await asyncio.gather(*coming)
        assert (told.count("busy"), told.count("/people/li"), most) == (3, MAX_WAITING, 1)


@virtual_time
async def test_people_get_in_while_nothing_can_be_written_and_still_not_by_guessing(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        people = await a_branch(book)
        book.disk.full = True
        await fail(people, FREE + 1)
        assert await people.enters("li") == "too_soon"
        book.wall.seconds += 3
        assert await people.enters("li") == "/people/li"


@virtual_time
async def test_no_password_and_no_hash_in_log_or_audit(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with Book(tmp_path) as book:
        people = await a_branch(book)
        await fail(people, LOCKED_AT)
        await people.add("wang", Role.ENGINEER, "planted secret 1")
        await people.staff.set_password(people.actor("wang"), "wang", "planted secret 2")
        await people.enters("wang", "planted secret 3")
        token = await people.staff.add_application(people.actor("chief"), "till", Trust.ORDERS)
        hashed = [person.password for person in people.staff.register.people.values()]
    kept = (tmp_path / "journal.sqlite3").read_bytes() + (tmp_path / "people.json").read_bytes()
    said = caplog.text + str(audit(book))
    for secret in ("planted secret", GOOD, BAD, token):
        assert secret not in said
        assert secret.encode() not in kept
    assert not any(one in said or one.encode() in (tmp_path / "journal.sqlite3").read_bytes() for one in hashed)
    assert prove(tmp_path).findings == []

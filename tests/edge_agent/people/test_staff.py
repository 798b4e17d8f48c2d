"""People and their changes: first run, who may change what, and that file, journal and audit say the same."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from cloud_bridge.ports import StoreFailed
from edge_agent.audit.proof import Wanted, prove, rows
from edge_agent.people.register import PeopleRefused
from edge_agent.people.roles import Role, Trust
from edge_agent.people.staff import FILE, Staff
from tests.edge_agent.parts import Book
from tests.edge_agent.people.desk import GOOD, People, quick
from tests.virtual_time import virtual_time


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)


async def opened(book: Book, *, set_up: bool = True) -> People:
    people = People(book)
    await people.open()
    if set_up:
        await people.set_up()
    return people


async def refused(work: Awaitable[object]) -> str:
    with pytest.raises(PeopleRefused) as why:
        await work
    return why.value.code


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _lose_journal(folder: Path) -> None:
    for path in folder.glob("journal.sqlite3*"):
        path.unlink()


def acts(folder: Path) -> list[str]:
    return [row["act"] for row in rows(folder, Wanted(1000))]


# -- the first run -----------------------------------------------------------------------------------------------------


@virtual_time
async def test_a_first_run_has_no_default_password_but_a_code_for_root(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        people = await opened(book, set_up=False)
        code = people.staff.code
        assert stat.S_IMODE(code.path.stat().st_mode) == 0o600
        kept = code.kept()
        assert await people.enters("chief") == "wrong_credentials"
        assert await refused(people.staff.set_up("AAAA-AAAA-AAAA-AAAA", "chief", GOOD, "local")) == "wrong_code"
        await people.restart()
        assert people.staff.code.kept() == kept, "the one that was written down still holds"
        await people.staff.set_up(kept.lower(), "chief", GOOD, "local")
        assert await people.enters("chief") == "/people/chief"
        assert not code.path.exists()
        assert await refused(people.staff.set_up(kept, "other", GOOD, "local")) == "wrong_code"
        assert await refused(people.staff.set_up("", "other", GOOD, "local")) == "wrong_code"
        await people.restart()
        assert not code.path.exists()
    assert acts(tmp_path)[-1:] != []
    assert "people.set_up" in acts(tmp_path)


@virtual_time
async def test_a_one_time_code_makes_one_person_supervisor_though_two_hand_it_in_at_once(tmp_path: Path) -> None:
    """Between looking at the code and using it up a password is hashed: both once got in."""
    async with Book(tmp_path) as book:
        people = await opened(book, set_up=False)
        code = people.staff.code.kept()
        at_once = [people.staff.set_up(code, name, GOOD, "local") for name in ("first", "second")]
        first, second = await asyncio.gather(*at_once, return_exceptions=True)
        assert getattr(first, "name", "") == "first"
        assert getattr(second, "code", "") == "wrong_code"
        assert len(people.staff.register.people) == 1


@virtual_time
async def test_where_nobody_remembers_a_password_root_has_a_way(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        people = await opened(book)
        for _ in range(10):
            book.wall.seconds += 1000
            await people.enters("chief", "forgotten it")
        assert await people.enters("chief") == "locked"
        from edge_agent.people.staff import Actor

        await people.staff.new_code(Actor("/users/0", "local"))
        await people.set_up("chief", "another horse")
        assert await people.enters("chief", "another horse") == "/people/chief"
    assert [act for act in acts(tmp_path) if act.startswith("people.")] == [
        "people.set_up",
        "people.code",
        "people.set_up",
    ]


# -- changes -----------------------------------------------------------------------------------------------------------


@virtual_time
async def test_each_change_is_in_file_and_audit_and_survives_a_restart(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        people = await opened(book)
        chief, staff = people.actor("chief"), people.staff
        ended: list[str] = []
        staff.on_change = ended.append
        await staff.add(chief, "Li.Na", Role.TELLER, GOOD, "李娜")
        await staff.set_role(chief, "li.na", Role.HALL_MANAGER)
        await staff.set_password(people.actor("li.na"), "li.na", "my own choice")
        token = await staff.add_application(chief, "till", Trust.ORDERS)
        await people.restart()
        assert [one for one in people.staff.listed() if one["name"] == "li.na"] == [
            {
                "name": "li.na",
                "display": "李娜",
                "role": "hall_manager",
                "disabled": False,
                "locked": False,
                "failures": 0,
            }
        ]
        assert await people.enters("li.na", "my own choice") == "/people/li.na"
        till = people.staff.register.application_of(token)
        assert till is not None
        assert till.id == "/applications/till"
        assert people.staff.register.application_of(token + "x") is None
        await people.staff.remove_application(people.actor("chief"), "till")
        await people.staff.set_disabled(people.actor("chief"), "li.na", disabled=True)
        await people.restart()
        assert people.staff.register.application_of(token) is None
        assert people.staff.register.get("li.na").disabled
    told = [(row["act"], row["what"], row["who"][0]) for row in rows(tmp_path, Wanted(100)) if row["who"]]
    assert told == [
        ("people.set_up", "/people/chief", "/people/chief"),
        ("people.add", "/people/li.na", "/people/chief"),
        ("people.role", "/people/li.na", "/people/chief"),
        ("people.password", "/people/li.na", "/people/li.na"),
        ("applications.add", "/applications/till", "/people/chief"),
        ("applications.remove", "/applications/till", "/people/chief"),
        ("people.disable", "/people/li.na", "/people/chief"),
    ]
    assert ended == ["/people/li.na"] * 2
    assert _mode(tmp_path / FILE) == 0o600


WRONG: dict[str, tuple[Callable[[People, Staff], Awaitable[object]], str]] = {
    "a name twice": (lambda p, s: s.add(p.actor("chief"), "LI", Role.TELLER, GOOD), "name_taken"),
    "no name": (lambda p, s: s.add(p.actor("chief"), "no name", Role.TELLER, GOOD), "bad_name"),
    "a short password": (lambda p, s: s.add(p.actor("chief"), "wu", Role.TELLER, "short"), "password_length"),
    "a forgotten name": (lambda p, s: s.set_role(p.actor("chief"), "wu", Role.TELLER), "unknown_person"),
    "nobody's password": (lambda p, s: s.set_password(p.actor("chief"), "wu", GOOD), "unknown_person"),
    "nobody is unlocked": (lambda p, s: s.unlock(p.actor("chief"), "wu"), "unknown_person"),
    "the last supervisor goes": (
        lambda p, s: s.set_disabled(p.actor("chief"), "chief", disabled=True),
        "last_supervisor",
    ),
    "the last supervisor becomes another": (
        lambda p, s: s.set_role(p.actor("chief"), "chief", Role.TELLER),
        "last_supervisor",
    ),
    "a teller adds": (lambda p, s: s.add(p.actor("li"), "wu", Role.TELLER, GOOD), "not_allowed"),
    "a teller makes himself supervisor": (lambda p, s: s.set_role(p.actor("li"), "li", Role.SUPERVISOR), "not_allowed"),
    "a teller sets another's password": (lambda p, s: s.set_password(p.actor("li"), "chief", GOOD), "not_allowed"),
    "a teller unlocks": (lambda p, s: s.unlock(p.actor("li"), "li"), "not_allowed"),
    "a teller gives out tokens": (lambda p, s: s.add_application(p.actor("li"), "till", Trust.ORDERS), "not_allowed"),
    "no such application": (lambda p, s: s.remove_application(p.actor("chief"), "till"), "unknown_application"),
}


@pytest.mark.parametrize(("work", "code"), WRONG.values(), ids=WRONG)
@virtual_time
async def test_what_is_refused_changes_nothing(
    tmp_path: Path, work: Callable[[People, Staff], Awaitable[object]], code: str
) -> None:
    async with Book(tmp_path) as book:
        people = await opened(book)
        await people.add("li")
        before, told = (tmp_path / FILE).read_bytes(), acts(tmp_path)
        assert await refused(work(people, people.staff)) == code
        assert ((tmp_path / FILE).read_bytes(), acts(tmp_path)) == (before, told)
        await people.restart()
        assert await people.enters("li") == "/people/li"


@virtual_time
async def test_what_the_journal_cannot_write_is_not_changed(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        people = await opened(book)
        before = (tmp_path / FILE).read_bytes()
        book.disk.full = True
        with pytest.raises(StoreFailed):
            await people.add("li")
        book.disk.full = False
        assert people.staff.register.find("li") is None
        assert (tmp_path / FILE).read_bytes() == before
        await people.add("wu")
        await people.restart()
        assert sorted(people.staff.register.people) == ["chief", "wu"]
    assert "people.add" in acts(tmp_path)


# -- a file that somebody changed --------------------------------------------------------------------------------------


ALTERED: dict[str, Callable[[Path], object]] = {
    "an older copy": lambda path: path.write_bytes(path.with_name("older").read_bytes()),
    "a role written in by hand": lambda path: path.write_text(path.read_text().replace('"teller"', '"supervisor"')),
    "no JSON": lambda path: path.write_text("{"),
    "no register": lambda path: path.write_text('{"people": {"1": {"name": "li"}}}'),
    "a list": lambda path: path.write_text("[]"),
    "gone": lambda path: path.unlink(),
}


@pytest.mark.parametrize("alter", ALTERED.values(), ids=ALTERED)
@virtual_time
async def test_a_file_changed_while_the_agent_runs_is_not_made_the_one_that_counts_by_the_next_change(
    tmp_path: Path, alter: Callable[[Path], object]
) -> None:
    async with Book(tmp_path) as book:
        people = await opened(book)
        (tmp_path / "older").write_bytes((tmp_path / FILE).read_bytes())
        await people.add("li")
        alter(tmp_path / FILE)
        assert await refused(people.add("wu")) == "altered"
        assert book.told("journal", "what")[-1] == "people_altered"
        assert people.staff.altered
        assert await people.enters("chief") == "wrong_credentials"
        assert (await people.restart()).altered
        await people.set_up("chief", "another horse")
        assert not (await people.restart()).altered
        assert people.staff.register.find("wu") is None
    assert "accepted" in rows(tmp_path, Wanted(act="people.set_up"))[-1]["facts"]
    assert prove(tmp_path).findings == []


@pytest.mark.parametrize("alter", ALTERED.values(), ids=ALTERED)
@virtual_time
async def test_a_file_that_the_journal_does_not_know_lets_nobody_in(
    tmp_path: Path, alter: Callable[[Path], object]
) -> None:
    async with Book(tmp_path) as book:
        people = await opened(book)
        (tmp_path / "older").write_bytes((tmp_path / FILE).read_bytes())
        await people.add("li")
        alter(tmp_path / FILE)  # what somebody does to it while the agent is down
        await people.restart()
        assert (await people.open()).altered
        assert await people.enters("chief") == "wrong_credentials"
        assert book.told("journal", "what")[-1] == "people_altered"
        await people.set_up("chief", "another horse")
        assert await people.enters("chief", "another horse") == "/people/chief"
        await people.restart()
        assert not (await people.open()).altered
        assert await people.enters("chief", "another horse") == "/people/chief"
    assert "people.altered" in acts(tmp_path)
    assert "accepted" in rows(tmp_path, Wanted(act="people.set_up"))[-1]["facts"]
    assert prove(tmp_path).findings == []


@virtual_time
async def test_a_new_journal_takes_the_people_over_that_were_there(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        people = await opened(book)
        await people.add("li")
        await book.close()
        _lose_journal(tmp_path)
        book.wall.restart()
        await book.open()
        await people.open()
        assert await people.enters("li") == "/people/li"
        await people.restart()
        assert await people.enters("li") == "/people/li"
    assert acts(tmp_path)[0] == "people.adopted"


@virtual_time
async def test_beside_a_journal_that_cannot_be_written_people_still_get_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Book(tmp_path) as book:
        people = await opened(book)
        monkeypatch.setattr(book.journal, "read_only", "read_only")
        await people.open()
        assert await people.enters("chief") == "/people/chief"
        with pytest.raises(StoreFailed):
            await people.add("li")

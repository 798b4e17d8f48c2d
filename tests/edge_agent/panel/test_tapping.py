"""A machine's line, live: told in words to those who serve machines, bounded, and off the line when they go."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from device_drivers.escpos import commands
from device_drivers.links.tap import Passing
from edge_agent.audit.proof import Wanted, rows
from edge_agent.panel.pages import tapping
from edge_agent.people.roles import MAY, Right, Role
from edge_agent.texts import Texts
from edge_agent.upkeep import watching
from edge_agent.upkeep.recording import Recordings
from tests.edge_agent.panel import staged
from tests.edge_agent.panel.asking import Panel, Reader
from tests.edge_agent.panel.lines import ASKED, FakeLines
from tests.edge_agent.panel.pages_asking import Browser, site
from tests.edge_agent.panel.test_pages import text
from tests.edge_agent.parts import DEVICE, Book
from tests.edge_agent.people.desk import quick

EVENTS = "/machines/{}/tap/events"
NAME = "李小明 6222 0000 1111"


@pytest.fixture
def line() -> FakeLines:
    return FakeLines()


@pytest.fixture
async def panel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: FakeLines) -> AsyncIterator[Panel]:
    quick(monkeypatch)
    monkeypatch.setattr(tapping, "PACE_S", 0.0)
    async with Book(tmp_path) as book:
        panel = await site(book)
        object.__setattr__(panel.house, "twins", staged.twins)
        object.__setattr__(panel.house, "watching", line.watching)
        yield panel


def cookies(browser: Browser, lang: str = "zh") -> dict[str, str]:
    return {"cookie": "; ".join(f"{name}={value}" for name, value in {**browser.cookies, "lang": lang}.items())}


async def reader_of(panel: Panel, name: str = "engineer", device: str = DEVICE, lang: str = "zh") -> Reader:
    browser = await Browser.of(panel, name)
    return Reader(panel, cookies(browser, lang), path=EVENTS.format(device))


async def lines_of(reader: Reader, count: int) -> list[dict[str, Any]]:
    """The next so many, however they were told together."""
    got: list[dict[str, Any]] = []
    while len(got) < count:
        got += (await reader.next())["data"]["lines"]
    assert len(got) == count
    return got


@pytest.mark.parametrize("who", [*Role, None])
async def test_only_those_who_serve_machines_look(panel: Panel, line: FakeLines, who: Role | None) -> None:
    browser = await Browser.of(panel, who.value if who else "")
    may = who is not None and Right.SERVICE in MAY[who]
    assert may == (who in (Role.ENGINEER, Role.SUPERVISOR))
    page = await browser.get(f"/machines/{DEVICE}")
    assert (f"/machines/{DEVICE}/tap" in page.body.decode()) == may
    if not may:
        assert (await browser.get(EVENTS.format(DEVICE))).status == (403 if who else 303)
        assert not line.is_tapped()
        return
    async with Reader(panel, cookies(browser), path=EVENTS.format(DEVICE)) as reader:
        assert (await reader.next())["event"] == "begin"
        assert line.is_tapped()
    assert not line.is_tapped(), "nobody looks: nothing is on the line"


@pytest.mark.parametrize(
    ("lang", "said", "opened", "four"),
    [
        ("zh", "单元 0：初始化，卡不动，回收计数", "线路打开", "4 字节"),
        ("en", "unit 0: initialise, leave card, bin counted", "line opened", "4 B"),
    ],
)
async def test_frames_are_told_in_words_with_their_bytes(
    panel: Panel, line: FakeLines, lang: str, said: str, opened: str, four: str
) -> None:
    async with await reader_of(panel, lang=lang) as reader:
        await reader.next()
        await line.passes(ASKED[:4], ASKED[4:], answer=b"\x06")
        told = await lines_of(reader, 5)
    assert [one["way"] for one in told] == ["open", "write", "write", "read", "close"]
    assert told[0]["says"] == opened
    assert (told[1]["says"], told[1]["size"], told[1]["hex"]) == ("", four, "F2 00 00 03"), "not whole yet"
    assert told[2]["says"] == said
    assert told[3]["says"] == "ACK"


RECEIPT = NAME.encode("gbk")


@pytest.mark.parametrize(
    ("device", "piece", "says"),
    [
        ("receipt-1", RECEIPT, f"{len(RECEIPT)} 字节打印内容"),
        ("receipt-1", RECEIPT + b"\x1d\x56\x00", f"{len(RECEIPT)} 字节打印内容"),
        ("scanner-1", b"", ""),
        ("counter-1", b"", ""),
        ("screen-1", NAME.encode(), ""),
    ],
)
async def test_what_may_be_a_customers_is_shown_by_its_length(
    panel: Panel, line: FakeLines, device: str, piece: bytes, says: str
) -> None:
    """Printed, scanned, counted; and whatever passes beside a machine of which nothing is known."""
    async with await reader_of(panel, device=device) as reader:
        await reader.next()
        written = [piece] if piece else []
        await line.passes(*written, device=device, answer=b"" if piece else NAME.encode())
        told = (await lines_of(reader, 3))[1]
    assert "hex" not in told
    assert str(len(piece or NAME.encode())) in told["size"]
    assert "不显示" in told["size"]
    assert NAME not in json.dumps(told, ensure_ascii=False)
    assert says in told["says"]


async def test_a_printers_questions_and_answers_are_shown(panel: Panel, line: FakeLines) -> None:
    async with await reader_of(panel, device="receipt-1") as reader:
        await reader.next()
        await line.passes(commands.automatic_status(0x0F), device="receipt-1", answer=b"\x12")
        told = await lines_of(reader, 4)
    assert [one.get("hex") for one in told[1:3]] == ["1D 61 0F", "12"]


async def test_of_a_long_piece_the_beginning_is_shown(panel: Panel, line: FakeLines) -> None:
    async with await reader_of(panel) as reader:
        await reader.next()
        await line.passes(b"\x00" * 300)
        told = (await lines_of(reader, 3))[1]
    assert told["hex"] == " ".join(["00"] * 256) + " …另有 44 字节"


# -- bounds ------------------------------------------------------------------------------------------------------------


async def test_a_slow_reader_loses_the_oldest_and_is_told_how_many(panel: Panel, line: FakeLines) -> None:
    async with await reader_of(panel) as reader:
        await reader.next()
        held, taken = asyncio.Event(), asyncio.Event()
        original = tapping.Telling.lines
        loop = asyncio.get_running_loop()

        def slow(self: Any, lost: int, passings: Any) -> Any:
            loop.call_soon_threadsafe(taken.set)
            asyncio.run_coroutine_threadsafe(held.wait(), loop).result(60)
            return original(self, lost, passings)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(tapping.Telling, "lines", slow)
            await line.passes(b"first")
            await asyncio.wait_for(taken.wait(), 60)
            for n in range(100):
                await line.passes(b"%d" % n)  # three pieces each, and none waits for whoever looks
            held.set()
            first = await reader.next()
            assert (first["data"]["lost"], len(first["data"]["lines"])) == ("", 3)
            second = await reader.next()
    assert second["data"]["lost"] == "此处略过 100 条：浏览器来不及显示"
    assert len(second["data"]["lines"]) == watching.HELD
    assert second["data"]["lines"][-2]["hex"] == b"99".hex(" ")


def test_what_was_begun_before_a_gap_does_not_go_on_behind_it() -> None:
    telling = tapping.Telling("crt591", frozenset({"crt591"}), Texts("en"))
    head, rest = Passing(0.0, "write", ASKED[:4]), Passing(1.0, "write", ASKED[4:])
    assert telling.lines(0, [head, rest])[1]["says"]
    telling.lines(0, [head])
    assert telling.lines(3, [rest])[0]["says"] == ""


def test_what_is_held_is_bounded_in_bytes_too() -> None:
    watcher = watching.Watcher(lambda: None)
    for n in range(6):
        watcher.show(Passing(float(n), "write", bytes([n]) * (watching.HELD_BYTES // 3)))
    lost, held = watcher.take()
    assert (lost, [one.t_s for one in held]) == (3, [3.0, 4.0, 5.0])
    assert watcher.take() == (0, [])
    watcher.show(Passing(9.0, "write", b"x" * watching.HELD_BYTES * 2))
    assert watcher.take()[0] == 0, "one that is larger than all is told of"


async def test_few_look_at_once_and_nobody_takes_all_places(
    panel: Panel, line: FakeLines, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser, other = await Browser.of(panel, "engineer"), await Browser.of(panel, "supervisor")
    one, two = (Reader(panel, cookies(browser), path=EVENTS.format(DEVICE)) for _ in range(2))
    async with one, two:
        for reader in (one, two):
            await reader.next()
        refused = await asyncio.wait_for(browser.get(EVENTS.format("receipt-1")), 30)
        assert (refused.status, "人数已满" in text(refused)) == (503, True)
        async with Reader(panel, cookies(other), path=EVENTS.format(DEVICE)) as third:
            await third.next()
            monkeypatch.setattr(watching, "AT_ONCE", 3)
            late = await Browser.of(panel, "engineer")
            assert (await asyncio.wait_for(late.get(EVENTS.format(DEVICE)), 30)).status == 503
    assert not line.is_tapped()
    assert (await browser.get(EVENTS.format("none"))).status == 404
    assert (await browser.get("/machines/none/tap")).status == 404


async def test_who_comes_too_late_by_an_instant_is_told(
    panel: Panel, line: FakeLines, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = await Browser.of(panel, "engineer")

    async def meanwhile(*_: object) -> None:
        monkeypatch.setattr(watching, "AT_ONCE", 0)

    monkeypatch.setattr(tapping.Looks, "begin", meanwhile)
    answer = await browser.get(EVENTS.format(DEVICE))
    assert answer.body.decode() == 'event: end\ndata: {"reason": "too_many"}\n\n'
    assert not line.is_tapped()


# -- ends --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("how", "why"), [("role", "signed_out"), ("out", "signed_out"), ("right", "not_allowed")])
async def test_it_ends_with_session_and_right(
    panel: Panel, line: FakeLines, how: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser, staff = await Browser.of(panel, "engineer"), panel.people.staff
    async with Reader(panel, cookies(browser), path=EVENTS.format(DEVICE)) as reader:
        await reader.next()
        if how == "role":
            await staff.set_role(panel.people.actor("supervisor"), "engineer", Role.TELLER)
        elif how == "out":
            await browser.send("/sign-out")
        else:
            monkeypatch.setitem(MAY, Role.ENGINEER, frozenset({Right.SEE}))
            await line.passes(ASKED)
        end = await reader.next()
        assert (end["event"], end["data"]["reason"]) == ("end", why), "and nothing that passed before it"
    assert not line.is_tapped()


async def test_it_ends_with_the_agent(panel: Panel, line: FakeLines) -> None:
    reader = await reader_of(panel)
    await reader.__aenter__()
    await reader.next()
    panel.house.closing.set()
    assert reader._task is not None
    await asyncio.wait_for(reader._task, 60)
    assert not line.is_tapped()


async def test_a_reader_that_goes_while_a_piece_is_sent_leaves_the_line(panel: Panel, line: FakeLines) -> None:
    browser = await Browser.of(panel, "engineer")
    reader = Reader(panel, cookies(browser), path=EVENTS.format(DEVICE))
    stuck = asyncio.Event()
    original = panel.app

    async def app(scope: Any, receive: Any, send: Any) -> None:
        async def never(message: Any) -> None:
            await send(message)
            if b"lines" in message.get("body", b""):
                stuck.set()
                await asyncio.Event().wait()

        await original(scope, receive, never)

    panel.app = app
    async with reader:
        await reader.next()
        await line.passes(ASKED)
        await asyncio.wait_for(stuck.wait(), 60)
    assert not line.is_tapped()


# -- beside it ---------------------------------------------------------------------------------------------------------


async def test_a_recording_and_those_who_look_do_not_disturb_each_other(
    panel: Panel, line: FakeLines, tmp_path: Path
) -> None:
    recordings = Recordings(tmp_path, line.parts, line.lines)
    async with await reader_of(panel) as reader:
        await reader.next()
        path = recordings.begin(DEVICE, "n1", 60.0, 4096)
        await line.passes(ASKED)
        assert len(await lines_of(reader, 3)) == 3
        assert line.is_tapped()
    await line.passes(b"\x06")
    recordings.end(DEVICE)
    assert path.read_text("utf-8").count('"write"') == 2
    assert not line.is_tapped()


async def test_the_audit_says_once_when_somebody_begins_to_look(panel: Panel) -> None:
    book = panel.people.book
    browser = await Browser.of(panel, "engineer")

    async def looks() -> list[tuple[str, list[str]]]:
        async with Reader(panel, cookies(browser), path=EVENTS.format(DEVICE)) as reader:
            await reader.next()
        return [(row["what"], row["who"]) for row in rows(book.folder, Wanted(act="device.watch"))]

    one = [(DEVICE, ["/people/engineer"])]
    assert await looks() == one
    book.wall.seconds += tapping.AGAIN_S / 2
    assert await looks() == one, "the same browser came back after a bad moment"
    book.wall.seconds += tapping.AGAIN_S + 1
    assert await looks() == one * 2


async def test_nobody_looks_unseen(panel: Panel, line: FakeLines) -> None:
    browser = await Browser.of(panel, "engineer")
    panel.people.book.disk.full = True
    assert (await browser.get(EVENTS.format(DEVICE))).status == 503
    panel.people.book.disk.full = False
    assert not line.is_tapped()


async def test_a_journal_that_cannot_be_written_any_more_does_not_blind_the_engineer(
    panel: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = await reader_of(panel)
    monkeypatch.setattr(panel.house.journal, "read_only", True)
    async with reader:
        assert (await reader.next())["event"] == "begin"

"""That the parts around the clock are joined in the agent: what a start believes, retention, and the time server."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from pathlib import Path

import pytest

from edge_agent import app, beginning
from edge_agent.clock import Clock, Grade
from edge_agent.clock.lan import LanWatch
from edge_agent.orders.attesting import ATTESTED, keep_trusted
from edge_agent.settings import parse
from tests.edge_agent.parts import Book, Wall, at


def settings(folder: Path, clock: str = 'source = "host"') -> str:
    return f'[branch]\nid = "B1"\n[link]\nport = 1\n[journal]\nfolder = "{folder}"\n[clock]\n{clock}\n'


async def begin(book: Book) -> None:
    parsed = parse(settings(book.folder, ""))
    await book.do(lambda tx: beginning.begin(tx, book.journal, book.clock, parsed))


@pytest.mark.rule("INS-5")
async def test_a_start_before_the_newest_trusted_time_is_not_believed(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await book.do(lambda tx: keep_trusted(tx, book.clock))
        await book.restart()
        book.wall.lie_s = -86_400.0
        await begin(book)
        assert book.clock.grade() is Grade.UNKNOWN


@pytest.mark.rule("INS-5")
async def test_a_start_within_the_boot_knows_what_people_confirmed(tmp_path: Path) -> None:
    async with Book(tmp_path, wall=Wall(known=False)) as book:
        said = book.clock.attestation(("/people/zhang", "/people/li"), "i-1")
        await book.do(lambda tx: tx.set_meta(ATTESTED, json.dumps(asdict(said))))
        await begin(book)
        assert book.clock.grade() is Grade.ATTESTED


async def _running(text: str, until: asyncio.Event) -> None:
    running = asyncio.create_task(app.run(parse(text)))
    try:
        async with asyncio.timeout(60):
            await until.wait()
    finally:
        running.cancel()
        await asyncio.wait([running])


@pytest.mark.rule("INS-11")
async def test_the_agent_removes_what_is_due(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    swept = asyncio.Event()

    async def sleep(_seconds: float) -> None:
        swept.set()
        await asyncio.Event().wait()

    monkeypatch.setattr("edge_agent.upkeep.retention.Retention.__init__.__defaults__", (sleep, None))
    async with Book(tmp_path) as book:
        await book.ask("orders.request", deadline=at(60))
    await _running(settings(tmp_path), swept)
    async with Book(tmp_path) as book:
        assert book.one("SELECT 1 FROM inbox") is None
        assert book.look(lambda tx: tx.meta("floor")) == at(60)


@pytest.mark.rule("INS-5")
async def test_the_agent_asks_its_time_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = asyncio.Event()
    clocks: list[Clock] = []

    async def look(watch: LanWatch) -> None:
        watch._word = (True, watch.steady())
        asked.set()

    def clock(*given: object, **members: object) -> Clock:
        clocks.append(Clock(*given, **members))  # type: ignore[arg-type]
        return clocks[-1]

    monkeypatch.setattr("edge_agent.clock.lan.LanWatch.look", look)
    monkeypatch.setattr(app, "Clock", clock)
    monkeypatch.setattr(app, "kernel_synchronised", lambda: False)
    await _running(settings(tmp_path, 'source = "lan"\nlan_server = "127.0.0.1:9"'), asked)
    assert clocks[0].grade() is Grade.SYNCED

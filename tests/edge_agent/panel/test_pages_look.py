"""A machine looked at because somebody at the panel asks: who may, what they are told, and that the audit knows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from edge_agent.audit.proof import Wanted, rows
from edge_agent.panel.pages import probing
from edge_agent.people.roles import MAY, Right, Role
from edge_agent.texts import LANGUAGES, Texts
from tests.edge_agent.panel import staged
from tests.edge_agent.panel.asking import Panel
from tests.edge_agent.panel.pages_asking import Browser, site
from tests.edge_agent.panel.test_pages import text
from tests.edge_agent.parts import DEVICE
from tests.edge_agent.people.desk import quick

LOOK = f"/machines/{DEVICE}/look"


@pytest.fixture
async def panel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Panel]:
    """Its card dispenser is away until somebody looks."""
    quick(monkeypatch)
    async with staged.book_of(tmp_path) as book:
        panel = await site(book)
        twins = staged.twins()
        twins[DEVICE] |= {"state": "offline", "reason": "no_device"}
        looked: list[str] = []

        async def probe(device: str) -> None:
            looked.append(device)
            twins[device] |= {"state": "online", "reason": ""}

        object.__setattr__(panel.house, "twins", lambda: twins)
        object.__setattr__(panel.house, "probe", probe)
        yield panel


@pytest.mark.parametrize("who", list(Role))
async def test_whoever_decides_at_machines_may_have_one_looked_at(panel: Panel, who: Role) -> None:
    may = Right.RESOLVE in MAY[who]
    browser = await Browser.of(panel, who.value)
    page = (await browser.get(f"/machines/{DEVICE}")).body.decode()
    assert (f'action="{LOOK}"' in page) == may
    assert (await browser.send(LOOK)).status == (200 if may else 403)
    told = [row["who"] for row in rows(panel.people.book.folder, Wanted(20, act="device.probe"))]
    assert told == ([[f"/people/{who.value}"]] if may else [])


@pytest.mark.parametrize("lang", LANGUAGES)
async def test_what_was_seen_is_told_and_leads_back_to_the_machine(panel: Panel, lang: str) -> None:
    browser = await Browser.of(panel, "teller")
    await browser.get(f"/?lang={lang}")
    answer = await browser.send(LOOK)
    words = Texts(lang)
    assert words("panel.done_look", device=DEVICE, state=words.word("device_state", "online")) in text(answer)
    assert f'href="/machines/{DEVICE}"' in answer.body.decode()
    assert (await browser.send("/machines/none/look")).status == 404


async def test_a_machine_that_is_at_work_is_not_waited_for_any_longer(
    panel: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(_device: str) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(probing, "PATIENCE_S", 0)
    object.__setattr__(panel.house, "probe", never)
    answer = await (await Browser.of(panel, "teller")).send(LOOK)
    assert answer.status == 503
    assert Texts("zh")("panel.no_look_late", device=DEVICE) in text(answer)

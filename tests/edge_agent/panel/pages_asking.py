"""Whoever reads the pages: a browser without a screen, which keeps its cookies and sends what the page's script would.

Knows HTML as far as tests look into it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlencode, urlsplit

from edge_agent.panel.build import build
from edge_agent.panel.pages.site import pages
from tests.edge_agent.panel.asking import Answer, Panel, request
from tests.edge_agent.parts import Book
from tests.edge_agent.people.desk import GOOD


async def site(book: Book, *, tls: bool = False) -> Panel:
    """The panel with its pages."""
    panel = await Panel.of(book, tls=tls)
    panel.app, panel.inner = build(panel.house, tls=tls, more=pages(tls=tls))
    return panel


@dataclass(slots=True)
class Browser:
    """`await Browser.of(panel, "teller")` is signed in; without a name it is not."""

    panel: Panel
    cookies: dict[str, str] = field(default_factory=dict)
    csrf: str = ""

    @classmethod
    async def of(cls, panel: Panel, name: str = "") -> Self:
        browser = cls(panel)
        if name:
            answer = await browser.form("/sign-in", name=name, password=GOOD)
            assert answer.status == 303, answer.body.decode()
            await browser.get("/")
        return browser

    async def get(self, address: str, **headers: str) -> Answer:
        return await self._ask("GET", address, b"", headers)

    async def form(self, address: str, **fields: str) -> Answer:
        """A plain form, as a browser without scripts sends it."""
        kind = {"content-type": "application/x-www-form-urlencoded"}
        return await self._ask("POST", address, urlencode(fields).encode(), kind)

    async def send(self, address: str, **fields: Any) -> Answer:
        """A form as the page's script sends it."""
        headers = {"content-type": "application/json", "x-csrf-token": self.csrf}
        return await self._ask("POST", address, json.dumps(fields).encode(), headers)

    async def _ask(self, method: str, address: str, body: bytes, headers: dict[str, str]) -> Answer:
        parts = urlsplit(address)
        if self.cookies:
            headers = {**headers, "cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        self.panel.people.book.wall.seconds += 1  # a person is never as quick as the limit of rates
        answer = await request(self.panel.app, method, parts.path, parts.query, headers, body)
        self._keep(answer)
        return answer

    def _keep(self, answer: Answer) -> None:
        for cookie in re.findall(r"(?:^|, )(\w+)=([^;]*)", answer.headers.get("set-cookie", "")):
            self.cookies[cookie[0]] = cookie[1].strip('"')
        if found := re.search(r'<meta name="csrf" content="([^"]+)"', answer.body.decode("utf-8", "replace")):
            self.csrf = found[1]

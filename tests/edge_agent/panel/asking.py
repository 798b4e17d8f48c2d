"""A panel in memory and whoever asks it: requests go in as ASGI, with no socket and no server.

Knows ASGI and cookies; the server itself is tested over a real connection.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlencode

from edge_agent.panel.branch import House
from edge_agent.panel.build import API, build
from edge_agent.panel.limits import App
from edge_agent.people.deciding import Deciding
from edge_agent.people.roles import Role, Trust
from tests.edge_agent.parts import BRANCH, DEVICE, Book, Json
from tests.edge_agent.people.desk import GOOD, People


@dataclass(slots=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(slots=True)
class Panel:
    """`await Panel.of(book)`; one person of each role, and an application of each trust."""

    people: People
    house: House
    app: App
    inner: Any
    tokens: dict[str, str] = field(default_factory=dict)

    @classmethod
    async def of(cls, book: Book, *, tls: bool = False) -> Panel:
        people = People(book)
        await people.open()
        if not people.staff.is_set_up:
            await people.set_up("supervisor")
            chief = people.actor("supervisor")
            for role in Role:
                if role is not Role.SUPERVISOR:
                    await people.staff.add(chief, role.value, role, GOOD)
        twins = {DEVICE: {"device": DEVICE, "state": "online"}}
        deciding = Deciding(people.staff, book.intake, book.clock, book.branch)
        outbox = book.outbox()
        house = House(BRANCH, book.journal, book.intake, book.clock, people.staff, deciding, outbox, lambda: twins)
        app, inner = build(house, tls=tls)
        return cls(people, house, app, inner)

    async def token(self, trust: Trust) -> str:
        if trust.value not in self.tokens:
            chief = self.people.actor("supervisor")
            name = f"till-{trust.value}-{len(self.people.staff.register.applications)}"
            self.tokens[trust.value] = await self.people.staff.add_application(chief, name, trust)
        return self.tokens[trust.value]

    async def ask(
        self, method: str, path: str, body: Any = None, query: Json | None = None, /, **headers: str
    ) -> Answer:
        """One request; `headers` with underscores for dashes."""
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        fields |= {"content-type": "application/json"} if raw and "content-type" not in fields else {}
        return await request(self.app, method, API + path, urlencode(query or {}, doseq=True), fields, raw)

    async def sign_in(self, name: str, password: str = GOOD) -> dict[str, str]:
        """The headers of whoever is signed in."""
        answer = await self.ask("POST", "/session", {"name": name, "password": password})
        assert answer.status == 200, answer.body
        cookie = answer.headers["set-cookie"].split(";")[0]
        return {"cookie": cookie, "x_csrf_token": answer.json()["csrf"]}

    async def as_application(self, trust: Trust) -> dict[str, str]:
        return {"authorization": f"Bearer {await self.token(trust)}"}


def scope_of(method: str, path: str, query: str, headers: dict[str, str], size: int) -> Json:
    fields = {"host": "localhost", "content-length": str(size), **headers}
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in fields.items()],
        "client": ("192.0.2.1", 1),
        "server": ("panel", 80),
    }


async def request(app: App, method: str, path: str, query: str, headers: dict[str, str], body: bytes) -> Answer:
    sent: list[Any] = []
    left = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Json:
        if left:
            return left.pop()
        return await asyncio.Future()

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope_of(method, path, query, headers, len(body)), receive, send)
    start = sent[0]
    told = {name.decode().lower(): value.decode("latin-1") for name, value in start["headers"]}
    return Answer(start["status"], told, b"".join(message.get("body", b"") for message in sent[1:]))


class Reader:
    """Reads events as they come. `async with Reader(panel, headers) as reader`."""

    def __init__(self, panel: Panel, headers: dict[str, str], query: str = "", path: str = f"{API}/events") -> None:
        self._panel = panel
        self._scope = scope_of("GET", path, query, headers, 0)
        self._news: asyncio.Queue[str] = asyncio.Queue()
        self._gone = asyncio.Event()
        self.status = 0
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        async def receive() -> Json:
            await self._gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                self.status = message["status"]
            for block in message.get("body", b"").decode().split("\n\n"):
                if block and not block.startswith(":"):
                    self._news.put_nowait(block)

        async def work() -> None:
            await self._panel.app(self._scope, receive, send)

        self._task = asyncio.create_task(work())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._gone.set()
        assert self._task is not None
        await asyncio.wait_for(self._task, 60)

    async def next(self) -> Json:
        """One block: its fields, `data` as JSON."""
        block = await asyncio.wait_for(self._news.get(), 60)
        fields: Json = dict(line.split(": ", 1) for line in block.splitlines())
        return {**fields, "data": json.loads(fields["data"])}

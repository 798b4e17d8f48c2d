"""The OpenAPI document tells the truth: whatever it allows, and what it does not, is answered and never fails."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlencode

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.core.result import Ok

from edge_agent.panel.build import API
from edge_agent.panel.sessions import IDLE_S
from edge_agent.people.roles import MAY, Right, Role, Trust
from tests.edge_agent.panel.asking import Panel, scope_of
from tests.edge_agent.parts import Book, Json
from tests.edge_agent.people.desk import quick

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@dataclass(slots=True)
class Asker:
    """Sends generated requests into a panel in memory, and judges each answer by itself."""

    runner: asyncio.Runner
    book: Book
    panel: Panel
    document: Json
    guests: dict[Role | Trust, dict[str, str]] = field(default_factory=dict)
    came_s: float = 0.0
    answered: Counter[int] = field(default_factory=Counter)

    def come(self, *guests: Role | Trust) -> None:
        for who in guests:
            asking = self.panel.sign_in(who.value) if isinstance(who, Role) else self.panel.as_application(who)
            self.guests[who] = {name.replace("_", "-"): value for name, value in self.runner.run(asking).items()}
        self.came_s = self.book.wall.seconds

    def ask(self, case: Any) -> None:
        """As each of the guests."""
        sent = case.as_transport_kwargs(base_url="http://localhost")
        fields = {str(name).lower(): str(value) for name, value in sent["headers"].items()}
        fields = {name: value for name, value in fields.items() if value.isascii() and value.isprintable()}
        body = sent.get("json")
        raw = b"" if body is None else json.dumps(body).encode()
        fields |= {"content-type": "application/json"} if raw else {}
        query = urlencode(sent.get("params") or {}, doseq=True)
        if self.book.wall.seconds - self.came_s > IDLE_S / 2:
            self.come(*self.guests)
        for who, headers in list(self.guests.items()):
            self.book.wall.seconds += 4  # no rate in the way
            scope = scope_of(case.method, unquote(case.formatted_path), query, fields | headers, len(raw))
            self._judge(case, who, self.runner.run(asyncio.wait_for(self._answer(scope, raw), 60)))

    async def _answer(self, scope: Json, raw: bytes) -> list[Json]:
        """Whoever asks goes once the request is sent: a stream of events ends then, anything else is answered."""
        coming = iter([{"type": "http.request", "body": raw, "more_body": False}])
        sent: list[Json] = []

        async def receive() -> Json:
            return next(coming, {"type": "http.disconnect"})

        async def send(message: Any) -> None:
            sent.append(message)

        await self.panel.app(scope, receive, send)
        return sent

    def _judge(self, case: Any, who: Role | Trust, sent: list[Json]) -> None:
        if not sent:
            assert case.path.endswith("/events"), (case.method, case.path)
            return
        status, told = sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])
        at = (who, case.method, case.formatted_path, case.query, case.body, status, told)
        assert status < 500, at
        if status >= 400:
            assert json.loads(told).keys() & {"error", "code"}, at
        needs = self.document["paths"][case.path][case.method.lower()]["x-branchgate-needs"]
        if needs in set(Right) and needs not in MAY[who]:
            assert status == 403, at
        self.answered[status] += 1
        if status == 204:  # they signed out
            self.come(who)


@contextlib.contextmanager
def asker_at(folder: Path) -> Iterator[Asker]:
    with asyncio.Runner() as runner:
        book = Book(folder, fast=True)
        runner.run(book.__aenter__())
        try:
            panel = runner.run(Panel.of(book))
            runner.run(book.submit())
            document = runner.run(_document(panel))
            yield Asker(runner, book, panel, document)
        finally:
            runner.run(book.close())


async def _document(panel: Panel) -> Json:
    answer: Json = (await panel.ask("GET", "/openapi.json", **await panel.as_application(Trust.READER))).json()
    return answer


def everything(asker: Asker, examples: int) -> None:
    """Requests as the document allows them and as it does not, to each of its operations."""
    schema = schemathesis.openapi.from_dict(asker.document)
    for operation in schema.get_all_operations():
        assert isinstance(operation, Ok)
        found = operation.ok()
        _many(found.as_strategy(), asker, examples)
        with contextlib.suppress(Unsatisfiable):  # what takes nothing can be given nothing wrong
            _many(found.as_strategy(generation_mode=GenerationMode.NEGATIVE), asker, examples)


def _many(strategy: Any, asker: Asker, examples: int) -> None:
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=strategy)
    def check(case: Any) -> None:
        asker.ask(case)

    check()


def test_any_request_that_the_document_describes_gets_an_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick(monkeypatch)
    with asker_at(tmp_path) as asker:
        assert {path.removeprefix(API) for path in asker.document["paths"]} >= {"/orders", "/events", "/session"}
        asker.come(*Trust)
        everything(asker, 10)
        assert {200, 403, 404, 422} <= set(asker.answered)


@pytest.mark.torture
def test_thousands_of_requests_by_each_role_get_an_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)
    with asker_at(tmp_path) as asker:
        asker.come(*Trust, *Role)
        everything(asker, 100)
        assert {200, 204, 403, 404, 422} <= set(asker.answered)

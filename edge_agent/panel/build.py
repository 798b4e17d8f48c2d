"""The application put together: gate, routes, limits, and every refusal in one form.

Whoever adds pages declares them on a Table of their own (`more`); an undeclared route fails the start.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from cloud_bridge.ports import StoreFailed
from edge_agent.panel import api, auditing, signing, stream
from edge_agent.panel.branch import House
from edge_agent.panel.gate import Gate, Refused, Table, declared
from edge_agent.panel.limits import App, Limits
from edge_agent.panel.sessions import Sessions
from edge_agent.people.register import PeopleRefused
from edge_agent.people.roles import Right

API = "/api/v1"
_PEOPLE = {"wrong_credentials": 401, "not_allowed": 403, "too_soon": 429, "locked": 423, "busy": 503}
More = Callable[[FastAPI, Gate, House], None]


def build(house: House, *, tls: bool, more: More | None = None) -> tuple[App, FastAPI]:
    """The whole as ASGI, and the application inside of it. Raises Undeclared."""
    app = FastAPI(title="branchgate local API", version="1", docs_url=None, redoc_url=None, openapi_url=None)
    gate = Gate(house.staff, Sessions(house.clock.steady))
    house.staff.on_change = gate.sessions.end_all_of
    table = Table(app, gate, API)
    signing.routes(table, gate, house, tls=tls)
    api.routes(table, house)
    auditing.routes(table, house)
    stream.routes(table, gate, house)

    @table.route("GET", "/openapi.json", Right.SEE)
    async def openapi() -> dict[str, Any]:
        """This API as an OpenAPI document."""
        return app.openapi()

    _refusals(app)
    if more is not None:  # may tell a refusal in another form where a person reads it
        more(app, gate, house)
    declared(app)
    return Limits(app, house.clock.steady, tls=tls), app


def _refusals(app: FastAPI) -> None:
    @app.exception_handler(Refused)
    async def refused(_: Request, no: Refused) -> JSONResponse:
        return JSONResponse({"error": no.error, "message": no.message}, no.status, no.headers)

    @app.exception_handler(PeopleRefused)
    async def people(_: Request, no: PeopleRefused) -> JSONResponse:
        headers = {"retry-after": str(no.places["seconds"])} if "seconds" in no.places else None
        places = {name: str(value) for name, value in no.places.items()}
        return JSONResponse({"error": no.code, "places": places}, _PEOPLE.get(no.code, 422), headers)

    @app.exception_handler(StoreFailed)
    async def store(_: Request, no: StoreFailed) -> JSONResponse:
        return JSONResponse({"error": "store_failed", "message": str(no)}, 503, {"retry-after": "5"})

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, no: RequestValidationError) -> JSONResponse:
        """Where, and what is wrong; never what was sent: it may be a password."""
        wrong = [{"at": [str(part) for part in one["loc"]], "what": one["type"]} for one in no.errors()[:10]]
        return JSONResponse({"error": "invalid", "wrong": wrong}, 422)

    @app.exception_handler(HTTPException)
    async def other(_: Request, no: HTTPException) -> JSONResponse:
        return JSONResponse({"error": "not_found" if no.status_code == 404 else "refused"}, no.status_code, no.headers)

"""A page as a response: templates, the language somebody chose, and headers that let nothing foreign run.

Knows Jinja2 and how codes become words; must not know what any page shows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context
from jinja2.runtime import Context

from cloud_bridge import rejection
from cloud_bridge.digests import is_digest
from edge_agent.panel.gate import Guest
from edge_agent.panel.pages import words
from edge_agent.panel.pages.called import Called
from edge_agent.people.register import Person
from edge_agent.people.roles import Right
from edge_agent.texts import LANGUAGES, Texts

LANG = "lang"  # a query, and the cookie that remembers it
CSP = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
# Without a referrer of its own a browser sends forms with the origin `null`, as it does those of others.
_HEADERS = {"content-security-policy": CSP, "referrer-policy": "same-origin"}
_STATIC = {
    "panel.css": "text/css; charset=utf-8",
    "wall.css": "text/css; charset=utf-8",
    "panel.js": "text/javascript; charset=utf-8",
}
_YEAR = 365 * 86400


@dataclass(frozen=True, slots=True)
class Here:
    """What every page shows around itself."""

    branch: str
    journal: str
    seq: int  # the newest event that the page knows
    now: datetime  # what the branch's clock says: a time of another day is shown with its date
    asked: int = 0  # how many questions wait for people


def language_of(request: Request) -> str:
    """Chinese unless somebody chose otherwise."""
    for candidate in (request.query_params.get(LANG, ""), request.cookies.get(LANG, "")):
        if candidate in LANGUAGES:
            return candidate
    return "zh"


def onward(request: Request) -> str:
    """Where to lead back to after the sign-in: a choice stands in the query, and without it the page is another."""
    query = request.url.remove_query_params(LANG).query
    return quote(f"{request.url.path}?{query}" if query else request.url.path)


def page(
    request: Request, name: str, here: Here, guest: Guest | None, /, status: int = 200, **model: Any
) -> HTMLResponse:
    """The template `name`, filled."""
    lang = language_of(request)
    texts = Texts(lang)
    person = guest.who if guest is not None and isinstance(guest.who, Person) else None
    around: dict[str, Any] = {
        "t": texts,
        "called": Called(texts, model.pop("titles", {})),
        "word": texts.word,
        "lang": lang,
        "here": here,
        "person": person,
        "may": {right.value: person is not None and person.may(right) for right in Right},
        "csrf": guest.session.csrf if guest is not None and guest.session else "",
        "path": request.url.path,
        "about": request.path_params,  # the order or machine that the address names
        "onward": onward(request),
        "other": request.url.remove_query_params(LANG).include_query_params(**{LANG: _other(lang)}).query,
    }
    html = _environment().get_template(name).render({**around, **model})
    answer = HTMLResponse(html, status, headers=_HEADERS)
    if request.query_params.get(LANG) in LANGUAGES:
        answer.set_cookie(LANG, lang, max_age=_YEAR, samesite="strict", httponly=True, path="/")
    return answer


def _other(lang: str) -> str:
    return "en" if lang == "zh" else "zh"


@pass_context
def _clock(page: Context, time: str) -> str:
    return words.clock(time, page["here"].now)


@pass_context
def _minute(page: Context, time: str) -> str:
    return words.clock(time, page["here"].now, "")


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader(__package__, "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"clock": _clock, "minute": _minute, "day": words.day, "lasted": words.lasted, "plain": words.plain}
    made.tests["digest"] = is_digest
    made.globals |= {"because": rejection.told}
    made.globals |= {"static": {name: f"/static/{name}?v={digest}" for name, (_, digest) in _files().items()}}
    return made


@cache
def _files() -> Mapping[str, tuple[bytes, str]]:
    folder = files(__package__) / "static"
    read = {name: (folder / name).read_bytes() for name in _STATIC}
    return {name: (raw, hashlib.sha256(raw).hexdigest()[:12]) for name, raw in read.items()}


def static(name: str) -> Response | None:
    """One of our own files, from memory; its address changes with its content."""
    if name not in _STATIC:
        return None
    headers = {"cache-control": f"private, max-age={_YEAR}, immutable"}
    return Response(_files()[name][0], media_type=_STATIC[name], headers=headers)

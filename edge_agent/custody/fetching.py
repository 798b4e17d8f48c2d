"""One document over HTTPS: looked for where it moved to, within bounds, every way of going wrong told as a reason.

Knows addresses and bounds; how one is asked stands in `https`. Must not know orders nor where the bytes are kept.
Nothing of address or content is logged.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import SplitResult, urljoin, urlsplit

Take = Callable[[bytes], Awaitable[None]]
MAX_REDIRECTS = 3
_VISIBLE = re.compile(r"[!-~]+")  # all that a request's first line may hold
MAX_BYTES = 20 * 1024 * 1024


class NotFetched(Exception):
    """Why there is no document. `final`: it is not worth asking for again."""

    def __init__(self, reason: str, detail: str = "", *, final: bool = False) -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.final = final


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one fetching; the time of the whole bounds a server that drips."""

    max_bytes: int = MAX_BYTES
    connect_s: float = 15.0  # a branch's slow line included
    total_s: float = 180.0  # 20 MiB over 1 Mbit/s


async def fetch(address: str, take: Take, tls: ssl.SSLContext, limits: Limits) -> bool:
    """Hands the body to `take` piece by piece; whether its end was told (else it may be cut). Raises NotFetched."""
    from edge_agent.custody import https  # h11, for who has documents to print

    try:
        async with asyncio.timeout(limits.total_s):
            moved: str | None = ""
            for _ in range(MAX_REDIRECTS + 1):
                parts = _parts(address, moved)
                moved, end_told = await https.ask(parts, take, tls, limits)
                if moved is None:
                    return end_told
                address = parts.geturl()
    except TimeoutError:
        raise NotFetched("document_slow", f"not there after {limits.total_s:g} s") from None
    raise NotFetched("document_redirect", "sent from one address to the next too often")


def _parts(address: str, moved: str | None) -> SplitResult:
    """Where to ask next. Raises NotFetched when that is no https address."""
    try:
        parts = urlsplit(urljoin(address, moved or ""))
        whole = parts.scheme == "https" and parts.hostname and parts.username is None and parts.port != 0
        if whole and _VISIBLE.fullmatch(parts.geturl()):
            return parts
    except ValueError:
        pass  # the same as below
    raise NotFetched("document_redirect", "sent to what is no https address")

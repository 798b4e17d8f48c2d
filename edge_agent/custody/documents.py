"""The custodian of documents (ORD-1): fetches what open orders will print, and deletes it once that is settled.

Knows rows, files and when to try again; must not know printers. No word of a document or of its address is logged.
"""

from __future__ import annotations

import asyncio
import logging
import random
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from cloud_bridge.ports import StoreFailed
from device_drivers.links.finish import finish_first
from edge_agent.clock import Clock
from edge_agent.custody import paper_rows
from edge_agent.custody.fetching import Limits, NotFetched, fetch
from edge_agent.custody.keeping import Keeping, Part
from edge_agent.custody.paper_rows import Paper
from edge_agent.fleet.materials import NotReady
from edge_agent.journal.journal import Journal, Tx
from edge_agent.orders.times import wall_now

log = logging.getLogger(__name__)
T = TypeVar("T")
AGAIN_MIN_S = 1.0
AGAIN_MAX_S = 60.0  # an unreachable host costs one attempt a minute
PATIENCE_S = 5.0  # a lane waits so long for a document that is on its way, before its order says so
AT_ONCE = 4  # one silent host must not keep the others' documents back


@dataclass(slots=True)
class DocumentParts:
    """What the custodian is made of."""

    journal: Journal
    clock: Clock
    folder: Path
    tls: Callable[[], ssl.SSLContext]  # may block: it reads the authorities' certificates
    limits: Limits = field(default_factory=Limits)
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    jitter: Callable[[], float] = field(default=random.random)
    patience_s: float = PATIENCE_S


async def _apart(work: Callable[..., T], *values: Any) -> T:
    """Work on files in a thread, to its end also when cancelled."""
    return await finish_first(asyncio.to_thread(work, *values))


async def _kept(work: Callable[..., T], *values: Any) -> T:
    """The same; a disk that refuses is a reason to try again, not the server's fault."""
    try:
        return await _apart(work, *values)
    except OSError as error:
        raise NotFetched("document_not_kept", type(error).__name__) from error


async def _opened(tls: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    try:
        return await asyncio.to_thread(tls)
    except OSError as error:  # the file with the authorities went away since the start
        raise NotFetched("document_certificate", type(error).__name__) from error


def _keep(part: Part, sha256: str, end_told: bool) -> None:  # noqa: FBT001  # handed through a thread's positions
    """Raises NotFetched when it is not the document that was ordered."""
    if part.sha256 == sha256:
        part.keep()
    elif end_told:
        raise NotFetched("document_refused", "its SHA-256 is another", final=True)
    else:
        raise NotFetched("document_cut", "no end was told, and its SHA-256 is another")


class Documents:
    """Run as one task; `look` when an order may have come, gone on or ended."""

    def __init__(self, parts: DocumentParts) -> None:
        self._p = parts
        self._journal = parts.journal
        self._keeping = Keeping(parts.folder)
        self._tls: ssl.SSLContext | None = None
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._under_way: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._looked_at = asyncio.Event()
        self._looked_at.set()
        self._news = asyncio.Event()  # another one each time that a fetching came to something

    def look(self) -> None:
        self._looked_at.set()

    async def run(self) -> None:
        """Ends only by cancellation; what it began to fetch is dropped then."""
        tidy = False
        async with asyncio.TaskGroup() as group:
            while True:
                await self._looked_at.wait()
                self._looked_at.clear()
                try:
                    tidy = tidy or await self._tidy()
                    if self._journal.kept(paper_rows.ANY_OPEN, paper_rows.any_open):
                        needless, wanted = self._journal.glance(self._open)
                        await self._delete(needless)
                        self._begin(group, wanted)
                except (StoreFailed, OSError) as error:
                    log.error("documents rest: %s", error)
                    await self._p.sleep(AGAIN_MIN_S)
                    self.look()

    def _open(self, tx: Tx) -> tuple[list[Paper], list[Paper]]:
        return paper_rows.needless(tx), paper_rows.wanted(tx, wall_now(self._p.clock))

    # -- what may lie there --------------------------------------------------------------------------------------------

    async def _tidy(self) -> bool:
        """After a start nothing lies there but what an open step will print, whole."""
        kept = await self._journal.read(paper_rows.fetched)
        paths = {self._keeping.path_of(*paper.key) for paper in kept}
        if strange := await _apart(self._keeping.remove_all_but, paths):
            log.info("documents: %d removed that no open order needs", strange)
        return True

    async def _delete(self, needless: list[Paper]) -> None:
        for paper in needless:
            if task := self._under_way.get(paper.key):
                task.cancel()
                await asyncio.wait([task])
            await _apart(self._keeping.remove, *paper.key)
            await self._journal.write(partial(paper_rows.change, paper=paper, state="deleted"))
            log.info("order %s: document %s deleted", *paper.key)

    # -- fetching ------------------------------------------------------------------------------------------------------

    def _begin(self, group: asyncio.TaskGroup, wanted: list[Paper]) -> None:
        for paper in wanted:
            if paper.key not in self._under_way:
                task = group.create_task(self._obtain(paper), name=f"document {paper.order_id}.{paper.name}")
                self._under_way[paper.key] = task
                task.add_done_callback(partial(self._forget, paper.key))

    def _forget(self, key: tuple[str, str], task: asyncio.Task[None]) -> None:
        self._under_way.pop(key, None)
        self._announce()

    def _announce(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    async def _obtain(self, paper: Paper) -> None:
        """Tries until it is there, refused, or no longer needed (then it is cancelled)."""
        again_s, reason = AGAIN_MIN_S, paper.reason
        if not await self._still_wanted(paper):
            return
        while True:
            try:
                async with self._turns:
                    await self._fetch(paper)
                log.info("order %s: document %s fetched", *paper.key)
                await self._change(paper, "fetched")
                return
            except NotFetched as why:
                if why.reason != reason or why.final:
                    log.warning("order %s: document %s not fetched: %s", *paper.key, why)
                    reason = why.reason
                    await self._change(paper, "refused" if why.final else "wanted", reason)
                if why.final:
                    return
            self._announce()
            await self._p.sleep(again_s * (0.75 + self._p.jitter() / 2))
            again_s = min(again_s * 2, AGAIN_MAX_S)

    async def _still_wanted(self, paper: Paper) -> bool:
        """Not when it came since it was seen to be wanted; a journal that cannot be read now does not make it so."""
        try:
            now = await self._journal.read(lambda tx: paper_rows.find_paper(tx, *paper.key))
        except StoreFailed:
            return True
        return now is not None and now.state == "wanted"

    async def _change(self, paper: Paper, state: str, reason: str = "") -> None:
        """The journal may rest for a while; what is to be told is not lost by that."""
        while True:
            try:
                await self._journal.write(partial(paper_rows.change, paper=paper, state=state, reason=reason))
                return
            except StoreFailed as error:
                log.error("documents rest: %s", error)
                await self._p.sleep(AGAIN_MIN_S)

    async def _fetch(self, paper: Paper) -> None:
        """The whole document in its place, or NotFetched and nothing of it."""
        if self._tls is None:
            self._tls = await _opened(self._p.tls)
        part = await _kept(self._keeping.begin, *paper.key)
        try:
            end_told = await fetch(paper.address, partial(_kept, part.write), self._tls, self._p.limits)
            await _kept(_keep, part, paper.sha256, end_told)
        finally:
            await _apart(part.drop)

    # -- handing out ---------------------------------------------------------------------------------------------------

    async def bring(self, order_id: str, name: str) -> dict[str, Any]:
        """The member `document` of an act's parameters. Raises NotReady."""
        until = asyncio.get_running_loop().time() + self._p.patience_s
        while True:
            news = self._news
            paper = await self._journal.read(lambda tx: paper_rows.find_paper(tx, order_id, name))
            if paper is None:
                raise NotReady("document_gone", waits_for="never")
            if await self._is_here(paper):
                path = str(self._keeping.path_of(order_id, name))
                return {"name": name, "media_type": paper.media_type, "sha256": paper.sha256, "path": path}
            try:
                async with asyncio.timeout_at(until):
                    await news.wait()
            except TimeoutError:
                raise NotReady("document_fetching", waits_for="remote") from None

    async def _is_here(self, paper: Paper) -> bool:
        """Raises NotReady when waiting is no use, or has been told to be of no use for now."""
        if paper.state == "deleted":
            raise NotReady("document_gone", waits_for="never")
        if paper.state == "refused":
            raise NotReady(paper.reason, waits_for="never")
        if paper.state == "fetched":
            if await asyncio.to_thread(self._keeping.is_intact, *paper.key, paper.sha256):
                return True
            log.warning("order %s: document %s is not whole any more: it is fetched again", *paper.key)
            await self._journal.write(partial(paper_rows.change, paper=paper, state="wanted"))
            self.look()
        elif paper.reason:
            raise NotReady(paper.reason, waits_for="remote")
        return False

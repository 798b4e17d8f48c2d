"""The register as it is kept: file and journal agree on it, also after a crash (docs/decisions/0071).

A change is staged beside the file, committed in the journal with its audit row and the file's digest, then published by
renaming. The commit is what counts. Knows this order; what is changed, and who may, is said elsewhere.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from edge_agent.audit.chain import Deed, record
from edge_agent.clock import Clock
from edge_agent.journal.journal import Journal
from edge_agent.journal.tx import Tx
from edge_agent.orders.desk import JOURNAL_CHANGED
from edge_agent.people.register import PeopleRefused, Register
from edge_agent.people.staged import StagedStorage

log = logging.getLogger(__name__)
DIGEST = "people"  # in the journal: SHA-256 of the file that counts
ALTERED = "people_altered"
Change = Callable[[Register], object]


class KeptRegister:
    """`await KeptRegister.open(...)`; then read `register`, and change it by `change`."""

    def __init__(self, journal: Journal, clock: Clock, storage: StagedStorage) -> None:
        self._journal = journal
        self._clock = clock
        self._storage = storage
        self._changing = asyncio.Lock()
        self.altered = True  # the file is not the one that the journal knows: nobody gets in by it
        self.register = self._nobodys()

    @classmethod
    async def open(cls, journal: Journal, clock: Clock, path: Path) -> KeptRegister:
        """Makes file and journal agree. Raises StoreFailed."""
        kept = cls(journal, clock, StagedStorage(path))
        wanted = await journal.read(lambda tx: tx.meta(DIGEST) or None)
        try:
            if await kept._agrees(wanted):
                kept.register, kept.altered = Register(kept._storage), False
        except (OSError, ValueError) as error:
            log.error("%s cannot be used: %s", path, error)
        if kept.altered:
            log.error("%s is not the file that the journal knows: nobody can sign in by it", path)
            if not journal.read_only:
                await journal.write(kept._tell_altered)
        return kept

    async def _agrees(self, wanted: str | None) -> bool:
        """Whether the file, or what was staged beside it, is the one that counts. Raises OSError, ValueError."""
        if self._journal.read_only:  # what was staged stays for a start that can write
            return wanted in (None, self._storage.digest())
        if wanted is not None:
            return self._storage.recover(wanted)
        self._storage.discard()
        Register(self._storage)  # a new journal: the register that was there before it still holds, if it is one
        if digest := self._storage.digest():
            deed = Deed("people.adopted", "", ("/agent",), "agent", facts={"file": digest})
            await self._journal.write(lambda tx: self._committed(tx, deed, digest))
        return True

    def _nobodys(self) -> Register:
        return Register(StagedStorage(self._storage.path.with_name("nobody.json")))

    def _tell_altered(self, tx: Tx) -> None:
        record(tx, self._clock, Deed("people.altered", "", (), "agent"))
        tx.emit(JOURNAL_CHANGED, None, {"what": ALTERED})

    async def change(self, deed: Deed, change: Change, *, accept: bool = False) -> None:
        """Staged, committed with its audit row, published; when cancelled it is finished first.

        `accept`: an altered file is taken as it is. Raises PeopleRefused, OSError, StoreFailed; nothing changed then.
        """
        changing = asyncio.ensure_future(self._change_one(deed, change, accept=accept))
        cancelled: asyncio.CancelledError | None = None
        while not changing.done():
            try:
                await asyncio.wait([changing])
            except asyncio.CancelledError as error:
                cancelled = error
        failed = changing.exception()
        if cancelled is not None:
            raise cancelled
        if failed is not None:
            raise failed

    async def _change_one(self, deed: Deed, change: Change, *, accept: bool) -> None:
        async with self._changing:
            if self._storage.is_owed:  # committed before, and its file could not be renamed then
                await asyncio.to_thread(self._storage.publish)
            if not self.altered:
                await self._look_again()
            if self.altered and not accept:
                raise PeopleRefused("altered")
            register, facts = self.register, dict(deed.facts)
            if self.altered:
                register, facts["accepted"] = self._as_it_is(), self._storage.digest()
            try:
                await asyncio.to_thread(change, register)
                digest = self._storage.digest()
                done = replace(deed, facts={**facts, "file": digest})
                await self._journal.write(lambda tx: self._committed(tx, done, digest))
            except BaseException:
                self._storage.forget()
                raise
            await asyncio.to_thread(self._publish)
            register.reload()
            self.register, self.altered = register, False

    async def _look_again(self) -> None:
        """Somebody may have changed the file while the agent ran: a change upon it would make theirs count, too."""
        wanted = await self._journal.read(lambda tx: tx.meta(DIGEST))
        try:
            if await asyncio.to_thread(self._storage.digest) == wanted:
                return
            if await asyncio.to_thread(self._storage.recover, wanted):  # a commit that was said to fail stands
                self.register.reload()
                return
        except (OSError, ValueError) as error:
            log.error("%s cannot be used: %s", self._storage.path, error)
        log.error("%s is not the file that the journal knows: nobody can sign in by it", self._storage.path)
        self.register, self.altered = self._nobodys(), True
        await self._journal.write(self._tell_altered)

    def _as_it_is(self) -> Register:
        """The altered file; one that cannot be read is put aside."""
        try:
            return Register(self._storage)
        except ValueError:
            path = self._storage.path
            number = 1 + len(list(path.parent.glob(f"{path.name}.unreadable-*")))
            path.rename(path.with_name(f"{path.name}.unreadable-{number}"))
        return Register(self._storage)

    def _committed(self, tx: Tx, deed: Deed, digest: str) -> None:
        record(tx, self._clock, deed)
        tx.set_meta(DIGEST, digest)

    def _publish(self) -> None:
        try:
            self._storage.publish()
        except OSError as error:  # the next change, or the next start, publishes it
            log.error("%s waits beside its file: %s", self._storage.next, error)

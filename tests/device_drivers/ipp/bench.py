"""A simulated printer behind a link that counts every read and write and can be cut at any of them, on jumping time.

Knows the driver, the simulator and a notebook that outlives the driver; a `Killed` is the end of a process.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from device_drivers.device import Arming, Json, Verdict
from device_drivers.ipp.driver import DocumentPrinter
from device_drivers.ipp.host import Instant
from device_drivers.ipp.http import Target
from device_drivers.ipp.profile import IppProfile
from device_drivers.links.line import SharedLine
from device_drivers.links.link import LinkError
from simulators.ipp.options import parse_options
from simulators.ipp.printer import IppPrinter
from simulators.machine import Effect, Plug, Send, Unplug

PDF = b"%PDF-1.4\n1 0 obj<</Type/Pages/Count 2>>\n2 0 obj<</Type /Page>>\n3 0 obj<</Type/Page >>\n" + b"%x\n" * 9000
SHA = hashlib.sha256(PDF).hexdigest()
ATTEMPT = "O-17/print/1"
PROFILE: dict[str, Any] = {"act_max_s": 30.0, "settle_s": 2.0, "incoming_s": 5.0, "history_s": 3600.0}
READ_FAILS = "missing.pdf"


class Killed(BaseException):
    """The process ends here: nothing of it runs on."""


class PrinterLink:
    """A `link.Link` straight into the machine. `kill_at` n raises at the nth read or write, after or before it."""

    def __init__(self, machine: IppPrinter) -> None:
        self.machine = machine
        self.effects: list[Effect] = []
        self.calls: list[str] = []
        self.kill_at = 0
        self.lose_at = 0
        self.opens = 0
        self.written = bytearray()
        self._inbox = bytearray()
        self._open = False
        self._plugged = True
        self._changed = asyncio.Event()

    def describe(self) -> str:
        return "ipp://printer.test:631/ipp/print"

    async def open(self) -> None:
        if self._open:
            return
        if not self._plugged:
            raise LinkError(self.describe(), "refused")
        self.opens += 1
        self._open = True
        self._inbox.clear()
        self.machine.opened(_now())

    async def close(self) -> None:
        if self._open:
            self._open = False
            self.machine.closed(_now())
            self.pump()

    async def read(self, max_bytes: int, timeout_s: float) -> bytes:
        self._count("read")
        try:
            async with asyncio.timeout(timeout_s):
                while not self._inbox:
                    if not self._open:
                        raise LinkError(self.describe(), "closed by the printer")
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return b""
        data = bytes(self._inbox[:max_bytes])
        del self._inbox[:max_bytes]
        return data

    async def write(self, data: bytes) -> None:
        self._count("write")
        if not self._open:
            raise LinkError(self.describe(), "closed by the printer")
        self.written += data
        self.machine.receive(data, _now())
        self.pump()

    def _count(self, what: str) -> None:
        self.calls.append(what)
        if len(self.calls) == self.kill_at:
            raise Killed
        if len(self.calls) == self.lose_at:
            self._drop()
            raise LinkError(self.describe(), "lost")

    def _drop(self) -> None:
        self._open = False
        self.machine.closed(_now())
        self.pump()
        self._changed.set()

    def pump(self) -> None:
        """Obeys what the machine has to do by now."""
        for action in self.machine.advance(_now()):
            if isinstance(action, Effect):
                self.effects.append(action)
            elif isinstance(action, Send) and self._open:
                self._inbox += action.data
            elif isinstance(action, Unplug):
                self._plugged = action.for_s is not None
                self._open = False
            elif isinstance(action, Plug):
                self._plugged = True
        self._changed.set()

    async def run(self) -> None:
        """The machine's own time."""
        while True:
            due_s = self.machine.next_time()
            await asyncio.sleep(0.05 if due_s is None else max(0.0, min(due_s - _now(), 0.05)))
            self.pump()

    @property
    def sheets(self) -> list[dict[str, Any]]:
        """What lies in the tray, as the ledger tells it."""
        return [effect.detail for effect in self.effects if effect.act == "sheet_out"]


class PaperNotebook:
    """A notebook that outlives its driver. `deny` makes the next writing fail."""

    def __init__(self) -> None:
        self.kept: dict[str, Json] = {}
        self.proofs: list[tuple[str, Verdict]] = []
        self.deny = False
        self.remembered = 0

    async def note(self, kind: str, facts: Mapping[str, Json], memory: Mapping[str, Json] | None = None) -> None:
        raise AssertionError("a document printer has nothing that it tells only once")

    async def notes_since(self, arming: Arming) -> list[str]:
        return []

    async def memory(self) -> Mapping[str, Json]:
        return dict(self.kept)

    async def remember(self, memory: Mapping[str, Json]) -> None:
        if self.deny:
            raise Killed
        self.remembered += 1
        self.join(memory)

    def join(self, memory: Mapping[str, Json]) -> None:
        """As the engine does in the transaction of an arming or a verdict."""
        self.kept = {k: v for k, v in {**self.kept, **memory}.items() if v is not None}

    async def proved(self, attempt: str, verdict: Verdict) -> None:
        self.proofs.append((attempt, verdict))
        self.join(verdict.memory)


class Bench:
    """One printer, one notebook, and drivers that come and go."""

    def __init__(self, link: PrinterLink) -> None:
        self.link = link
        self.machine = link.machine
        self.notebook = PaperNotebook()
        self.boot = "boot-1"
        self.files: dict[str, bytes] = {"statement.pdf": PDF}
        self.profile: dict[str, Any] = dict(PROFILE)

    async def driver(self) -> DocumentPrinter:
        """A new process's driver, connected."""
        driver = DocumentPrinter(
            "a4-1",
            SharedLine(self.link),
            Target("printer.test", 631, "/ipp/print"),
            IppProfile.model_validate(self.profile),
            self.notebook,
            read=self.read,
            clock=lambda: Instant(self.boot, _now()),
        )
        await driver.connect()
        return driver

    async def read(self, path: Path, bytes_max: int) -> bytes:
        if path.name not in self.files:
            raise FileNotFoundError(path.name)
        return self.files[path.name][:bytes_max]

    def params(
        self, attempt: str = ATTEMPT, *, reprint: int = 0, document: Mapping[str, str] | None = None
    ) -> dict[str, Json]:
        told = {"name": "statement", "media_type": "application/pdf", "sha256": SHA, "path": "/j/statement.pdf"}
        return {
            "order": "O-17",
            "step": "print",
            "attempt": attempt,
            "reprint": reprint,
            "document": {**told, **(document or {})},
        }

    async def arm(self, driver: DocumentPrinter, params: dict[str, Json]) -> Arming:
        arming = await driver.arm("print_document", params)
        self.notebook.join(arming.memory)
        return arming

    async def print(self, driver: DocumentPrinter, params: dict[str, Json] | None = None) -> Verdict:
        params = params or self.params()
        verdict = await driver.act("print_document", params, await self.arm(driver, params))
        self.notebook.join(verdict.memory)
        return verdict

    async def reconcile(self, params: dict[str, Json], arming: Arming) -> Verdict:
        """What a later process finds out; params without the document, as the engine hands them."""
        driver = await self.driver()
        asked = {key: value for key, value in params.items() if key != "document"}
        await asyncio.sleep(driver.settle_s)
        verdict = await driver.reconcile("print_document", asked, arming)
        self.notebook.join(verdict.memory)
        return verdict

    def fault(self, name: str, **args: Any) -> None:
        self.machine.control({"do": "fault", "name": name, "args": args}, _now())
        self.link.pump()

    def do(self, verb: str, **keys: Any) -> dict[str, Any]:
        answer = self.machine.control({"do": verb, **keys}, _now())
        self.link.pump()
        return answer


@asynccontextmanager
async def bench(**options: Any) -> AsyncIterator[Bench]:
    """A printer that runs until the block ends."""
    link = PrinterLink(IppPrinter("a4-1", parse_options(options)))
    running = asyncio.create_task(link.run(), name="printer")
    try:
        yield Bench(link)
    finally:
        running.cancel()
        await asyncio.wait([running])
        if not running.cancelled():
            running.result()


async def killed(work: Callable[[], Awaitable[object]]) -> bool:
    """Whether the process ended in the middle of it."""
    try:
        await work()
    except Killed:
        return True
    return False


def _now() -> float:
    return asyncio.get_running_loop().time()

"""The receipt printer driver: prints a sheet once, and says what proves that it became paper.

Knows one printer and its evidence; must not know orders, scenes, nor when something is printed again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from device_drivers.device import ActKind, ActSpec, Arming, Json, Notebook, Outcome, Twin, Verdict, Whereabouts
from device_drivers.errors import DeviceRefused, DeviceUnavailable
from device_drivers.escpos import capabilities, evidence, sheets, twin
from device_drivers.escpos.conversation import Conversation
from device_drivers.escpos.evidence import AWAIT_TAKEN, PRINT, PRINTED, PROCESSED, TICKET, VOID, Armed
from device_drivers.escpos.memory import Remembered, opened
from device_drivers.escpos.press import Job, Press
from device_drivers.escpos.printer import Printer
from device_drivers.escpos.profile import EscPosProfile
from device_drivers.escpos.sheets import Printout
from device_drivers.escpos.status import HANDS, Status
from device_drivers.links.line import SharedLine

FRESH_S = 0.5  # readings of an arming older than this are taken again before the sheet leaves
READINGS_MAX = 5
Sleep = Callable[[float], Awaitable[None]]


class ReceiptPrinter:
    """A `device.Driver` for one ESC/POS printer."""

    def __init__(
        self,
        device_id: str,
        line: SharedLine,
        profile: EscPosProfile,
        notebook: Notebook,
        *,
        is_tcp: bool,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self.device_id = device_id
        self._profile = profile
        self._notebook = notebook
        self._is_tcp = is_tcp
        self._sleep = sleep
        self._talk = Conversation(line, profile)
        self._printer = Printer(self._talk, profile, notebook)
        self._armed_at_s = 0.0  # loop time of the newest arming's readings
        self._acted_in = (-1, "")  # the session and sheet of the newest act: only its own calm is a witness
        self._maker = sheets.Maker(profile)
        self._acts = {spec.name: spec for spec in _acts(profile)}

    @property
    def acts(self) -> Mapping[str, ActSpec]:
        """print_receipt, void_receipt, print_ticket; with a presenter await_taken."""
        return self._acts

    @property
    def settle_s(self) -> float:
        """act_max_s, on TCP with drain_s."""
        return self._profile.settle_s(is_tcp=self._is_tcp)

    async def connect(self) -> None:
        """Takes hold of the line. Raises DeviceUnavailable."""
        await self._printer.connect()

    async def disconnect(self) -> None:
        """Lets go of the line; harmless when not connected."""
        await self._talk.disconnect()

    async def probe(self) -> Twin:
        """Status by real-time questions; identity and abilities once, when it is idle. Prints and moves nothing."""
        memory = await self._printer.remembered()
        status = await self._printer.look()
        presenter = await self._printer.presenter()
        memory = await self._printer.know(status, memory)
        if status.paper_out and memory.sheets:
            await self._notebook.remember({"sheets": 0})
        counted = 0 if status.paper_out else memory.sheets
        named = dict((memory.probed or {}).get("identity") or {}) | self._printer.identity
        return twin.describe(status, presenter, counted, self._profile, named, twin.counters(self._talk))

    async def recover(self) -> None:
        """After a person looked: nothing is sent but questions. What stays wrong is told by the next arming."""
        await self._printer.remembered()

    async def probe_again(self) -> None:
        """Finds out anew what the printer can, at the next look at it while it is idle."""
        await self._printer.forget()

    async def arm(self, act: str, params: Mapping[str, Json]) -> Arming:
        """The sheet made ready, status, next process ID. Raises DeviceRefused, DeviceUnavailable, NothingToDo."""
        if self._spec(act).kind is ActKind.WATCH:
            return Arming({"ticket": await self._ticket()})
        attempt, reprint = sheets.attempt_of(params), sheets.reprint_of(params)
        self._maker.forget()  # only the act of this arming may go on with what is made here
        sheet = self._maker.sheet_of(act, params)
        self._maker.printout(sheet, left=[])  # what can never be printed is refused before anything is asked
        memory = await self._printer.remembered()
        retracts = act == VOID and bool(self._profile.retract_hex)
        status = await self._ready(retracts=retracts)
        memory = await self._printer.know(status, memory)
        if memory.without(attempt) and evidence.ways(self._profile, memory.probed).fence:
            memory = await self._outwait(retracts=retracts)
        mouth = retracts and await self._ticket()
        left = memory.without(attempt)
        named = sheets.voided(params) if act == VOID else []
        waiting = [job.attempt for job in left]
        printout = self._maker.printout(sheet, left=waiting, named=named, mouth=mouth)
        ways = evidence.ways(self._profile, memory.probed)
        countable = ways.counter and not left  # a question in the queue would be eaten by a half-fed printer
        readings = {
            "attempt": attempt,
            "reprint": reprint,
            "statuses": status.facts(),
            "process_id": memory.process_id if ways.process_id else None,
            "cutter": await capabilities.cutter_counter(self._talk) if countable else None,
            "sheet": printout.sha256,
            "bytes": printout.size,
            "rows": printout.rows,
            "cuts": printout.cuts,
            "sheets": printout.sheets,
            "left": [[job.attempt, job.process_id] for job in left],
            "mouth": mouth,
            "retracts": retracts,
            "identity": dict((memory.probed or {}).get("identity") or {}),
            "probed": {name: value for name, value in (memory.probed or {}).items() if name != "identity"},
            "evidence": ways.best,
        }
        self._armed_at_s = _now()
        return Arming(readings, memory.armed(attempt, with_id=ways.process_id))

    async def act(self, act: str, params: Mapping[str, Json], arming: Arming) -> Verdict:
        """Writes the sheet once. Raises OutcomeUnknown; DeviceUnavailable, DeviceRefused: nothing was sent."""
        if self._spec(act).kind is ActKind.WATCH:
            raise DeviceRefused("invalid_act", f"{act} prints nothing; it is watched")
        armed, attempt = Armed.of(arming), _attempt(arming, params)
        self._printer.own, self._printer.acting = armed.process_id, attempt
        try:
            job = self._job(act, params, arming, armed)
            await self._still(attempt, armed)
            return await self._print(attempt, job)
        except (DeviceRefused, DeviceUnavailable):
            memory = Remembered.of(await self._notebook.memory())
            await self._notebook.remember(opened(memory.without(attempt)))  # none of its bytes left
            raise
        finally:
            self._printer.own = self._printer.acting = ""
            self._maker.forget()

    async def watch(
        self, act: str, params: Mapping[str, Json], arming: Arming, *, limit_s: float, fresh: bool
    ) -> Verdict:
        """Looks every `poll_s` until the ticket left the mouth. Raises DeviceUnavailable when the line is lost.

        The look of the arming was the first: a process that the box did not let run since has seen the ticket, too.
        """
        if self._spec(act).kind is not ActKind.WATCH:
            raise DeviceRefused("invalid_act", f"{act} is no watch")
        until = _now() + (limit_s if fresh else max(limit_s, self._profile.take_min_s))
        seen = fresh and bool(arming.readings.get("ticket"))
        while await self._ticket():
            seen = True
            if (left := until - _now()) <= 0:
                return Verdict(Outcome.FAILED, "not_taken", Whereabouts.MOUTH)
            await self._sleep(min(self._profile.poll_s, left))
        return _taken(witnessed=seen)

    async def reconcile(self, act: str, params: Mapping[str, Json], arming: Arming) -> Verdict:
        """What came back, the cutter counter where it is listed, the mouth, else nobody knows.

        Raises DeviceUnavailable.
        """
        if self._spec(act).kind is ActKind.WATCH:
            ticket = await self._ticket()
            still = Verdict(Outcome.NO_EFFECT, "still_in_mouth", Whereabouts.MOUTH)
            return still if ticket else _taken(witnessed=False)
        armed, attempt = Armed.of(arming), _attempt(arming, params)
        # What is heard of it now is told as the verdict, not behind the caller's back.
        self._printer.own, self._printer.acting = armed.process_id, attempt
        self._talk.half_fed = True
        try:
            await self._talk.listen()
            status = await self._printer.look()
            verdict = await self._counted(attempt, armed, status) if armed.cutter is not None else None
            if armed.process_id and armed.process_id in self._talk.ids:
                return await self._came_out(attempt, armed, PRINTED)
            if verdict is None and not status.trouble and await self._lies_in_mouth(armed):
                return await self._came_out(attempt, armed, PROCESSED)
        finally:
            self._printer.own = self._printer.acting = ""
        return verdict or evidence.unproven(act, armed, status.trouble if status.trouble in HANDS else "unproven")

    async def _ready(self, *, retracts: bool = False) -> Status:
        """The preconditions; only what takes a ticket back may find one in the mouth. Raises DeviceRefused."""
        status = await self._printer.look()
        if status.trouble:
            waits_for = "stock" if status.trouble == "paper_out" else "device"
            raise DeviceRefused(status.trouble, "the printer says so", waits_for=waits_for)
        presenter = await self._printer.presenter()
        if presenter is not None and presenter.ticket and not retracts:
            raise DeviceRefused("ticket_in_mouth", "one waits to be taken", item=Whereabouts.MOUTH)
        return status

    async def _outwait(self, *, retracts: bool) -> Remembered:
        """A fence has no name: one of a job before is answered while the printer may still be at that, not after."""
        until = _now() + self._profile.act_max_s
        while (left := until - _now()) > 0:
            await self._sleep(min(left, self._profile.poll_s))
            await self._ready(retracts=retracts)
        return await self._printer.remembered()

    async def _still(self, attempt: str, armed: Armed) -> None:
        """What was armed is still so: a job before it that was proved meanwhile must not be declared void."""
        if _now() > self._armed_at_s + FRESH_S:
            await self._ready(retracts=armed.retracts)
        memory = await self._printer.remembered()
        if [(job.attempt, job.process_id) for job in memory.without(attempt)] != list(armed.left):
            raise DeviceRefused("moved_on", "a job before it was proved")

    def _job(self, act: str, params: Mapping[str, Json], arming: Arming, armed: Armed) -> Job:
        """The bytes once more, which must be those that were armed. Raises DeviceRefused."""
        sheet = self._maker.sheet_of(act, params)
        named = sheets.voided(params) if act == VOID else []
        left = [attempt for attempt, _ in armed.left]
        made: Printout = self._maker.printout(sheet, left=left, named=named, mouth=armed.mouth)
        if made.sha256 != armed.sheet:
            raise DeviceRefused("invalid_arming", "the sheet is not the one that was armed")
        ways = evidence.ways(self._profile, arming.readings.get("probed"))
        return Job(made.pieces, made.rows, ways, armed)

    async def _print(self, attempt: str, job: Job) -> Verdict:
        press = Press(self._talk, self._profile, self._printer.keep_proofs)
        self._talk.calm, self._talk.cover_was_open = True, False
        self._acted_in = (self._talk.session, job.armed.sheet)
        return await self._came_out(attempt, job.armed, await press.print(job))

    async def _came_out(self, attempt: str, armed: Armed, proof: str) -> Verdict:
        """What came with it for jobs before is kept first, while it is still known that they were open."""
        await self._printer.keep_proofs()
        self._printer.own = ""
        memory = Remembered.of(await self._notebook.memory())
        self._talk.ids.clear()
        settled = memory.proved(attempt, sheets=armed.sheets, voided=bool(armed.left))
        return evidence.came_out(armed, proof, presenter=self._profile.presenter, memory=settled)

    async def _counted(self, attempt: str, armed: Armed, status: Status) -> Verdict | None:
        """What the cutter counter says; 'nothing' takes two equal readings, and a printer that was never away."""
        previous: int | None = None
        for _ in range(READINGS_MAX):
            if status.trouble:
                return None
            counted = await capabilities.cutter_counter(self._talk)
            if counted is None or await self._is_another(armed):
                return None
            calm = self._talk.calm and self._acted_in == (self._talk.session, armed.sheet)
            said = evidence.judge_counter(armed, counted, calm=calm, cover_was_open=self._talk.cover_was_open)
            if said == PROCESSED:
                return await self._came_out(attempt, armed, PROCESSED)
            if not said or counted == previous:
                return evidence.not_printed(armed, counted) if said else None
            previous = counted
            await self._sleep(self._profile.act_max_s)
            status = await self._printer.look()
        return None

    async def _is_another(self, armed: Armed) -> bool:
        """Whether the address leads to another printer by now, whose counter says nothing of the sheet."""
        return bool(armed.identity) and await capabilities.identity(self._talk) != armed.identity

    async def _lies_in_mouth(self, armed: Armed) -> bool:
        """What a cut put into a mouth that was empty when it was armed; not with a slip that came out before it.

        The zeros before these questions ended whatever stood behind the cut: no half command is left in the printer.
        """
        return not armed.left and not armed.retracts and await self._ticket()

    async def _ticket(self) -> bool:
        presenter = await self._printer.presenter()
        return presenter is not None and presenter.ticket

    def _spec(self, act: str) -> ActSpec:
        if act not in self._acts:
            raise DeviceRefused("unknown_act", f"{act!r}; this printer offers {', '.join(self._acts)}")
        return self._acts[act]


def _taken(*, witnessed: bool) -> Verdict:
    facts = {"taken": "witnessed" if witnessed else "inferred"}
    return Verdict(Outcome.DONE, "taken", Whereabouts.CUSTOMER, facts)


def _attempt(arming: Arming, params: Mapping[str, Json]) -> str:
    return str(arming.readings.get("attempt") or params.get("attempt", ""))


def _acts(profile: EscPosProfile) -> tuple[ActSpec, ...]:
    printing = (
        ActSpec(PRINT, ActKind.POSITIONAL, "Prints a receipt.", profile.act_max_s),
        ActSpec(VOID, ActKind.IDEMPOTENT, "Prints a slip that declares a receipt void.", profile.act_max_s),
        ActSpec(TICKET, ActKind.IDEMPOTENT, "Prints a ticket.", profile.act_max_s),
    )
    watching = ActSpec(AWAIT_TAKEN, ActKind.WATCH, "Watches the mouth until the ticket was taken.", 0.0)
    return (*printing, watching) if profile.presenter else printing


def _now() -> float:
    return asyncio.get_running_loop().time()

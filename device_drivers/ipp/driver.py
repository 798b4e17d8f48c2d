"""The document printer's driver: prints one document as one job that bears the attempt's id, and finds it again.

Knows the order of requests and what is written down before each; must not know orders nor when to try again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from device_drivers.device import ActKind, ActSpec, Arming, Json, Notebook, Outcome, Twin, Verdict, Whereabouts
from device_drivers.errors import DeviceRefused, DeviceUnavailable, OutcomeUnknown
from device_drivers.ipp import cover, evidence, preconditions, twin
from device_drivers.ipp.conversation import Conversation
from device_drivers.ipp.document import Document, ReadFile, read_file
from device_drivers.ipp.evidence import Before, judge, with_facts
from device_drivers.ipp.host import Instant, instant
from device_drivers.ipp.http import Target
from device_drivers.ipp.memory import JOB, Begun, Late, Stage, late_jobs, with_late, without_late
from device_drivers.ipp.printer import Job
from device_drivers.ipp.profile import IppProfile
from device_drivers.ipp.queue import Queue
from device_drivers.links.line import SharedLine

PRINT_DOCUMENT = "print_document"
Sleep = Callable[[float], Awaitable[None]]


class DocumentPrinter:
    """A `device.Driver` for one printer that speaks IPP."""

    def __init__(
        self,
        device_id: str,
        line: SharedLine,
        target: Target,
        profile: IppProfile,
        notebook: Notebook,
        *,
        sleep: Sleep = asyncio.sleep,
        read: ReadFile = read_file,
        clock: Callable[[], Instant] = instant,
    ) -> None:
        self.device_id = device_id
        self._profile = profile
        self._notebook = notebook
        self._sleep, self._read, self._clock = sleep, read, clock
        self._conversation = Conversation(line, target, profile.answer_s)
        self._queue = Queue(self._conversation, profile.jobs_max)
        title = "Prints one document as one job of the printer."
        self._acts = {PRINT_DOCUMENT: ActSpec(PRINT_DOCUMENT, ActKind.COUNTABLE, title, profile.act_max_s)}

    @property
    def acts(self) -> Mapping[str, ActSpec]:
        """print_document."""
        return self._acts

    @property
    def settle_s(self) -> float:
        """Short: the job outlives the connection, and questions disturb no printer."""
        return self._profile.settle_s

    async def connect(self) -> None:
        """Shows that somebody listens. Raises DeviceUnavailable."""
        await self._conversation.connect()

    async def disconnect(self) -> None:
        """Harmless when not connected."""
        await self._conversation.disconnect()

    async def probe(self) -> Twin:
        """State, paper and toner; and the end of jobs that people were asked about."""
        state = await self._queue.state()
        for late in late_jobs(await self._notebook.memory()):
            await self._hear_late(late)
        return twin.describe(state, self._conversation.repeats)

    async def recover(self) -> None:
        """Nothing that a printer's own panel does not do."""

    async def arm(self, act: str, params: Mapping[str, Json]) -> Arming:
        """The printer can, no job has this name, the file is the promised one. Raises DeviceRefused."""
        self._spec(act)
        attempt, reprint = _named(params)
        document = Document.of(params)
        data = await document.content(self._read, self._profile.document_bytes_max)
        state = await self._queue.state()
        preconditions.check(state, document, reprint, self._profile)
        known, _ = await self._queue.find(attempt)
        if known is not None:
            raise DeviceRefused("job_name_taken", f"job {known.id} is called {attempt}")
        now = self._clock()
        readings = {
            "attempt": attempt,
            "uuid": state.uuid,
            "up_time_s": state.up_time_s,
            "boot": now.boot,
            "host_s": round(now.seconds, 3),
            "queued": state.queued,
            "format": document.media_type,
            "sha256": document.sha256,
            "bytes": len(data),
        }
        return Arming(readings, memory=Begun(attempt, Stage.ARMED).written())

    async def act(self, act: str, params: Mapping[str, Json], arming: Arming) -> Verdict:
        """Create-Job, then Send-Document, each once; waits for the job's end. Raises OutcomeUnknown."""
        self._spec(act)
        attempt, reprint = _named(params)
        document = Document.of(params)
        data = await document.content(self._read, self._profile.document_bytes_max)
        until = _now() + self._profile.act_max_s
        job_id = await self._queue.create(attempt, self._profile.template, self._profile.answer_s)
        try:
            await self._fill(Begun(attempt, Stage.DOCUMENT, job_id), document, data, reprint, until)
            verdict = await self._wait(attempt, job_id, until)
        except (DeviceUnavailable, DeviceRefused) as error:  # the job is there: what comes of it must be asked
            raise OutcomeUnknown(error.reason, error.detail) from error
        return with_facts(verdict, _told(params, arming), {JOB: None})

    async def _fill(self, begun: Begun, document: Document, data: bytes, reprint: int, until: float) -> None:
        """How far it came is on disk before each Send-Document: without that no sheet can lie in the tray."""
        assert begun.job_id is not None
        if reprint:
            await self._notebook.remember(Begun(begun.attempt, Stage.COVER, begun.job_id).written())
            sheet = cover.cover_pdf(begun.attempt, reprint, document.sha256)
            name = f"REPRINT {reprint}"
            await self._queue.fill(begun.job_id, cover.MEDIA_TYPE, name, sheet, last=False, until=until)
        await self._notebook.remember(begun.written())
        await self._queue.fill(begun.job_id, document.media_type, document.name, data, last=True, until=until)

    async def watch(
        self, act: str, params: Mapping[str, Json], arming: Arming, *, limit_s: float, fresh: bool
    ) -> Verdict:
        """A printer offers nothing to watch."""
        raise DeviceRefused("invalid_act", f"{act} is no watch", waits_for="never")

    async def reconcile(self, act: str, params: Mapping[str, Json], arming: Arming) -> Verdict:
        """Asks the printer what became of the job, once settled. Raises DeviceUnavailable."""
        self._spec(act)
        attempt, _ = _named(params)
        begun = Begun.of(await self._notebook.memory(), attempt)
        told = _told(params, arming)
        if begun.stage is not Stage.DOCUMENT:
            return with_facts(await self._undo_empty(begun), told, {JOB: None})
        verdict, job = await self._outcome(begun, Before.of(arming))
        memory: Mapping[str, Json] = {JOB: None}
        if verdict.outcome is Outcome.UNKNOWN:
            memory = {}
            if job is not None and not job.ended:
                memory = with_late(await self._notebook.memory(), Late(attempt, job.id, told))
        return with_facts(verdict, told, memory)

    async def _wait(self, attempt: str, job_id: int, until: float) -> Verdict:
        """Looks until the job has ended. Raises OutcomeUnknown when hands are needed, or it takes long."""
        while True:
            job = await self._queue.look(job_id, attempt)
            if job is None:
                raise OutcomeUnknown("job_history_short", f"job {job_id} is gone")
            verdict = judge(job)
            if verdict is not None and verdict.outcome is not Outcome.UNKNOWN:
                return verdict
            if verdict is not None:
                raise OutcomeUnknown(verdict.reason, f"job {job_id}: {job}")
            if job.stands:
                raise OutcomeUnknown(await self._why_it_stands(), f"job {job_id}: {job}")
            if _now() >= until:
                raise OutcomeUnknown("still_printing", f"job {job_id}: {job}")
            await self._sleep(self._profile.poll_s)

    async def _undo_empty(self, begun: Begun) -> Verdict:
        """No byte of the document left: its job, if there is one, is cancelled, and the attempt had no effect."""
        job, _ = await self._find(begun)
        if job is not None and not job.ended:
            await self._queue.cancel(job.id)
            job = await self._queue.look(job.id, begun.attempt) or job
        return evidence.never_sent(job, cover_sent=begun.stage is Stage.COVER)

    async def _outcome(self, begun: Begun, before: Before) -> tuple[Verdict, Job | None]:
        """What the printer says of a job that may have its document, waited for as long as an act."""
        until = _now() + self._profile.act_max_s
        incoming_since: float | None = None
        cancelled = False
        while True:
            job, whole = await self._find(begun)
            if job is None:
                state = await self._queue.state()
                return evidence.absent(before, state, self._clock(), self._profile.history_s, all_seen=whole), None
            if (verdict := judge(job)) is not None:
                return (with_facts(verdict, {"cancelled": True}, {}) if cancelled else verdict), job
            if job.waits_for_document and not cancelled:
                incoming_since = _now() if incoming_since is None else incoming_since
                if _now() - incoming_since >= self._profile.incoming_s:
                    await self._queue.cancel(job.id)  # prevents; nobody will send the rest
                    cancelled = True
                    continue
            elif job.stands or _now() >= until:
                reason = await self._why_it_stands() if job.stands else "still_printing"
                facts = {"job": job.id, "job_state": job.state, "impressions": job.impressions, "cancelled": cancelled}
                return Verdict(Outcome.UNKNOWN, reason, Whereabouts.UNKNOWN, facts, lane_shut=True), job
            await self._sleep(self._profile.poll_s)

    async def _find(self, begun: Begun) -> tuple[Job | None, bool]:
        """The attempt's job, by its id or by its name; and whether, if there is none, the whole list was seen."""
        job = await self._queue.look(begun.job_id, begun.attempt) if begun.job_id is not None else None
        return (job, True) if job is not None else await self._queue.find(begun.attempt)

    async def _why_it_stands(self) -> str:
        trouble = (await self._queue.state()).trouble
        return trouble.reason if trouble is not None else "job_held"

    async def _hear_late(self, late: Late) -> None:
        job = await self._queue.look(late.job_id, late.attempt)
        verdict = judge(job) if job is not None else None
        if verdict is None or verdict.outcome is Outcome.UNKNOWN:
            return
        forgotten = without_late(await self._notebook.memory(), late.attempt)
        await self._notebook.proved(late.attempt, with_facts(verdict, {**late.facts, "late": True}, forgotten))
        await self._notebook.remember(forgotten)

    def _spec(self, act: str) -> ActSpec:
        if act not in self._acts:
            raise DeviceRefused("unknown_act", f"{act!r}; a document printer offers {PRINT_DOCUMENT}")
        return self._acts[act]


def _named(params: Mapping[str, Json]) -> tuple[str, int]:
    """The attempt's id, which is the job's name, and the number of a reprint. Raises DeviceRefused."""
    attempt, reprint = params.get("attempt"), params.get("reprint", 0)
    named = isinstance(attempt, str) and 0 < len(attempt.encode("utf-8")) <= 255  # RFC 8011 section 5.1.3
    if not named or not isinstance(attempt, str) or not isinstance(reprint, int) or reprint < 0:
        raise DeviceRefused("invalid_params", f"attempt {attempt!r}, reprint {reprint!r}", waits_for="never")
    return attempt, reprint


def _told(params: Mapping[str, Json], arming: Arming) -> dict[str, Json]:
    """What every verdict about a print says besides the evidence (ORD-10)."""
    return {"reprint": params.get("reprint", 0), "sheet": arming.readings.get("sha256")}


def _now() -> float:
    return asyncio.get_running_loop().time()

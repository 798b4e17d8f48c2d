"""One printer as it answers: status, presenter, who it is and what it can; late proofs are kept when they are heard.

Knows questions, and which of them may be asked while a job may lie in the printer; must not know what an act came to.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from device_drivers.device import Json, Notebook
from device_drivers.errors import DeviceUnavailable
from device_drivers.escpos import capabilities, commands, evidence
from device_drivers.escpos.conversation import Conversation
from device_drivers.escpos.memory import Open, Remembered, opened
from device_drivers.escpos.profile import EscPosProfile
from device_drivers.escpos.protocol import Asb, Presenter
from device_drivers.escpos.status import PresenterStatus, Status, from_real_time
from device_drivers.links.link import LinkError


class Printer:
    """What the driver asks of its printer. Calls raise DeviceUnavailable when nothing answers."""

    def __init__(self, conversation: Conversation, profile: EscPosProfile, notebook: Notebook) -> None:
        self._talk = conversation
        self._profile = profile
        self._notebook = notebook
        self._silent: set[int] = set()  # real-time questions that this connection's printer does not know
        self._silent_since: float | None = None  # loop time from which on it answered no question about abilities
        self._known_in = -1  # the session in which identity and abilities were last made sure of
        self.identity: dict[str, str] = {}
        self.own = ""  # the process ID that the call in progress awaits itself
        self.acting = ""  # the attempt that is being printed: jobs proved meanwhile were declared void before it
        conversation.keep = self.keep_proofs

    async def connect(self) -> None:
        """Takes hold of the line; another printer may be at its end by now."""
        self._silent.clear()
        self._silent_since = None
        self.identity = {}
        await self._talk.connect()

    # -- status --------------------------------------------------------------------------------------------------------

    async def look(self) -> Status:
        """What the port says and DLE EOT; of a printer that can never answer the port alone."""
        port = await self._port_status()
        if not self._talk.one_way:
            asked = await self._asked()
            status = asked if port is None else asked.joined(port)
        elif port is not None or not self._profile.port_status:
            status = port or Status()
        else:
            raise DeviceUnavailable("no_answer", "the port tells no status, and nothing else can")
        self._talk.saw(status)
        self._talk.asb = None  # what it told before is older than this
        return status

    async def _port_status(self) -> Status | None:
        if self._talk.port is None:
            return None
        try:
            async with self._talk.exchange():
                return await self._talk.port_status()
        except LinkError as error:
            raise DeviceUnavailable("line_lost", str(error)) from error

    async def _asked(self) -> Status:
        """DLE EOT 1 to 4: answered whatever the printer does, and harmless whatever it still waits for."""
        answers: dict[int, int] = {}
        for n in (1, 2, 3, 4):
            if n in self._silent:
                continue
            answer = await self._talk.real_time(n)
            if answer is not None:
                answers[n] = answer
            elif n == 1:
                self._talk.calm = False
                # Many take no question with a full buffer behind paper that is out: that is still what is wrong.
                raise DeviceUnavailable(self._talk.trouble or "no_answer", "DLE EOT 1 is not answered")
            else:
                self._silent.add(n)
        return from_real_time(answers)

    async def presenter(self) -> PresenterStatus | None:
        """The mouth, where the profile says that there is one."""
        if not self._profile.presenter:
            return None
        answer = await self._talk.ask(commands.PRESENTER_STATUS, Presenter)
        if answer is None:
            raise DeviceUnavailable("no_answer", "presenter status")
        return PresenterStatus.of(answer.data)

    # -- who it is and what it can -------------------------------------------------------------------------------------

    async def remembered(self) -> Remembered:
        """The memory after everything that was told until now."""
        await self._talk.listen()
        await self.keep_proofs()
        memory = Remembered.of(await self._notebook.memory())
        self._talk.half_fed = bool(memory.open)
        return memory

    async def know(self, status: Status, memory: Remembered) -> Remembered:
        """Makes sure of identity and abilities, once for each connection, while nothing is wrong and no job is open.

        A half-fed printer would take these questions for a part of its image; of one that never answers only the port
        is asked.
        """
        if self._talk.one_way:
            return await self._know_port(memory)
        if self._known_in == self._talk.session or status.trouble or memory.open:
            return memory
        who = await capabilities.identity(self._talk)
        await self._talk.tell(commands.INITIALISE)
        if memory.probed is None or memory.probed.get("identity") != who or memory.probed.get("one_way"):
            found = await capabilities.probe(self._talk, self._profile, who)
            if self._may_be_busy(found):
                return memory
            await self._notebook.remember({"probed": found})
        elif self._profile.asb_mask:
            await self._talk.ask(commands.automatic_status(self._profile.asb_mask), Asb, tries=1)
        self.identity, self._known_in = who, self._talk.session
        return Remembered.of(await self._notebook.memory())

    async def _know_port(self, memory: Remembered) -> Remembered:
        if self._known_in == self._talk.session:
            return memory
        found = {"identity": await capabilities.port_identity(self._talk), **capabilities.ONE_WAY}
        if memory.probed != found:
            await self._notebook.remember({"probed": found})
        self.identity, self._known_in = found["identity"], self._talk.session
        return Remembered.of(await self._notebook.memory())

    def _may_be_busy(self, found: Mapping[str, Json]) -> bool:
        """One that answers none of it is perhaps still printing: believed once that cannot be any more."""
        if any(found[name] for name in ("process_id", "fence", "cutter_counter", "asb")):
            self._silent_since = None
            return False
        now = asyncio.get_running_loop().time()
        self._silent_since = now if self._silent_since is None else self._silent_since
        return now - self._silent_since < self._profile.act_max_s

    async def forget(self) -> None:
        """Lets go of what was found out, so that it is asked anew."""
        self._known_in = -1
        await self._notebook.remember({"probed": None})

    # -- proofs that come late -----------------------------------------------------------------------------------------

    async def keep_proofs(self) -> None:
        """Process IDs of jobs that were given up prove them, and are told only once (PHY-5)."""
        late = [seen for seen in self._talk.ids if seen != self.own]
        if not late:
            return
        memory = Remembered.of(await self._notebook.memory())
        for seen in late:
            proven = [job for job in memory.open if self._proves(seen, job) and job.attempt != self.acting]
            for job in proven:
                await self._prove(job, memory)
                memory = Remembered.of(await self._notebook.memory())
            self._talk.counters.late_replies += not proven
            self._talk.ids.remove(seen)

    def _proves(self, seen: str, job: Open) -> bool:
        """Its own id, and no later one: between the two the printer may have lost its power, and the sheet with it."""
        return bool(job.process_id) and seen == job.process_id

    async def _prove(self, job: Open, memory: Remembered) -> None:
        settled = {"sheets": memory.sheets + 1, **opened(memory.without(job.attempt))}
        presenter = self._profile.presenter
        verdict = evidence.late(job.process_id, presenter=presenter, memory=settled, voided_by=self.acting)
        await self._notebook.proved(job.attempt, verdict)
        await self._notebook.remember(settled)  # also when that attempt had been settled otherwise

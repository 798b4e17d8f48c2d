"""One CRT-591 unit as it answers: readings, identity, initialising; evidence that is told once is noted first.

Knows questions, error codes and what the unbroken line showed before; must not know acts or what they came to.
"""

from __future__ import annotations

from device_drivers.crt591 import commands
from device_drivers.crt591.codes import MOVED_BY_HAND, NOT_RESET, explain
from device_drivers.crt591.conversation import Conversation
from device_drivers.crt591.evidence import MOVED_BY_HAND as NOTE_MOVED_BY_HAND
from device_drivers.crt591.evidence import POWER_LOST, Readings
from device_drivers.crt591.replies import Failure, MalformedReplyError, Reply, Success, parse_bin_counter, parse_text
from device_drivers.device import Notebook
from device_drivers.errors import DeviceRefused, DeviceUnavailable
from device_drivers.links.line import SharedLine
from device_drivers.links.link import LinkError

_IDENTITY = {
    "serialNumber": commands.SERIAL_NUMBER,
    "configuration": commands.CONFIGURATION,
    "firmware": commands.FIRMWARE,
}
_TOLD_ONCE = {NOT_RESET: POWER_LOST} | dict.fromkeys(MOVED_BY_HAND, NOTE_MOVED_BY_HAND)


class UnitRefusedError(DeviceRefused):
    """The unit answered with an error code."""

    def __init__(self, failure: Failure) -> None:
        code = explain(failure.code)
        super().__init__(code.reason, f"{code.meaning} ({failure.code})")
        self.code = failure.code


class Unit:
    """What the driver asks of its unit. Calls raise DeviceUnavailable when nothing answers."""

    def __init__(self, line: SharedLine, conversation: Conversation, notebook: Notebook) -> None:
        self._line = line
        self._conversation = conversation
        self._notebook = notebook
        self._unsaved: list[tuple[str, dict[str, str]]] = []  # notes that the notebook could not take yet
        self._identity: dict[str, str] = {}
        self.counts = False  # this process had it initialised by PM 37: whoever was here before may have used another
        self._st0: int | None = None  # what the unbroken line told last; None after a loss of line or power
        self.st0_before: int | None = None  # the reading before the newest, under the same condition
        self.bin_with_card_in_gate: int | None = None  # the bin counter when a card was last seen there

    async def connect(self) -> None:
        """Takes hold of the line. Raises DeviceUnavailable."""
        await self.disconnect()
        try:
            self._conversation.hold = await self._line.hold()
        except LinkError as error:
            raise DeviceUnavailable("line_unavailable", str(error)) from error

    async def disconnect(self) -> None:
        """Lets go of the line; harmless when not connected."""
        hold, self._conversation.hold = self._conversation.hold, None
        self.forget()
        self._identity = {}
        if hold is not None:
            await hold.let_go()

    def forget(self) -> None:
        """What was seen before is no witness any more: the line, the power or the card was moved between."""
        self._st0 = self.st0_before = self.bin_with_card_in_gate = None

    async def read(self) -> Readings:
        """Status and bin counter. Raises UnitRefusedError."""
        try:
            status = (await self.command(commands.STATUS)).status
            count = parse_bin_counter((await self.command(commands.BIN_COUNTER)).data)
        except DeviceUnavailable:
            self.forget()
            raise
        except MalformedReplyError as error:
            raise DeviceUnavailable("nonsense", f"bin counter: {error}") from error
        self.st0_before, self._st0 = self._st0, status.st0
        if status.st0 == 1:
            self.bin_with_card_in_gate = count
        return Readings(status.st0, status.st1, status.st2, count)

    async def command(self, command: commands.Question | commands.Setting) -> Success:
        """Asks; after a power loss initialises and asks again. Raises UnitRefusedError."""
        reply = await self.ask(command)
        if isinstance(reply, Failure) and reply.code in _TOLD_ONCE:
            if reply.code == NOT_RESET:
                await self.initialise()
            reply = await self.ask(command)
        if isinstance(reply, Failure):
            raise UnitRefusedError(reply)
        return reply

    async def ask(self, command: commands.Question | commands.Setting) -> Reply:
        """Asks; what the unit may tell only once is committed before the next frame."""
        await self._save_notes()
        return await self.noted(await self._conversation.ask(command))

    async def initialise(self) -> None:
        """Reset PM 37: the card stays, the bin counter counts, entry is off (PHY-4). Raises UnitRefusedError."""
        await self._save_notes()
        reply = await self.noted(await self._conversation.recover(commands.INITIALISE))
        if isinstance(reply, Failure):
            raise UnitRefusedError(reply)
        self.counts = True
        self._identity["model"] = parse_text(reply.data)

    async def noted(self, reply: Reply) -> Reply:
        """Hands the reply on once evidence that may be told only once is committed (PHY-5)."""
        if isinstance(reply, Failure) and reply.code in _TOLD_ONCE:
            self.forget()
            self.counts = self.counts and reply.code != NOT_RESET
            self._unsaved.append((_TOLD_ONCE[reply.code], {"code": reply.code}))
            await self._save_notes()
        return reply

    async def _save_notes(self) -> None:
        """Also those that a failing store did not take: the unit will not tell them again."""
        while self._unsaved:
            await self._notebook.note(*self._unsaved[0])
            del self._unsaved[0]

    async def identity(self) -> dict[str, str]:
        """Who it is, asked once for each connection; what it does not support stays empty."""
        for name, question in _IDENTITY.items():
            if name in self._identity:
                continue
            try:
                self._identity[name] = parse_text((await self.command(question)).data)
            except UnitRefusedError:
                self._identity[name] = ""
        return self._identity

    async def serial_number(self) -> str:
        """Asked anew; empty when it does not tell."""
        try:
            text = parse_text((await self.command(commands.SERIAL_NUMBER)).data)
        except UnitRefusedError:
            return ""
        self._identity["serialNumber"] = text
        return text

    def known_identity(self) -> dict[str, str]:
        """Who it is, as far as it was asked already."""
        return self._identity

"""What a printer can do, found out by asking it, never by the name that it claims; and who it is.

Knows questions that move and print nothing; must only be used while the printer is idle and no job may lie in it.
"""

from __future__ import annotations

from collections.abc import Mapping

from device_drivers.device import Json
from device_drivers.errors import DeviceUnavailable
from device_drivers.escpos import commands
from device_drivers.escpos.conversation import TRIES, Conversation
from device_drivers.escpos.press import number_of
from device_drivers.escpos.profile import EscPosProfile
from device_drivers.escpos.protocol import Asb, Info, ProcessId, QueuedByte
from device_drivers.links.link import LinkError
from device_drivers.links.port_questions import port_questions

TEXT_MAX = 64  # names are short; what is longer is cut
# What is known without a question of a printer that can never answer.
ONE_WAY: Mapping[str, Json] = {
    "process_id": False,
    "fence": False,
    "cutter_counter": False,
    "asb": False,
    "one_way": True,
}


async def identity(conversation: Conversation) -> dict[str, str]:
    """Everything that it tells of itself, through its port and by GS I. Raises DeviceUnavailable."""
    told = await port_identity(conversation)
    for name, n in commands.INFO_TEXTS.items():
        answer = await conversation.ask(commands.info(n), Info, tries=1)
        if answer is not None and (text := _printable(answer.data.decode("ascii", errors="replace"))):
            told[name] = text
    return told


async def port_identity(conversation: Conversation) -> dict[str, str]:
    """What the port alone tells (IEEE 1284): may be asked at any time, no byte of it reaches the printer's language."""
    port = port_questions(conversation.link)
    if port is None:
        return {}
    try:
        pairs = await port.device_id()
    except LinkError as error:
        raise DeviceUnavailable("line_lost", str(error)) from error
    return {f"port{name.capitalize()}": _printable(text) for name, text in pairs.items() if name in _PORT_NAMES}


async def probe(conversation: Conversation, profile: EscPosProfile, who: Mapping[str, str]) -> dict[str, Json]:
    """`{"identity", "process_id", "fence", "cutter_counter", "asb"}`. Raises DeviceUnavailable.

    A process ID without anything to print, four blanks, which no job has; behind each question `1B 40` for printers
    that took an unknown command for letters: none may stand on the next sheet, nor fill a line, which is printed.
    """
    found = await _abilities(conversation, profile, {})
    if any(found.values()):  # what kept silent may have been asked while it was still at something else
        found = await _abilities(conversation, profile, found)
    return {"identity": dict(who), **found}


async def _abilities(conversation: Conversation, profile: EscPosProfile, known: Mapping[str, bool]) -> dict[str, bool]:
    """What it answers of all that it is not known to answer."""

    async def process_id() -> bool:
        question = commands.process_id(commands.PROBE_ID)
        return await conversation.ask(question, ProcessId, fits=lambda id_: id_.text == commands.PROBE_ID) is not None

    async def fence() -> bool:
        return await conversation.ask(commands.FENCE, QueuedByte) is not None

    async def counter() -> bool:
        return await cutter_counter(conversation) is not None

    async def asb() -> bool:
        return await conversation.ask(commands.automatic_status(profile.asb_mask), Asb) is not None

    questions = {"process_id": process_id, "fence": fence}
    questions |= {"cutter_counter": counter} if profile.cutter_counter else {}
    questions |= {"asb": asb} if profile.asb_mask else {}
    found = {"process_id": False, "fence": False, "cutter_counter": False, "asb": False, **known}
    for name in (name for name in questions if not found[name]):
        found[name] = await questions[name]()
        await conversation.tell(commands.INITIALISE)
    return found


async def cutter_counter(conversation: Conversation, tries: int = TRIES) -> int | None:
    """How often it has cut; None when it does not tell. Raises DeviceUnavailable."""
    return number_of(await conversation.ask(commands.CUTTER_COUNTER, Info, tries=tries))


_PORT_NAMES = frozenset({"MFG", "MDL", "SN", "CMD"})


def _printable(text: str) -> str:
    return "".join(char for char in text[:TEXT_MAX] if " " <= char <= "~").strip()

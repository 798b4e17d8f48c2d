"""The branch's own door: a socket beside the journal, where whoever stands at the box hands in instructions.

Knows lines of JSON and who may open the file; what an instruction means is the intake's affair, as at every other door.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import shutil
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from cloud_bridge.envelope import MAX_PAYLOAD_BYTES, BadMessage, Envelope, read_envelope, read_object
from cloud_bridge.ports import StoreFailed
from edge_agent.orders.desk import AT_THE_BOX, Caller

log = logging.getLogger(__name__)
NAME = "door"
MODE, MODE_OF_GROUP = 0o600, 0o660  # the agent's own user and root; or those of a group, who show credentials
GUESTS = 8  # at once: a door is for people, and they must not cost the branch its memory
PATIENCE_S = 30.0  # for one line to come in, and for its answer to be taken
READ_BYTES = 64 * 1024
AGAIN_S = 1.0


BOX = "branchgate.box."  # questions about this box itself: no instruction of the contract, and at no other door
LOOK = f"{BOX}look.v1"  # how it is: the one thing that the group's members are told without a password


class Box(Protocol):
    """What the running agent tells of itself, and does for whoever stands at the box."""

    async def answer(self, envelope: Envelope, *, whole: bool) -> dict[str, Any]:
        """`whole`: also what lies in the machines, by serial numbers. Raises BadMessage, StoreFailed."""
        ...


class Asks(Protocol):
    """The intake, as a door sees it."""

    async def ask(self, envelope: Envelope, caller: Caller) -> dict[str, Any]:
        """The reply's data. Raises StoreFailed."""
        ...


@dataclass(frozen=True, slots=True)
class Peer:
    """Who stands there, as the kernel says."""

    uid: int

    @property
    def is_trusted(self) -> bool:
        """Root, or the agent's own user: whoever could as well write into the journal."""
        return self.uid in (0, os.geteuid())


class Serves(Protocol):
    """Who hears wishes that are no instructions: people's own affairs."""

    async def serve(self, members: dict[str, Any], peer: Peer) -> dict[str, Any]:
        """What is answered."""
        ...

    @property
    def wants_proof(self) -> bool:
        """Whether people here show credentials: then nobody changes anything by a name alone, root neither."""
        ...


@contextlib.contextmanager
def place(folder: Path) -> Iterator[str]:
    """The socket's address, however long the folder's name is: an address may have 107 bytes. Raises OSError."""
    fd = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{fd}/{NAME}"
    finally:
        os.close(fd)


@contextlib.contextmanager
def _open_door(folder: Path, group: str | None) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC) as door:
        os.fchmod(door.fileno(), MODE)  # before it has a name (unix(7): the name gets the socket's own rights)
        with place(folder) as address:
            (folder / NAME).unlink(missing_ok=True)  # left by a process that was killed: the journal's lock is ours
            door.bind(address)
        if group:
            shutil.chown(folder / NAME, group=group)
            (folder / NAME).chmod(MODE_OF_GROUP)  # the umask had its say when it got its name
        try:
            door.listen(4 * GUESTS)
            yield door
        finally:
            (folder / NAME).unlink(missing_ok=True)


class Door:
    """Run as one task. One line in, one line out, and the connection ends; a guest costs nobody but himself time."""

    def __init__(
        self,
        folder: Path,
        intake: Asks,
        counter: Serves | None = None,
        group: str | None = None,
        box: Box | None = None,
    ) -> None:
        """`group`: whose members may come too, and look; they show credentials for whatever they want done."""
        self._folder = folder
        self._intake = intake
        self._counter = counter
        self._group = group
        self._box = box

    async def run(self) -> None:
        """Until cancelled; a branch whose folder takes no socket (read-only) works without this door."""
        try:
            with _open_door(self._folder, self._group) as door:
                await self._receive(door)
        except (OSError, LookupError) as error:
            log.warning("no door in %s: %s", self._folder, error)
            await asyncio.Event().wait()

    async def _receive(self, door: socket.socket) -> None:
        loop, places = asyncio.get_running_loop(), asyncio.Semaphore(GUESTS)
        async with asyncio.TaskGroup() as group:
            while True:
                await places.acquire()
                try:
                    guest, _ = await loop.sock_accept(door)
                except OSError as error:  # no descriptor left, or he went away again
                    places.release()
                    log.warning("door: %s", error)
                    await asyncio.sleep(AGAIN_S)
                    continue
                serving = group.create_task(self._serve(guest), name="door guest")
                serving.add_done_callback(lambda _: places.release())

    async def _serve(self, guest: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        with guest:
            try:
                async with asyncio.timeout(PATIENCE_S):
                    payload = await _one_line(guest)
                said = _line(await self._answer(payload, _peer(guest)))
                async with asyncio.timeout(PATIENCE_S):
                    await loop.sock_sendall(guest, said + b"\n")
            except (OSError, TimeoutError) as error:
                log.debug("door: a guest left: %s", error)

    async def _answer(self, payload: bytes, peer: Peer) -> dict[str, Any]:
        """The reply's data, or `problem` where there is none."""
        try:
            members = read_object(payload)
            if self._counter is not None and "wish" in members:
                return await self._counter.serve(members, peer)
            envelope = read_envelope(payload)
            if not peer.is_trusted and (self._box is None or envelope.type != LOOK):
                problem = "here only root and the agent's user speak without credentials"
                return {"problem": "not_trusted", "message": problem}
            if not envelope.source.startswith("/people/"):
                raise BadMessage("source: here people act, so name yourself: /people/{id}")
            if self._box is not None and envelope.type.startswith(BOX):
                return await self._box.answer(envelope, whole=peer.is_trusted)
            proof = self._counter is not None and self._counter.wants_proof
            return await self._intake.ask(envelope, replace(AT_THE_BOX, wants_proof=proof))
        except BadMessage as bad:
            return {"problem": "unreadable", "message": bad.why}
        except StoreFailed as error:
            return {"problem": "store_failed", "message": str(error)}
        except Exception:
            log.exception("door: a fault of ours")  # one guest's words must not end the agent, whatever they are
            return _FAILED


_FAILED = {"problem": "agent_failed", "message": "the agent failed on it; its log says why"}


def _line(answer: dict[str, Any]) -> bytes:
    """As it goes out: also what a driver of somebody else's told of its device, be it no JSON."""
    try:
        return json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode()
    except (TypeError, ValueError):  # half a surrogate pair is one, too
        log.exception("door: an answer that cannot be written")
        return json.dumps(_FAILED).encode()


def _peer(guest: socket.socket) -> Peer:
    credentials = guest.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return Peer(struct.unpack("3i", credentials)[1])


async def _one_line(guest: socket.socket) -> bytes:
    """Up to the first newline, or the end of what he sends; longer ones are cut where intake refuses them."""
    loop, payload = asyncio.get_running_loop(), b""
    while b"\n" not in payload and len(payload) <= MAX_PAYLOAD_BYTES:
        more = await loop.sock_recv(guest, READ_BYTES)
        if not more:
            break
        payload += more
    return payload.partition(b"\n")[0]

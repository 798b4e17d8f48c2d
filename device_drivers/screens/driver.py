"""One screen as a device: what its orders want shown is put within its limits, sent, remembered, and sent again.

Knows boards, faces and the driver contract; how a face travels is the screen's affair. Showing is idempotent: whatever
is in doubt is shown once more and settled by that, so no lane is ever shut for it and nobody is asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Literal, Protocol

from device_drivers.device import (
    ActKind,
    ActSpec,
    Arming,
    Json,
    Notebook,
    Observation,
    Outcome,
    Twin,
    Verdict,
    Whereabouts,
)
from device_drivers.errors import DeviceRefused, DeviceUnavailable, OutcomeUnknown
from device_drivers.links.line import Urgency
from device_drivers.screens.faces import Face, Unshowable, face_of
from device_drivers.screens.notices import BadNotice, Board, board_of, call_of, words_of
from device_drivers.screens.panels import Panel

SHOW_CALL, SHOW_TEXT, SHOW_IDLE = "show_call", "show_text", "show_idle"
BOARD = "board"  # in the memory: what the screen shows now
SHOW_MAX_S = 5.0  # waiting for an answer included
JUST_SHOWN_S = 2.0  # so soon after it was shown something it needs no refresh
REFRESH_S = 20.0  # how long a screen that lost its power shows nothing, unless branch.toml says otherwise
Evidence = Literal["sent", "acknowledged"]
_TITLES = {
    SHOW_CALL: "Shows which number is called to which window.",
    SHOW_TEXT: "Shows a text until the next call.",
    SHOW_IDLE: "Shows the idle text.",
}
ACTS = frozenset(_TITLES)


class Screen(Protocol):
    """How a face reaches one screen. `show` and `ask` raise DeviceUnavailable: nothing was written."""

    async def connect(self) -> None: ...

    async def disconnect(self) -> None: ...

    async def ask(self) -> None:
        """Whether it is there, as far as it can tell; shows nothing."""
        ...

    async def show(self, face: Face, urgency: Urgency) -> Evidence:
        """Written once. Raises OutcomeUnknown; DeviceRefused: it checked and said no."""
        ...

    def counters(self) -> Mapping[str, int]:
        """For the twin."""
        ...


class ScreenDriver:
    """A `device.Driver` and `device.Observer` that has-a screen."""

    def __init__(self, screen: Screen, panel: Panel, idle_text: str, notebook: Notebook, settle_s: float) -> None:
        self._screen, self._panel, self._idle_text = screen, panel, idle_text
        self._notebook = notebook
        self._settle_s = settle_s
        self._fresh = True  # not shown anything since it was connected: it may have lost its power meanwhile
        self._shown_s = 0.0  # the loop's time when it was shown something last

    @property
    def acts(self) -> Mapping[str, ActSpec]:
        """show_call, show_text, show_idle."""
        return {name: ActSpec(name, ActKind.IDEMPOTENT, title, SHOW_MAX_S) for name, title in _TITLES.items()}

    @property
    def settle_s(self) -> float:
        """A screen moves nothing; only bytes of a dead connection are waited for, lest an old text comes last."""
        return self._settle_s

    async def connect(self) -> None:
        """Takes a share of the line. Raises DeviceUnavailable."""
        await self._screen.connect()
        self._fresh = True

    async def disconnect(self) -> None:
        """Gives it back."""
        await self._screen.disconnect()

    async def probe(self) -> Twin:
        """Whether it is there; right after connecting it is shown what it should show."""
        await self._screen.ask()
        if self._fresh:
            await self._refresh()
        return Twin("online", counters=self._screen.counters())

    async def observe(self) -> Observation:
        """Shows again what it should show: a screen that lost its power has forgotten it, and few can say so."""
        if self._fresh or _now_s() - self._shown_s >= JUST_SHOWN_S:
            await self._refresh()
        return Observation()

    async def _refresh(self) -> None:
        """When nobody waits for the line. Raises DeviceUnavailable."""
        board = await self._board()
        try:
            await self._send(self._face(board), Urgency.POLL)
        except (OutcomeUnknown, DeviceRefused) as error:
            raise DeviceUnavailable(error.reason, error.detail, facts=error.facts) from error

    async def _send(self, face: Face, urgency: Urgency) -> Evidence:
        evidence = await self._screen.show(face, urgency)
        self._fresh, self._shown_s = False, _now_s()
        return evidence

    async def _board(self) -> Board:
        return board_of((await self._notebook.memory()).get(BOARD))

    def _face(self, board: Board) -> Face:
        """As remembered; the idle text where the configuration made the screen too small for it since."""
        try:
            return face_of(board, self._panel, self._idle_text)
        except Unshowable:
            return face_of(Board(), self._panel, self._idle_text)

    async def recover(self) -> None:
        """A screen has no errors that people clear."""

    async def arm(self, act: str, params: Mapping[str, Json]) -> Arming:
        """Refuses what the screen cannot show, before anything is sent. Raises DeviceRefused."""
        _, face = await self._wanted(act, params)
        return Arming({"shows": face.rows})

    async def act(self, act: str, params: Mapping[str, Json], arming: Arming) -> Verdict:
        """Shows it. Raises OutcomeUnknown, DeviceUnavailable, DeviceRefused."""
        return await self._show(act, params, {})

    async def watch(
        self, act: str, params: Mapping[str, Json], arming: Arming, *, limit_s: float, fresh: bool
    ) -> Verdict:
        """Nothing here can be watched."""
        raise DeviceRefused("invalid_act", f"{act} is no watch", waits_for="never")

    async def reconcile(self, act: str, params: Mapping[str, Json], arming: Arming) -> Verdict:
        """Shows it once more, which settles the doubt (evidence.md). Raises DeviceUnavailable while it is not there."""
        try:
            return await self._show(act, params, {"again": True})
        except OutcomeUnknown as silent:
            raise DeviceUnavailable(silent.reason, silent.detail, facts=silent.facts) from silent
        except DeviceRefused as no:
            return Verdict(Outcome.FAILED, no.reason, Whereabouts.NONE, no.facts)

    async def _show(self, act: str, params: Mapping[str, Json], facts: dict[str, Json]) -> Verdict:
        board, face = await self._wanted(act, params)
        evidence = await self._send(face, Urgency.ACT)
        facts |= {"evidence": evidence, "shows": face.rows}
        facts |= {"shortened": True} if face.shortened else {}
        return Verdict(Outcome.DONE, "shown", Whereabouts.NONE, facts, memory={BOARD: board.as_json()})

    async def _wanted(self, act: str, params: Mapping[str, Json]) -> tuple[Board, Face]:
        """What the screen shows once this act is done. Raises DeviceRefused."""
        try:
            board = _after(act, params, await self._board(), self._panel)
            return board, face_of(board, self._panel, self._idle_text)
        except BadNotice as bad:
            raise DeviceRefused("invalid_params", str(bad), facts={"where": bad.what}, waits_for="never") from bad
        except Unshowable as no:
            raise DeviceRefused(no.reason, str(no), facts=no.facts, waits_for="never") from no


def _now_s() -> float:
    return asyncio.get_running_loop().time()


def _after(act: str, params: Mapping[str, Json], board: Board, panel: Panel) -> Board:
    if act == SHOW_CALL:
        return board.with_call(call_of(params), panel.calls)
    if act == SHOW_TEXT:
        return board.with_words(words_of(params))
    if act == SHOW_IDLE:
        return Board()
    raise DeviceRefused("invalid_act", f"{act!r} is none of {', '.join(_TITLES)}", waits_for="never")

"""What an act shall print, as bytes that are ready before anything is sent: the sheet, and what comes out before it.

Knows params of acts, sheets and commands; must not know a line.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from pydantic import ValidationError

from device_drivers.device import Json, NothingToDo, Outcome, Verdict, Whereabouts
from device_drivers.errors import DeviceRefused
from device_drivers.escpos import commands
from device_drivers.escpos.encoder import PIECE_BYTES, Encoded, checked, chunks, encode, resync
from device_drivers.escpos.evidence import VOID
from device_drivers.escpos.profile import EscPosProfile
from device_drivers.receipts.compose import Marks, Unprintable, compose, void_slip
from device_drivers.receipts.sheet import Sheet
from device_drivers.receipts.template import Template

TEMPLATES_KEPT = 8  # read once for all sheets; one with pictures may take a megabyte
_PARAMS = ("attempt", "reprint", "sheet", "undoes", "earlier")  # all of an act's params that a sheet is made of
_ATTEMPT = re.compile(r"(?P<step>.+)/(?P<number>[1-9][0-9]{0,3})")


@dataclass(frozen=True, slots=True)
class Printout:
    """Everything that is written for one act, in pieces of whole commands: a printer may be left waiting between them.

    The last has room for the process ID, which then leaves with the cut that it proves.
    """

    pieces: tuple[bytes, ...]
    rows: int
    cuts: int
    sheets: int

    @property
    def sha256(self) -> str:
        return hashlib.sha256(b"".join(self.pieces)).hexdigest()

    @property
    def size(self) -> int:
        return sum(map(len, self.pieces))


def attempt_of(params: Mapping[str, Json]) -> str:
    """The attempt that is meant. Raises DeviceRefused."""
    attempt = params.get("attempt")
    if not isinstance(attempt, str) or not attempt:
        raise DeviceRefused("invalid_params", "a sheet bears its attempt, and none is given", waits_for="never")
    return attempt


def reprint_of(params: Mapping[str, Json]) -> int:
    """How many earlier attempts may have come out."""
    reprint = params.get("reprint", 0)
    if isinstance(reprint, bool) or not isinstance(reprint, int) or reprint < 0:
        raise DeviceRefused("invalid_params", f"reprint is a number, not {reprint!r}", waits_for="never")
    return reprint


def _words(told: Json) -> str:
    """JSON, in which 1, 1.0 and true are not the same."""
    return json.dumps(told, ensure_ascii=False, default=repr)


@lru_cache(TEMPLATES_KEPT)
def _template(words: str) -> Template:
    return Template.model_validate(json.loads(words))


def template_of(told: Json) -> Template:
    """Read once for the same words. Raises ValidationError."""
    return _template(_words(told))


def sheet_of(
    act: str, params: Mapping[str, Json], profile: EscPosProfile, read: Callable[[Json], Template] = template_of
) -> Sheet:
    """The sheet of an act. Raises DeviceRefused that waits for nothing; NothingToDo when there is nothing to void."""
    try:
        if act == VOID:
            return void_slip(voided(params), profile.paper)
        sheet = params.get("sheet")
        if not isinstance(sheet, Mapping):
            raise DeviceRefused("invalid_params", "there is no sheet to print", waits_for="never")
        template = read(sheet.get("template"))
        given = sheet.get("values")
        values = {str(name): str(value) for name, value in (given if isinstance(given, Mapping) else {}).items()}
        return compose(template, values, profile.paper, Marks(attempt_of(params), reprint_of(params)))
    except Unprintable as no:
        raise DeviceRefused(no.reason, str(no), facts=no.facts, waits_for="never") from no
    except ValidationError as no:
        raise DeviceRefused("invalid_params", f"the template: {no.error_count()} mistakes", waits_for="never") from no


def voided(params: Mapping[str, Json]) -> list[str]:
    """The attempts that a void slip names: `undoes`, else all of the step whose attempt was armed here before."""
    given = params.get("undoes")
    if isinstance(given, Sequence) and not isinstance(given, str) and given:
        return [str(attempt) for attempt in given]
    earlier = params.get("earlier")
    last = _ATTEMPT.fullmatch(str(earlier.get("attempt", ""))) if isinstance(earlier, Mapping) else None
    if last is None:
        raise NothingToDo(Verdict(Outcome.DONE, "nothing_to_void", Whereabouts.CUSTOMER))
    return [f"{last['step']}/{number}" for number in range(1, int(last["number"]) + 1)]


def printout(
    sheet: Sheet, profile: EscPosProfile, *, left: Sequence[str], named: Sequence[str] = (), mouth: bool = False
) -> Printout:
    """The bytes of a sheet, behind the resync and a void slip when bytes of the attempts `left` may lie in the printer.

    A sheet that itself declares `named` void spares them the slip. What waits in the `mouth` is taken back before: the
    slip would push it out in front of everybody. Raises DeviceRefused that waits for nothing.
    """
    slip = [attempt for attempt in left if attempt not in named]
    try:
        whole = Encoded(resync(profile), 0) if left else Encoded((), 0)
        if mouth:
            whole += Encoded((bytes.fromhex(profile.retract_hex),), 0)
        if slip:
            void = void_slip(slip, profile.paper, leftover=True)
            whole += encode(void, profile, behind=bytes.fromhex(profile.retract_hex))
        if named:
            whole += encode(sheet, profile, behind=bytes.fromhex(profile.retract_hex))
        else:
            whole += encode(sheet, profile, behind=bytes.fromhex(profile.eject_hex))
        checked(whole.commands, profile)
    except Unprintable as no:
        raise DeviceRefused(no.reason, str(no), facts=no.facts, waits_for="never") from no
    _refuse_long(whole.rows, profile)
    count = 2 if slip else 1
    most = min(PIECE_BYTES, profile.max_chunk_bytes) - len(commands.process_id(commands.PROBE_ID))
    return Printout(tuple(chunks(_told(whole.commands, profile), most)), whole.rows, count, count)


class Maker:
    """Makes the sheets of one printer, the newest of them once: what is asked for in the same words is the same.

    The act composes the sheet anew to see that it is the one that was armed; only different words need the work.
    """

    def __init__(self, profile: EscPosProfile) -> None:
        self._profile = profile
        self._asked: tuple[str, Mapping[str, Json]] = ("", {})
        self._sheet: Sheet | None = None
        self._template: tuple[Json, Template | None] = (None, None)
        self._printouts: dict[tuple[tuple[str, ...], tuple[str, ...], bool], Printout] = {}

    def sheet_of(self, act: str, params: Mapping[str, Json]) -> Sheet:
        """See `sheet_of`."""
        if self._sheet is None or not self._is_asked(act, params):
            self.forget()
            self._sheet, self._asked = sheet_of(act, params, self._profile, self._read), (act, params)
        return self._sheet

    def _is_asked(self, act: str, params: Mapping[str, Json]) -> bool:
        """An act mostly brings the very params of its arming, and what is in them need not be compared."""
        before, was = self._asked
        same = params is was or _words([*map(params.get, _PARAMS)]) == _words([*map(was.get, _PARAMS)])
        return act == before and same

    def _read(self, told: Json) -> Template:
        """The agent hands on the same object for each sheet of a kind."""
        was, template = self._template
        if template is None or told is not was:
            template = template_of(told)
            self._template = told, template
        return template

    def printout(
        self, sheet: Sheet, *, left: Sequence[str], named: Sequence[str] = (), mouth: bool = False
    ) -> Printout:
        """See `printout`."""
        which = (tuple(left), tuple(named), mouth)
        if sheet is not self._sheet or which not in self._printouts:
            made = printout(sheet, self._profile, left=left, named=named, mouth=mouth)
            if sheet is not self._sheet:
                return made
            self._printouts[which] = made
        return self._printouts[which]

    def forget(self) -> None:
        """What a customer's sheet said is not kept longer than it is printed."""
        self._sheet, self._asked = None, ("", {})
        self._printouts.clear()


def _told(made: Sequence[bytes], profile: EscPosProfile) -> list[bytes]:
    """With automatic status on behind each `1B 40`, which may have turned it off."""
    asb = [commands.automatic_status(profile.asb_mask)] if profile.asb_mask else []
    return [one for command in made for one in ([command, *asb] if command == commands.INITIALISE else [command])]


def _refuse_long(rows: int, profile: EscPosProfile) -> None:
    """A sheet that takes longer than `act_max_s` would still be printing when the printer is taken to be at rest."""
    if rows > profile.rows_per_s * profile.act_max_s:
        why = f"{rows} dot rows take over {profile.act_max_s} s; raise act_max_s or rows_per_s"
        raise DeviceRefused("sheet_too_long", why, waits_for="never")

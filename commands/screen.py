"""`branchgate screen`: what window and hall screens would show, seen without one."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from central_scheduler.console import values
from central_scheduler.console.problem import Exit, Problem
from central_scheduler.console.screen import Screen
from commands.kit import Json, Speak, T, by_system, group, refused

if TYPE_CHECKING:
    from device_drivers.screens.notices import Call, Words
    from device_drivers.screens.settings import ScreenProfile
    from edge_agent.console.screen import Shown

app = group("help.screen")


class Tongue(StrEnum):
    """What --language takes."""

    ZH, EN, BOTH = "zh", "en", "zh+en"


@app.command("preview", help=T("help.screen_preview"))
def screen_preview(
    screen: Annotated[str, typer.Argument(metavar="SCREEN", help=T("help.a_screen"))],
    call: Annotated[list[str] | None, typer.Option("--call", help=T("help.o_call"))] = None,
    text: Annotated[str | None, typer.Option("--text", help=T("help.o_text"))] = None,
    language: Annotated[Tongue, typer.Option("--language", help=T("help.o_language"))] = Tongue.ZH,
    setting: Annotated[list[str] | None, typer.Option("--set", help=T("help.o_set"))] = None,
    config: Annotated[Path | None, typer.Option("--config", help=T("help.o_screen_config"))] = None,
    out: Annotated[Path | None, typer.Option("--out", help=T("help.o_screen_out"))] = None,
    as_json: Json = False,
    lang: Speak = None,
) -> int:
    from device_drivers.screens.faces import Unshowable
    from edge_agent.console import screen as screens

    kind, profile = _meant(screen, setting or (), config)
    calls = [_call(one, language) for one in call or ()]
    try:
        shown = screens.show(kind, profile, calls, _words(text))
    except Unshowable as no:
        facts = ", ".join(f"{name} {value}" for name, value in no.facts.items())
        raise Problem(Exit.CONFIG, "unshowable", why=T.word("reason", no.reason), facts=facts) from no
    _show(Screen(T, as_json=as_json), shown, out)
    return Exit.OK


def _meant(name: str, given: Sequence[str], config: Path | None) -> tuple[str, ScreenProfile]:
    """Kind and settings: of a device of a branch's file, else of a kind with what was given."""
    from edge_agent.console import screen as screens
    from edge_agent.settings import BadConfig

    unknown = Problem(Exit.CONFIG, "no_screen", given=name, known=", ".join(screens.screen_kinds()))
    if config is not None:
        try:
            found = screens.of_branch(config, name)
        except BadConfig as bad:
            raise refused(config, bad) from bad
        if found is None:
            raise unknown
        return found
    try:
        profile = screens.of_kind(name, values.parameters(given))
    except screens.BadScreen as bad:
        raise Problem(Exit.CONFIG, "screen_setting", what="; ".join(p.words(T) for p in bad.problems)) from bad
    if profile is None:
        raise unknown
    return name, profile


def _call(given: str, language: Tongue) -> Call:
    from device_drivers.screens.notices import BadNotice, call_of

    number, _, window = given.partition(":")
    try:
        return call_of({"number": number, "window": window, "language": language.value})
    except BadNotice as bad:
        raise Problem(Exit.USAGE, "bad_call", given=given) from bad


def _words(text: str | None) -> Words | None:
    from device_drivers.screens.notices import BadNotice, words_of

    try:
        return None if text is None else words_of({"text": text})
    except BadNotice as bad:
        raise Problem(Exit.USAGE, "bad_text") from bad


def _show(screen: Screen, shown: Shown, out: Path | None) -> None:
    if out is not None:
        try:
            out.write_bytes(shown.png)
        except OSError as error:
            raise Problem(Exit.FAILED, "not_written", file=out, why=by_system(error)) from error
        screen.say(T("console.screen_written", file=out))
    elif not screen.as_json:
        for line in shown.text.split("\n"):
            screen.say(line)
    if shown.face.shortened:
        screen.say(T("console.screen_shortened"))
    if shown.face.scrolls:
        screen.say(T("console.screen_scrolls"))
    if screen.as_json:
        screen.json(shown.as_json(out))

"""`branchgate receipt`: layouts of receipts, seen without a printer."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from central_scheduler.console.problem import Exit, Problem
from central_scheduler.console.screen import Screen
from commands.kit import Json, Speak, T, by_system, group, refused

if TYPE_CHECKING:
    from edge_agent.console.receipt import Shown

app = group("help.receipt")


class Width(StrEnum):
    """What --columns takes."""

    WIDE, MIDDLE, NARROW = "48", "42", "32"


@app.command("preview", help=T("help.receipt_preview"))
def receipt_preview(
    template: Annotated[str, typer.Argument(help=T("help.a_template"))],
    value: Annotated[list[str] | None, typer.Option("--value", help=T("help.o_value"))] = None,
    values: Annotated[Path | None, typer.Option("--values", help=T("help.o_values"))] = None,
    out: Annotated[Path | None, typer.Option("--out", help=T("help.o_out"))] = None,
    columns: Annotated[Width, typer.Option("--columns", help=T("help.o_columns"))] = Width.WIDE,
    reprint: Annotated[int, typer.Option("--reprint", min=0, max=99, help=T("help.o_reprint"))] = 0,
    as_json: Json = False,
    lang: Speak = None,
) -> int:
    from edge_agent.console import receipt

    path = receipt.found(template, T.lang)
    if path is None:
        raise Problem(Exit.CONFIG, "no_template", given=template, known=", ".join(receipt.names()))
    try:
        given = (receipt.values_of(values) if values else {}) | _values(value or ())
        shown = receipt.show(path, given, int(columns), reprint)
    except receipt.BadReceipt as bad:
        raise refused(path, bad, "receipt") from bad
    _show_receipt(Screen(T, as_json=as_json), shown, out)
    return Exit.OK


def _values(given: Sequence[str]) -> dict[str, str]:
    values: dict[str, str] = {}
    for one in given:
        name, equals, text = one.partition("=")
        if not equals or not name or name in values:
            raise Problem(Exit.USAGE, "bad_value", given=one)
        values[name] = text
    return values


def _show_receipt(screen: Screen, shown: Shown, out: Path | None) -> None:
    from edge_agent.console.half_blocks import half_blocks

    canvas = shown.canvas
    if out is not None:
        try:
            out.write_bytes(shown.png)
        except OSError as error:
            raise Problem(Exit.FAILED, "not_written", file=out, why=by_system(error)) from error
        screen.say(T("console.receipt_written", file=out, width=canvas.width, height=canvas.height))
    else:
        for line in half_blocks(canvas.rows(), canvas.width, screen.out.width):
            screen.say(Text(line.ljust(min(canvas.width, screen.out.width)), style="black on white"))
        if canvas.width > screen.out.width:
            screen.say(T("console.receipt_small"))
    if shown.made_up:
        screen.say(T("console.receipt_made_up", names=", ".join(shown.made_up)))
    if shown.unasked:
        screen.say(T("console.receipt_unasked", names=", ".join(shown.unasked)))
    if screen.as_json:
        screen.json(shown.as_json(out))


@app.command("list", help=T("help.receipt_list"))
def receipt_list(as_json: Json = False, lang: Speak = None) -> int:
    from edge_agent.console import receipt

    screen, templates = (
        Screen(T, as_json=as_json),
        [(name, *receipt.read(path)) for name, path in receipt.shipped().items()],
    )
    if as_json:
        asked = [
            (name, template, sorted(template.names()), sorted(template.every_name)) for name, _, template in templates
        ]
        screen.json(
            [
                {
                    "template": name,
                    "title": template.title,
                    "language": template.language,
                    "needs": needs,
                    "names": names,
                }
                for name, template, needs, names in asked
            ]
        )
        return Exit.OK
    rows = [(name, template.title, ", ".join(sorted(template.every_name))) for name, _, template in templates]
    screen.table([T("label.template"), T("label.title"), T("label.asks_for")], rows)
    return Exit.OK

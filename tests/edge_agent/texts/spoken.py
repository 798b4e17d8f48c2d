"""Run as a program in one language: every command's help, and what mistakes are told, as JSON.

The command line chooses its language once, when it is imported, so that a test must start it anew.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
from collections.abc import Iterator
from typing import Any

import typer

from commands import whole

LINES = """ordr list|order lst|order submit --wait=3 x|order submit --param|order show a b c|order show|order --lang zh
--nonsense|order show a --timout 3|order submit x --timeout 99999|order submit x --priority a
order submit x --param nope
order resolve o --step s --choice x --by a|order resolve o --step s --choice done --by a|order list --broker x:y
order list --broker 127.0.0.1:1|watch --broker 127.0.0.1:1|order list --branch /|receipt preview nosuch
receipt preview card_receipt --values /etc/passwd|receipt preview card_receipt --out /nonexist/x.png
receipt preview card_receipt --value x|screen preview x|screen preview strip_screen --set foo=1
screen preview strip_screen --call A|journal verify /nonexist|journal verify|journal wear /etc|audit show /nonexist
tap show /etc/passwd|tap show /nonexist|tap show /bin/sh|notes show /etc/passwd|notes show /tmp|notes show /nonexist
device probe x --config /nonexist
device exercise x draw_card --config /nonexist --by a|check /etc/passwd|check /nonexist
agent --config /nonexist|agent|completion foo|modbus read x|modbus scan tcp://127.0.0.1:1|modbus scan nonsense
modbus read tcp://127.0.0.1:1 --unit 1 --table x|serial listen serial:///dev/null?baud=9600
serial listen serial:///nonexist?baud=9600|serial listen tcp://127.0.0.1:1|order submit print_document --document a=b
order submit x --deadline 3y|order submit x --deadline 2020-01-01T00:00:00Z|people list --as a --config /nonexist
people add x --as a --role nobody --config /nonexist|application add x --as a --config /nonexist
stock load x y --by a --by b|clock attest|journal adopt --by a --by b|doctor --config /nonexist|top --config /nonexist
tap record x --config /nonexist|tap replay /etc/passwd|bundle --config /nonexist --out /nonexist/x
simulate|simulate nosuch|simulate crt591|simulate crt591 --listen x --ledger /dev/null/l --state /dev/null/s --device a
simulate crt591 --listen tcp:127.0.0.1:0 --ledger /dev/null/l --state /dev/null/s --device a --options {"nosuch":1}
simulate crt591 --listen tcp:127.0.0.1:0 --ledger /dev/null/l --state /dev/null/s --device a --options nonsense
simulate crt591 --listen tcp:127.0.0.1:0 --ledger /dev/null/l --state /dev/null/s --device a --device a"""


def _helps(command: Any, path: str, above: Any) -> Iterator[tuple[str, str]]:
    context = command.make_context(path, [], parent=above, resilient_parsing=True)
    yield f"{context.command_path} --help", command.get_help(context)
    for name, one in getattr(command, "commands", {}).items():
        yield from _helps(one, name, context)


def _told(line: str) -> str:
    told = io.StringIO()
    with contextlib.redirect_stdout(told), contextlib.redirect_stderr(told):
        whole.run(line.split())
    return told.getvalue()


def main() -> None:
    said = dict(_helps(typer.main.get_command(whole.app), "branchgate", None))
    said |= {line: _told(line) for line in LINES.replace("|", "\n").splitlines()}
    json.dump(said, sys.stdout)


if __name__ == "__main__":
    main()

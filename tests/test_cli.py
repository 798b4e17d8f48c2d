"""The command line, first ring: whatever is typed ends in a promised exit code and readable lines, no traceback."""

from __future__ import annotations

import asyncio
import io
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
import typer
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import cli
from central_scheduler.console import lines
from central_scheduler.console.problem import Exit, Problem
from central_scheduler.console.screen import Screen
from central_scheduler.console.usage import why_of
from cloud_bridge.client import Scheduler
from cloud_bridge.messages.reports import OrderChanged
from commands import kit, whole
from edge_agent.console import agent
from edge_agent.texts import Texts
from tests.speech import speak

ROOT = Path(__file__).parents[1]
GOOD_CONFIG = """\
[branch]
id = "B0001"
[journal]
folder = "{folder}"
[[device]]
id = "card-1"
role = "card-dispenser"
kind = "crt591"
address = "tcp://127.0.0.1:4001"
"""


@pytest.fixture(autouse=True)
def _nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test of this ring reaches a broker or a name server, or starts a branch."""

    async def refuse(*_: Any, **__: Any) -> None:
        raise ConnectionRefusedError("nobody listens")

    async def no_branch(*_: Any, **__: Any) -> int:
        return Exit.OK

    monkeypatch.setattr("cloud_bridge.mqtt_link.open_socket", refuse)
    monkeypatch.setattr("central_scheduler.demo.show.show", no_branch)  # words at random may ask for it, and it stays
    speak(monkeypatch, "en")
    for name in ("BROKER", "BRANCH", "NAME", "DEBUG"):
        monkeypatch.delenv(f"BRANCHGATE_{name}", raising=False)


class Hung(BaseException):
    """A command did not come back: no Exception, for a search for smaller arguments would hang as often as it looks."""


@contextmanager
def told_when_it_hangs(arguments: tuple[str, ...]) -> Iterator[None]:
    def hung(*_: object) -> None:
        raise Hung(f"branchgate {' '.join(map(repr, arguments))} does not end")

    before = signal.signal(signal.SIGALRM, hung)
    signal.alarm(100)  # so many times what the slowest box needs, and below the time after which a run is ended
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with told_when_it_hangs(arguments):
        code = cli.run(arguments)
    said = capsys.readouterr()
    return code, said.out, said.err


@pytest.mark.parametrize(
    ("arguments", "code", "names", "remedy"),
    [
        (["ordr"], 2, "ordr", "branchgate --help"),
        (["order", "submit"], 2, "SCENE", "order submit --help"),
        (["order", "list", "--nope"], 2, "--nope", "order list --help"),
        (["order", "list", "--broker", "x:y"], 2, "x:y", "HOST:PORT"),
        (["order", "list", "--broker", "h:70000"], 2, "h:70000", "HOST:PORT"),
        (["order", "list", "--branch", "a/b"], 2, "a/b", "Letters"),
        (["order", "list", "--name", "#"], 2, "#", "Letters"),
        (["order", "list", "--timeout", "0"], 2, "--timeout", "--help"),
        (["order", "list", "--lang", "fr"], 2, "--lang", "--help"),
        (["--lang", "zh", "order", "list"], 2, "--lang", "branchgate device list --lang"),
        (["order", "--branch", "B1", "list"], 2, "--branch", "branchgate device list --branch"),
        (["--nope", "order", "list"], 2, "--nope", "branchgate --help"),
        (["order", "submit", "a b"], 2, "a b", "Letters"),
        (["order", "submit", "x", "--param", "nope"], 2, "nope", "NAME=VALUE"),
        (["order", "submit", "x", "--param", "a=1", "--param", "a=2"], 2, "a=2", "NAME=VALUE"),
        (["order", "submit", "x", "--deadline", "soon"], 2, "soon", "10m"),
        (["order", "submit", "x", "--deadline", "2020-01-01T00:00:00Z"], 2, "2020", "ahead"),
        (["order", "submit", "x", "--deadline", "2030-01-01T00:00:00"], 2, "2030", "zone"),
        (["order", "submit", "x", "--not-before", "999999999d"], 2, "999999999d", "10m"),
        (["order", "submit", "x", "--priority", "101"], 2, "--priority", "--help"),
        (["order", "submit", "x", "--id", "../x"], 2, "../x", "Letters"),
        (["order", "cancel", "a b"], 2, "a b", "Letters"),
        (["order", "resolve", "o", "--step", "s", "--choice", "maybe", "--by", "li"], 2, "maybe", "--help"),
        (["order", "resolve", "o", "--step", "s", "--choice", "done", "--by", "li"], 2, "2 different", "--by"),
        (["order", "resolve", "o", "--step", "s", "--choice", "done", "--by", "li", "--by", "LI"], 2, "2", "--by"),
        (["order", "resolve", "o", "--step", "s", "--choice", "failed", "--by", " "], 2, "cannot be", "Letters"),
        (["device", "show", "#"], 2, "#", "Letters"),
        (["order", "list"], 4, "127.0.0.1:1883", "--broker"),
        (["device", "list", "--broker", "[::1]:99"], 4, "[::1]:99", "--broker"),
        (["watch"], 4, "127.0.0.1:1883", "--broker"),
        (["journal", "adopt", "--branch", "B1"], 4, "127.0.0.1:1883", "--broker"),
        (["clock", "attest", "--by", "li", "--by", "LI", "--yes"], 2, "2 different", "--by"),
        (["clock", "attest", "--by", "li", "--by", "wang", "--yes", "--branch", "B1"], 4, "127.0.0.1:1883", "--broker"),
        (["check", "/no/such/file"], 78, "/no/such/file", "cannot be read"),
        (["agent", "--config", "/no/such/file"], 78, "/no/such/file", "branchgate check /no/such/file"),
        (["check", "nul\0"], 2, "nul", "--help"),
        (["order", "submit", "\udcff"], 2, "udcff", "--help"),
    ],
)
def test_a_mistake_is_named_with_its_remedy(
    capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, names: str, remedy: str
) -> None:
    got, out, err = run(capsys, *arguments)
    assert got == code
    assert names in out + err
    assert remedy in out + err
    assert len((out + err).splitlines()) <= 2


def test_a_mistake_as_json_is_one_object_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "order", "list", "--json")
    told = json.loads(err)
    assert (code, out) == (4, "")
    assert (told["error"], told["exit_code"]) == ("no_broker", 4)
    assert told["message"]
    assert told["remedy"]


def test_a_usage_mistake_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "order", "--json")
    assert (code, json.loads(err)["exit_code"]) == (2, 2)


def test_mistakes_are_told_in_chinese(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    speak(monkeypatch, "zh")
    code, _, err = run(capsys, "order", "list", "--lang", "zh")
    assert code == 4
    assert "消息服务器 127.0.0.1:1883 无应答" in err


@pytest.mark.parametrize(
    ("arguments", "what", "says"),
    [
        (["receipt", "preview", "ticket", "--reprint", "-1"], "--reprint", "至少为 0"),
        (["receipt", "preview", "ticket", "--reprint", "x"], "--reprint", "必须是整数"),
        (["order", "submit", "x", "--priority", "101"], "--priority", "至多为 100"),
        (["order", "list", "--timeout", "0"], "--timeout", "至少为 0.1"),
        (["order", "list", "--timeout", "nan"], "--timeout", "至"),
        (["order", "list", "--timeout", "x"], "--timeout", "必须是数字"),
        (["receipt", "preview", "ticket", "--columns", "40"], "--columns", "没有 '40'：请改用 '48', '42', '32' 之一"),
    ],
)
def test_a_value_out_of_bounds_is_told_in_chinese(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    what: str,
    says: str,
) -> None:
    speak(monkeypatch, "zh")
    code, _, err = run(capsys, *arguments)
    assert (code, err.startswith(f"{what}：{says}")) == (2, True), err
    code, _, err = run(capsys, *arguments, "--json")
    told = json.loads(err)
    assert (told["error"], says in told["message"]) == ("usage_value", True)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("-1 is not in the range 0<=x<=99.", "须在 0<=x<=99 之内"),
        ("'x' is not a valid integer.", "必须是整数"),
        ("'x' is not a valid float.", "必须是数字"),
        ("Input should be greater than 0", "必须大于 0"),
        ("Input should be less than 1.5", "必须小于 1.5"),
        ("Value error, nobody knows this", "nobody knows this"),
    ],
)
def test_what_other_versions_of_the_parser_say_is_translated_too(said: str, told: str) -> None:
    assert Problem(Exit.USAGE, "usage", why=why_of(said)).sentence(Texts("zh")).startswith(told)


def test_what_the_contract_refuses_is_told_in_chinese(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    speak(monkeypatch, "zh")
    monkeypatch.setattr("central_scheduler.console.orders.branch_line", _a_line)
    code, _, err = run(capsys, "order", "submit", "x", "--customer", "c" * 101, "--branch", "B1")
    assert (code, err.startswith("customer：太长：请至多写 100 个字符")) == (2, True), err
    assert "`branchgate order submit --help`" in err, "the help of this command tells, not that of all"


@pytest.mark.parametrize(
    ("more", "names"),
    [(["--note", "n" * 501], "note"), ([word for n in range(5) for word in ("--by", f"p{n}")], "people")],
)
def test_what_the_contract_refuses_of_a_loading_is_a_mistake_of_usage(
    capsys: pytest.CaptureFixture[str], more: list[str], names: str
) -> None:
    loading = ["stock", "load", "cab-1", "01=card:S1", "--by", "li", "--by", "wu", "--yes", "--branch", "B1"]
    code, _, err = run(capsys, *loading, *more)
    assert (code, err.startswith(names)) == (2, True), err
    assert "`branchgate stock load --help`" in err


@asynccontextmanager
async def _a_line(*_: Any) -> AsyncIterator[Scheduler]:
    yield Scheduler("127.0.0.1", 1, name="console", branch="B1")


def test_a_terminal_obeys_nothing_that_was_typed(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, err = run(capsys, "order", "cancel", "\x1b[2J\x1b]0;owned\x07")
    assert "\x1b" not in out + err


def test_a_terminal_obeys_nothing_that_a_branch_tells(capsys: pytest.CaptureFixture[str]) -> None:
    """Names and reasons come over a broker, what passed on a line from a file: rich hands on what a Text holds."""
    evil = "\x1b]0;owned\x07\u202e"
    facts = {"step": "draw", "attempt": evil, "choices": [evil], "left_out": []}
    told = OrderChanged(
        journal="j", seq=1, order="o", scene="s", reason=evil, to="needs_attention", facts=facts, by=[evil]
    )
    screen = Screen(Texts("en"))
    line = lines.event(told, Texts("en"))
    screen.say(line)
    screen.table(["what"], [[line]])
    screen.pairs({"what": line})
    out = capsys.readouterr().out
    assert "owned" in out
    assert all(c.isprintable() or c == "\n" for c in out)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_that_lacks_letters_ends_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, encoding: str
) -> None:
    speak(monkeypatch, "zh")
    path = tmp_path / "branch.toml"
    path.write_text(GOOD_CONFIG.format(folder=tmp_path / "ü" / "▀"), encoding="utf-8")
    said = {}
    for more in ("--lang=zh", "--json"):
        raw = io.BytesIO()
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding=encoding))
        assert cli.run(["check", str(path), more]) == Exit.OK
        sys.stdout.flush()
        said[more] = raw.getvalue().decode(encoding)
    assert said["--lang=zh"].strip()
    assert json.loads(said["--json"])["ok"]


@pytest.mark.process
@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_lead_nowhere(tmp_path: Path, closed: str) -> None:
    path = tmp_path / "branch.toml"
    path.write_text(GOOD_CONFIG.format(folder=tmp_path), encoding="utf-8")
    command = f"{sys.executable} -m cli check {path} --lang en {closed}"
    ended = subprocess.run(["sh", "-c", command], cwd=ROOT, capture_output=True, timeout=100, check=False)
    assert (ended.returncode, ended.stderr) == (Exit.OK, b"")


@pytest.mark.parametrize("group", [[], ["order"], ["device"], ["journal"]])
def test_a_bare_group_shows_its_help_and_is_a_usage_mistake(
    capsys: pytest.CaptureFixture[str], group: list[str]
) -> None:
    code, _, err = run(capsys, *group)
    assert code == 2
    assert "Commands:" in err


def _all_commands() -> list[list[str]]:
    groups = [(None, whole.app), *whole.GROUPS.items()]
    return [
        [*([group] if group else []), str(command.name or command.callback.__name__)]  # type: ignore[union-attr]
        for group, app in groups
        for command in app.registered_commands
    ]


@pytest.mark.parametrize("command", _all_commands())
def test_each_command_has_help_and_speaks_json(capsys: pytest.CaptureFixture[str], command: list[str]) -> None:
    code, out, _ = run(capsys, *command, "--help")
    assert code == 0
    assert "--json" in out
    assert "--lang" in out


def test_a_question_is_asked_until_it_is_answered(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter(["maybe", " Y ", "", "否"])
    monkeypatch.setattr("builtins.input", lambda _: next(answers))
    assert [kit.confirm("?") for _ in range(3)] == [True, False, False]
    assert capsys.readouterr().out.splitlines() == [kit.T("console.yes_or_no")]


def test_a_question_that_nobody_can_answer_ends_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    def ended(_: str) -> str:
        raise EOFError

    monkeypatch.setattr("builtins.input", ended)
    with pytest.raises(typer.Abort):
        kit.confirm("?")


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "--version")
    assert code == 0
    assert out.startswith("branchgate agent ")


def test_what_a_simulator_lacks_is_told_with_its_remedy(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "simulate", "crt591", "--ledger", "l", "--state", "s", "--device", "card-1")
    assert (code, "--listen" in err, "simulate --help" in err) == (2, True, True)
    rest = ("--ledger", "l", "--state", "s", "--device", "card-1")
    for wrong, says in (
        (("toaster", "--listen", "tcp:127.0.0.1:0"), "strip_screen"),
        (("crt591", "--listen", "here"), "pty:/path/to/link"),
        (("crt591", "--listen", "tcp:127.0.0.1:0", "--device", "card-1"), "each --device once"),
        (("crt591", "--listen", "tcp:127.0.0.1:0", "--options", "[]"), "'{\"cards\": 20}'"),
        (("crt591", "--listen", "tcp:127.0.0.1:0", "--control", "here"), "unix:/path.sock"),
        (("crt591", "--listen", "tcp:127.0.0.1:0", "--options", '{"cats": 1}'), "option 'cats' is not known"),
    ):
        code, _, err = run(capsys, "simulate", *wrong, *rest)
        assert (code, says in err) == (2, True), err


@pytest.mark.parametrize(
    "options",
    [
        ["--config", "a.toml"],
        ["--config=a.toml", "--debug"],
        ["--json", "--lang", "zh", "--config", "分行.toml", "--debug", "--debug"],
        ["--config", "a.toml", "--lang=en", "--config", "b.toml"],
        ["--config", "a b=c.toml"],
        ["--config="],
        ["--config"],
        ["--config", "--debug"],
        ["--config", "a.toml", "more"],
        ["--config", "a.toml", "--", "more"],
        ["--config", "a.toml", "--lang", "fr"],
        ["--config", "a.toml", "--debug=1"],
        ["--config", "a\n.toml"],
        ["--help"],
        [],
    ],
)
def test_the_agent_is_asked_for_plainly_or_with_a_parser_all_the_same(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, options: list[str]
) -> None:
    asked: list[tuple[Path, bool]] = []
    monkeypatch.setattr(agent, "run", lambda config, *, debug: asked.append((config, debug)))
    codes = [cli.run(["agent", *options]), whole.run(["agent", *options])]
    said = capsys.readouterr()
    assert codes[0] == codes[1]
    assert asked[: len(asked) // 2] == asked[len(asked) // 2 :]
    assert len(asked) == (2 if codes[0] == 0 and "--help" not in options else 0)
    for stream in (said.out, said.err):
        assert stream[: len(stream) // 2] == stream[len(stream) // 2 :]


@pytest.mark.process
def test_the_agent_keeps_no_parser_and_no_screen_in_memory() -> None:
    script = (
        "import sys, cli\n"
        "from edge_agent.console import agent\n"
        "agent.run = lambda config, debug: print(sorted({'typer', 'rich', 'central_scheduler'} & set(sys.modules)))\n"
        "cli.run(['agent', '--config', 'branch.toml'])\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_unforeseen_error_is_two_lines(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def burst(*_: object) -> None:
        raise RuntimeError("nobody thought of this")

    monkeypatch.setattr("commands.kit.sit", burst)
    code, _, err = run(capsys, "order", "list")
    assert code == 1
    assert "nobody thought of this" in err
    assert "Traceback" not in err
    monkeypatch.setenv("BRANCHGATE_DEBUG", "1")
    with pytest.raises(RuntimeError):
        cli.run(["order", "list"])


@pytest.mark.parametrize("stopped_by", [KeyboardInterrupt, asyncio.CancelledError])
def test_ctrl_c_is_told_and_has_its_code(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, stopped_by: type[BaseException]
) -> None:
    def interrupt(*_: object) -> None:
        raise stopped_by

    monkeypatch.setattr("commands.kit.sit", interrupt)
    code, _, err = run(capsys, "order", "list")
    assert (code, err.strip()) == (130, "interrupted")


# -- check ---------------------------------------------------------------------------------------------------------


def test_a_good_configuration_passes(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    config = tmp_path / "branch.toml"
    config.write_text(GOOD_CONFIG.format(folder=tmp_path), encoding="utf-8")
    code, out, _ = run(capsys, "check", str(config))
    assert code == 0
    assert out.strip() == f"{config}: no errors"


def test_each_error_has_file_and_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    config = tmp_path / "branch.toml"
    text = GOOD_CONFIG.format(folder=tmp_path).replace('kind = "crt591"', 'kind = "toaster"\ncolour = "red"')
    config.write_text(text, encoding="utf-8")
    code, out, _ = run(capsys, "check", str(config))
    assert code == 78
    assert f"{config}:9: error: device.0.colour: is not known here" in out
    code, out, _ = run(capsys, "check", str(config), "--json")
    told = json.loads(out)
    assert (code, told["ok"], told["findings"][0]["line"]) == (78, False, 9)
    code, _, err = run(capsys, "agent", "--config", str(config))
    assert code == 78
    assert "colour" in err


def test_what_is_unwise_is_a_warning(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    config = tmp_path / "branch.toml"
    text = GOOD_CONFIG.format(folder=f'{tmp_path}"\nadoption = "automatic').replace("card-dispenser", "printer")
    config.write_text(text + '\n[clock]\nsource = "host"\n', encoding="utf-8")
    code, out, _ = run(capsys, "check", str(config), "--json")
    told = json.loads(out)
    warned = [finding["message"].partition(":")[0] for finding in told["findings"] if finding["level"] == "warning"]
    assert (code, told["ok"]) == (0, True)
    assert {"journal.adoption", "clock.source"} <= set(warned)
    assert any("card-dispenser" in finding["message"] for finding in told["findings"])


def test_a_password_that_cannot_be_read_is_an_error(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    config = tmp_path / "branch.toml"
    text = GOOD_CONFIG.format(folder=tmp_path) + f'[link]\npassword_file = "{tmp_path}/none"\n'
    config.write_text(text, encoding="utf-8")
    code, out, _ = run(capsys, "check", str(config))
    assert code == 78
    assert "link.password_file" in out


def test_a_bad_scene_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "broken.toml").write_text("[scene]\nname = 3\n", encoding="utf-8")
    config = tmp_path / "branch.toml"
    text = GOOD_CONFIG.format(folder=tmp_path) + f'[scenes]\nfolders = ["{tmp_path}"]\n'
    config.write_text(text, encoding="utf-8")
    code, out, _ = run(capsys, "check", str(config))
    assert code == 78
    assert f"{tmp_path / 'broken.toml'}:2: error:" in out


def test_findings_are_told_in_the_language_asked_for(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    speak(monkeypatch, "zh")
    config = tmp_path / "branch.toml"
    text = GOOD_CONFIG.format(folder=tmp_path).replace('"B0001"', '"B/1"').replace('"crt591"', "7")
    config.write_text(text, encoding="utf-8")
    code, out, _ = run(capsys, "check", str(config))
    assert code == 78
    assert f"{config}:2: 错误: branch.id：写法不对：请用字母、数字、点、横线和下划线" in out
    assert f"{config}:8: 错误: device.0.kind：必须是文本：请加引号" in out
    code, out, err = run(capsys, "agent", "--config", str(config))
    assert code == 78
    assert f"{config}:2: branch.id：写法不对" in err
    assert f"{config}:8: device.0.kind：必须是文本" in err


def test_findings_as_json_have_code_and_message(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    config = tmp_path / "branch.toml"
    text = GOOD_CONFIG.format(folder=tmp_path).replace("tcp://127.0.0.1:4001", "tcp://127.0.0.1")
    config.write_text(text, encoding="utf-8")
    _, out, _ = run(capsys, "check", str(config), "--json")
    (finding,) = json.loads(out)["findings"]
    message = finding["message"]
    assert message.startswith("device.0.address: 'tcp://127.0.0.1': host and port")
    assert finding == {"level": "error", "file": str(config), "line": 9, "code": "address_tcp_port", "message": message}
    _, _, err = run(capsys, "agent", "--config", str(config), "--json")
    told = json.loads(err)
    assert told["error"] == "config"
    assert told["findings"] == [{"file": str(config), "line": 9, "code": "address_tcp_port", "message": message}]
    text = GOOD_CONFIG.format(folder=tmp_path) + '[clock]\nsource = "host"\n[link]\npassword_file = "/nowhere"\n'
    config.write_text(text, encoding="utf-8")
    _, out, _ = run(capsys, "check", str(config), "--json")
    assert [finding["code"] for finding in json.loads(out)["findings"]] == ["clock_host", "password_file"]


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode()))
@example(content=b"\xff")
@example(content=b"[branch]\nid = 1979-05-27")
@example(content=b"[[device]]\n" * 300)
@example(content=b"a = " + b"[" * 5000)
def test_any_bytes_as_configuration(capsys: pytest.CaptureFixture[str], tmp_path: Path, content: bytes) -> None:
    config = tmp_path / "branch.toml"
    config.write_bytes(content)
    code, out, err = run(capsys, "check", str(config), "--json")
    assert code == 78
    assert json.loads(out)["findings"]
    assert "nobody foresaw" not in err


# -- what is no file ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["pipe", "pty"])
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["check"], 78),
        (["agent", "--config"], 78),
        (["notes", "show"], 1),
        (["tap", "show"], 3),
        (["tap", "replay", "--listen", "tcp:127.0.0.1:0"], 3),
        (["order", "submit", "x", "--branch", "B1", "--document", "a=https://h/a.pdf", "--document-file"], 2),
    ],
)
def test_a_pipe_or_a_device_is_no_file_and_holds_nobody_up(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, arguments: list[str], code: int, kind: str
) -> None:
    path = tmp_path / "file.pdf"
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/ptmx")
    named = f"a={path}" if arguments[-1].startswith("--document") else str(path)
    got, out, err = run(capsys, *arguments, named)
    assert (got, "pipe or a device" in err + out) == (code, True), out + err


# -- any arguments -------------------------------------------------------------------------------------------------

VOCABULARY = """
order submit cancel hold release list show resolve device watch journal adopt check agent simulate collect_card o1
-- - --json --all --wait --param a=1 --priority 5 --deadline 10m --not-before --id --step draw --choice done failed
--by li wang --yes --note --reason --attempt --lang zh --broker 127.0.0.1:9 --branch B1 --name n --timeout 1
--config --help --version
"""
WORDS = st.sampled_from(["", *VOCABULARY.split()])


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(arguments=st.lists(WORDS | st.text(max_size=12), max_size=9))
@example(arguments=["order", "submit", "x", "--param", "a=" + "9" * 5000, "--branch", "B1"])
@example(arguments=["order", "submit", "x", "--param", "a=NaN", "--param", "b=1e999", "--branch", "B1"])
@example(arguments=["order", "submit", "x", "--deadline", "9999-12-31T23:59:59-23:59"])
@example(arguments=["order", "submit", "x", "--deadline", "0001-01-01T00:00:00+23:59"])
@example(arguments=["check", ""])
@example(arguments=["check", "/"])
@example(arguments=["agent", "--config", ""])
@example(arguments=["demo"])
@example(arguments=["Traceback"])
@example(arguments=["check", "/dev/ptmx"])
def test_any_arguments_end_in_a_promised_code(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    code, out, err = run(capsys, *arguments)
    assert code in set(Exit)
    assert "Traceback (most" not in out + err
    assert "nobody foresaw" not in out + err
    assert code == 0 or err.strip() or out.strip()


def test_the_manual_promises_each_exit_code() -> None:
    manual = (ROOT / "docs" / "cli.md").read_text("utf-8")
    promised = {int(code) for code in re.findall(r"^\| (\d+) \|", manual, re.MULTILINE)}
    assert promised == {int(code) for code in Exit}


def test_the_manual_names_each_command() -> None:
    manual = (ROOT / "docs" / "cli.md").read_text("utf-8")
    assert [c for c in _all_commands() if f"branchgate {' '.join(c)}" not in manual] == []

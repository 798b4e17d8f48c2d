"""The command line, first ring: whatever is typed ends in a promised exit code and readable lines, no traceback."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import cli
from central_scheduler.console.problem import Exit
from edge_agent.texts import Texts

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
    """No test of this ring reaches a broker or a name server."""

    async def refuse(*_: Any, **__: Any) -> None:
        raise ConnectionRefusedError("nobody listens")

    monkeypatch.setattr("cloud_bridge.mqtt_link.open_socket", refuse)
    monkeypatch.setattr(cli, "T", Texts("en"))
    for name in ("BROKER", "BRANCH", "NAME", "DEBUG"):
        monkeypatch.delenv(f"BRANCHGATE_{name}", raising=False)


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
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
    monkeypatch.setattr(cli, "T", Texts("zh"))
    code, _, err = run(capsys, "order", "list", "--lang", "zh")
    assert code == 4
    assert "消息服务器 127.0.0.1:1883 无应答" in err


def test_a_terminal_obeys_nothing_that_was_typed(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, err = run(capsys, "order", "cancel", "\x1b[2J\x1b]0;owned\x07")
    assert "\x1b" not in out + err


@pytest.mark.parametrize("group", [[], ["order"], ["device"], ["journal"]])
def test_a_bare_group_shows_its_help_and_is_a_usage_mistake(
    capsys: pytest.CaptureFixture[str], group: list[str]
) -> None:
    code, _, err = run(capsys, *group)
    assert code == 2
    assert "Commands:" in err


def _all_commands() -> list[list[str]]:
    groups = {None: cli.app, "order": cli.order_app, "device": cli.device_app, "journal": cli.journal_app}
    return [
        [*([group] if group else []), str(command.name or command.callback.__name__)]  # type: ignore[union-attr]
        for group, app in groups.items()
        for command in app.registered_commands
    ]


@pytest.mark.parametrize("command", [c for c in _all_commands() if c != ["simulate"]])
def test_each_command_has_help_and_speaks_json(capsys: pytest.CaptureFixture[str], command: list[str]) -> None:
    code, out, _ = run(capsys, *command, "--help")
    assert code == 0
    assert "--json" in out
    assert "--lang" in out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "--version")
    assert code == 0
    assert out.startswith("branchgate agent ")


def test_arguments_of_simulate_reach_the_simulator(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "simulate", "--help")
    assert code == 0
    assert "crt591" in out
    code, _, err = run(capsys, "simulate", "toaster")
    assert code == 2
    assert "toaster" in err


def test_an_unforeseen_error_is_two_lines(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def burst(*_: object) -> None:
        raise RuntimeError("nobody thought of this")

    monkeypatch.setattr("cli.sit", burst)
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

    monkeypatch.setattr("cli.sit", interrupt)
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
    monkeypatch.setattr(cli, "T", Texts("zh"))
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


# -- any arguments -------------------------------------------------------------------------------------------------

VOCABULARY = """
order submit cancel hold release list show resolve device watch journal adopt check agent simulate collect_card o1
-- - --json --all --wait --param a=1 --priority 5 --deadline 10m --not-before --id --step draw --choice done failed
--by li wang --yes --note --reason --attempt --lang zh --broker 127.0.0.1:9 --branch B1 --name n --timeout 1
--config --help --version
"""
WORDS = st.sampled_from(["", *VOCABULARY.split()])


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(arguments=st.lists(WORDS | st.text(max_size=12), max_size=9))
@example(arguments=["order", "submit", "x", "--param", "a=" + "9" * 5000, "--branch", "B1"])
@example(arguments=["order", "submit", "x", "--param", "a=NaN", "--param", "b=1e999", "--branch", "B1"])
@example(arguments=["order", "submit", "x", "--deadline", "9999-12-31T23:59:59-23:59"])
@example(arguments=["order", "submit", "x", "--deadline", "0001-01-01T00:00:00+23:59"])
@example(arguments=["check", ""])
@example(arguments=["check", "/"])
@example(arguments=["agent", "--config", ""])
def test_any_arguments_end_in_a_promised_code(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    code, out, err = run(capsys, *arguments)
    assert code in set(Exit)
    assert "Traceback" not in out + err
    assert "nobody foresaw" not in out + err
    assert code == 0 or err.strip() or out.strip()


def test_the_manual_promises_each_exit_code() -> None:
    manual = (ROOT / "docs" / "cli.md").read_text("utf-8")
    promised = {int(code) for code in re.findall(r"^\| (\d+) \|", manual, re.MULTILINE)}
    assert promised == {int(code) for code in Exit}


def test_the_manual_names_each_command() -> None:
    manual = (ROOT / "docs" / "cli.md").read_text("utf-8")
    assert [c for c in _all_commands() if f"branchgate {' '.join(c)}" not in manual] == []

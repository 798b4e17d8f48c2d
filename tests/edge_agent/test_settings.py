"""branch.toml: whatever stands in it, either it is good or each mistake is told with file, line, key and remedy."""

from __future__ import annotations

import random
import re
import ssl
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trustme
from hypothesis import example, given, settings
from hypothesis import strategies as st

from device_drivers.catalog import kind_of
from device_drivers.kinds import DeviceKind
from edge_agent import fitting
from edge_agent.findings import Problem
from edge_agent.orders.scenes import load_scenes
from edge_agent.settings import MAX_BYTES, BadConfig, Settings, load, parse
from tests.edge_agent.texts.told import assert_told_in_both_languages

GOOD = """\
[branch]
id = "B0001"
name = "解放路支行"

[link]
host = "127.0.0.1"
port = 1883
username = "branch"

[journal]
folder = "/var/lib/branchgate"
adoption = "instruction"

[clock]
source = "host"

[orders]
max_open = 1000

# the first machine
[[device]]
id = "card-1"
role = "card-dispenser"
kind = "crt591"
address = "serial:///dev/ttyUSB0?baud=9600"
[device.profile]
act_max_s = 0.7

[[device]]
id = "card-2"
role = "card-dispenser"
kind = "crt591"
address = "tcp://127.0.0.1:4001"
[device.profile]
unit = 3
poll_s = 0.2
"""


def problems(text: str) -> list[Problem]:
    with pytest.raises(BadConfig) as bad:
        parse(text, "branch.toml")
    found = bad.value.problems
    assert found
    for problem in found:
        assert str(problem) in str(bad.value)
    return found


def line(of: str, nth: int = 1) -> int:
    """The line of the nth place where a text begins in the good file."""
    at = [number for number, text in enumerate(GOOD.split("\n"), 1) if text.startswith(of)]
    return at[nth - 1]


def put(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new, 1)


def test_the_good_file_is_good() -> None:
    loaded = parse(GOOD)
    assert [device.id for device in loaded.device] == ["card-1", "card-2"]
    assert (loaded.link.host, loaded.link.heartbeat_s, loaded.clock.source) == ("127.0.0.1", 60.0, "host")
    assert loaded.link_settings().client_id == "branchgate-B0001"
    assert set(loaded.load_scenes()) >= {"collect_card"}


def test_the_least_file_is_good() -> None:
    least = parse('[branch]\nid = "B1"\n[journal]\nfolder = "data"\n')
    assert (least.journal.adoption, least.clock.source, least.device) == ("instruction", "kernel", [])


MISTAKES: dict[str, tuple[str, int, list[str]]] = {
    "unknown key": (put("port = 1883", "prot = 1883"), line("port"), ["link.prot", "not known", "spelling"]),
    "unknown table": (GOOD + "[lnik]\nx = 1\n", GOOD.count("\n") + 1, ["lnik", "not known"]),
    "unknown key of a device": (put("kind =", "knid ="), line("kind"), ["device.0.knid", "not known"]),
    "missing key": (put('id = "B0001"\n', ""), line("[branch]"), ["branch.id", "missing: add it"]),
    "a scanner that serves a stranger": (
        GOOD + '[[device]]\nid = "s"\nrole = "scanner"\nkind = "scanner"\naddress = "tcp://127.0.0.1:4009"\n'
        '[device.profile]\nserves = ["card-1", "card-9"]\n',
        GOOD.count("\n") + 7,
        ["profile.serves", "'card-9' is no device"],
    ),
    "missing table": (put('[journal]\nfolder = "/var/lib/branchgate"\nadoption = "instruction"\n', ""), 1, ["journal"]),
    "missing key of the second device": (
        put('address = "tcp://127.0.0.1:4001"\n', ""),
        line("[[device]]", 2),
        ["device.1.address", "missing: add it"],
    ),
    "text for a number": (put("port = 1883", 'port = "the usual"'), line("port"), ["link.port", "integer"]),
    "number for a text": (put('id = "B0001"', "id = 1"), line("id"), ["branch.id", "string"]),
    "number out of bounds": (put("port = 1883", "port = 70000"), line("port"), ["link.port", "65535"]),
    "not a number": (put("port = 1883", "heartbeat_s = nan"), line("port"), ["link.heartbeat_s"]),
    "another word": (put('"host"', '"ntp"'), line("source"), ["clock.source", "'kernel', 'lan' or 'host'"]),
    "a lan without its server": (put('"host"', '"lan"'), line("source"), ["clock.source", "clock.lan_server"]),
    "a time server on no port": (
        put('source = "host"', 'source = "lan"\nlan_server = "ntp:65536"'),
        line("source") + 1,
        ["clock.lan_server", "host:port"],
    ),
    "bad branch id": (put('id = "B0001"', 'id = "B/1"'), line("id"), ["branch.id", "pattern"]),
    "bad address": (
        put("serial:///dev/ttyUSB0?baud=9600", "serial://ttyUSB0"),
        line("address"),
        ["device.0.address", "serial:///dev/ttyUSB0"],
    ),
    "bad baud": (put("baud=9600", "baud=9601"), line("address"), ["9601", "9600"]),
    "no port": (put("127.0.0.1:4001", "127.0.0.1"), line("address", 2), ["device.1.address", "port"]),
    "unknown kind": (put('kind = "crt591"', 'kind = "crt592"'), line("kind"), ["device.0.kind", "crt592", "crt591"]),
    "one id twice": (put('id = "card-2"', 'id = "card-1"'), line("id", 3), ["device.1.id", "twice", "its own id"]),
    "profile: unknown key": (put("poll_s", "pol_s"), line("poll_s"), ["device.1.profile.pol_s", "not known"]),
    "profile: wrong type": (put("0.7", '"0.7"'), line("act_max_s"), ["device.0.profile.act_max_s", "number"]),
    "profile: out of bounds": (put("unit = 3", "unit = 16"), line("unit"), ["device.1.profile.unit", "15"]),
    "profile is no table": (
        put("[device.profile]\nact_max_s = 0.7", "profile = 1"),
        line("[device.profile]"),
        ["device.0.profile"],
    ),
    "a role whose scenes ask for more": (
        GOOD.replace('"crt591"\naddress = "tcp', '"other"\naddress = "tcp'),
        line("role", 2),
        ["device.1.role", "draw_card", "'other' does not offer", "change its role"],
    ),
    "back-off upside down": (
        put("port = 1883", "backoff_min_s = 9.0\nbackoff_max_s = 8.0"),
        line("port") + 1,
        ["link.backoff_max_s", "make it larger"],
    ),
    "broker elsewhere": (put("127.0.0.1", "192.0.2.10"), line("host"), ["link.host", "loopback", "use 127.0.0.1"]),
    "broker on every address": (put("127.0.0.1", "0.0.0.0"), line("host"), ["link.host", "use 127.0.0.1"]),
    "broker with an impossible name": (put("127.0.0.1", "a..b"), line("host"), ["link.host", "use 127.0.0.1"]),
    "broker with no name": (put('"127.0.0.1"', '""'), line("host"), ["link.host"]),
    "broker with a zero in its name": (put('"127.0.0.1"', '"a\\u0000b"'), line("host"), ["link.host"]),
    "user name with a control character": (put('"branch"', '"a\\u0000"'), line("username"), ["link.username"]),
    "no folder": (put('"/var/lib/branchgate"', '" "'), line("folder"), ["journal.folder", "write its path"]),
    "folder with a zero": (put("lib/branchgate", "\\u0000"), line("folder"), ["journal.folder", "write its path"]),
    "no folder of scenes": (
        GOOD + '[scenes]\nfolders = ["/nowhere"]\n',
        GOOD.count("\n") + 2,
        ["scenes.folders.0: /nowhere is no readable folder of scenes", "mend its path"],
    ),
    "no folder of templates": (
        GOOD + '[receipts]\nfolders = ["/", "templatez"]\n',
        GOOD.count("\n") + 2,
        ["receipts.folders.1: templatez is no readable folder of templates", "mend its path"],
    ),
    "two machines on one port and unit": (
        GOOD.replace('"tcp://127.0.0.1:4001"', '"serial:///dev/ttyUSB0?baud=9600"').replace("unit = 3\n", ""),
        line("address", 2),
        ["device.1.address", "same machine as 'card-1'", "mend address or profile"],
    ),
    "one port with two settings": (
        GOOD.replace('"tcp://127.0.0.1:4001"', '"serial:///dev/ttyUSB0?baud=19200"'),
        line("address", 2),
        ["/dev/ttyUSB0", "baud=19200", "same address"],
    ),
    "not TOML": (put("port = 1883", "port = = 1883"), line("port"), ["is not TOML"]),
    "a text without end": (put('id = "B0001"', 'id = "B0001'), line("id"), ["is not TOML"]),
    "cut": (GOOD + 'x = """\n', GOOD.count("\n") + 2, ["is not TOML"]),
    "a key twice": (put("port = 1883", "port = 1883\nport = 1883"), line("port") + 1, ["is not TOML"]),
    "a number of 5000 digits": (put("1883", "9" * 5000), line("port"), ["4096 characters", "break this line"]),
    "a number of 4000 digits": (put("1883", "9" * 4000), line("port"), ["link.port"]),
    "a table where a list is meant": (put("[[device]]", "[device]"), line("[[device]]", 2), ["is not TOML"]),
    "huge": ("#\n" * MAX_BYTES, 1, ["bytes"]),
    "huge in bytes": ("\n".join(["#" + "支" * 1000] * 88), 1, ["bytes"]),
    "deep": ("a = " + ("[" * 4000 + "\n") * 10, 1, ["nested too deeply"]),
    "deep keys": (GOOD + "a" + ".a" * 90 + " = 1\n", GOOD.count("\n") + 1, ["a: is not known"]),
    "deeper keys": (GOOD + "a" + ".a" * 101 + " = 1\n", GOOD.count("\n") + 1, ["100 dots", "mend this line"]),
    "many deep keys": ("".join(f"a{n}" + ".a" * 95 + " = 1\n" for n in range(300)) + GOOD, 1, ["is not known"]),
    "deep in a profile": (put("unit = 3", "unit" + ".a" * 90 + " = 1"), line("unit"), ["device.1.profile.unit"]),
    "many dots that are no key": (
        put("port = 1883", f'prot = "{"." * 200}" # {"." * 200}'),
        line("port"),
        ["link.prot"],
    ),
    "a long line": (put("port = 1883", "port = 1883 #" + "-" * 4100), line("port"), ["4096", "break this line"]),
    "empty": ("", 1, ["branch: is missing"]),
}


@pytest.fixture(autouse=True)
def _a_kind_that_offers_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def find(name: str) -> DeviceKind:
        return replace(kind_of("crt591"), name="other", acts=frozenset()) if name == "other" else kind_of(name)

    monkeypatch.setattr(fitting, "kind_of", find)


@pytest.mark.parametrize(("text", "at", "says"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_told_with_its_line_and_remedy(text: str, at: int, says: list[str]) -> None:
    found = problems(text)
    told = [problem for problem in found if all(part in problem.why for part in says)]
    assert told, found
    assert told[0].line == at, told[0]
    assert told[0].file in {"branch.toml", "/nowhere"}


@pytest.mark.parametrize("text", [text for text, _, _ in MISTAKES.values()], ids=MISTAKES)
def test_a_mistake_is_told_in_both_languages(text: str) -> None:
    for problem in problems(text):
        assert_told_in_both_languages(problem)


def test_all_mistakes_are_told_at_once_and_not_without_end() -> None:
    text = put("port = 1883", "prot = 1883").replace('id = "card-2"', "id = 2").replace("0.7", "-1")
    assert [problem.line for problem in problems(text)] == [line("port"), line("id", 3)]
    text = GOOD.replace("serial:///dev/ttyUSB0?baud=9600", "x").replace("poll_s", "pol_s").replace("0.7", "-1")
    assert {p.line for p in problems(text)} == {line("address"), line("poll_s"), line("act_max_s")}
    assert len(problems("\n".join(f"k{n} = 1" for n in range(500)))) == 20
    device = '[[device]]\nid = "d{}"\nrole = "r"\nkind = "crt591"\naddress = "x"\n'
    assert len(problems(GOOD + "".join(device.format(n) for n in range(50)))) == 20


def test_lines_of_other_ways_to_write_it() -> None:
    inline = '[branch]\nid = "B1"\n\n[journal]\nfolder = "x"\n'
    for text, at in (
        ('link = { host = "192.0.2.1" }\n' + inline, 1),
        ('link.host = "192.0.2.1"\n' + inline, 1),
        ('"link".\'host\' = "192.0.2.1"\n' + inline, 1),
        (inline + '\n[ link ]\n  host="192.0.2.1"\n', 8),
        ('# a separator\u2028that is no new line\r\n[link]\r\nhost = "192.0.2.1"\r\n' + inline, 3),
        ('device = [{ id = "d", role = "r", kind = "crt591", address = "x" }]\n' + inline, 1),
        (inline + '[[ "device" ]]\nid = "d"\nrole="r"\nkind="crt591"\naddress = "x"', 10),
    ):
        assert problems(text)[0].line == at, text


# -- any text ----------------------------------------------------------------------------------------------------------


def check_any(text: str) -> None:
    """The promise for every input."""
    try:
        loaded = parse(text, "branch.toml")
    except BadConfig as bad:
        found = bad.problems
    else:
        assert isinstance(loaded, Settings)
        assert len(loaded.digest()) == 64
        return
    assert 1 <= len(found) <= 20
    for problem in found:
        assert problem.file == "branch.toml"
        assert 1 <= problem.line <= text.count("\n") + 1
        assert re.search(r"\w+ \w+", problem.why), problem
        assert not problem.why.startswith(": ")


BITS = [
    *"[]=\"'{},.\n#\\0\0\ufeff\u2028银",
    "[[",
    "]]",
    '"""',
    "\r\n",
    "\\u0000",
    "\\ud800",
    "nan",
    "inf",
    "-1",
    "1e999",
    "0x",
]
TOML_BITS = st.sampled_from([*BITS, "9" * 40, "true", "1979-05-27", "25:61:00"])


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=300) | st.lists(TOML_BITS | st.sampled_from(GOOD.split()), max_size=60).map(" ".join))
@example("\ud800")
@example('[branch]\nid = "\ud800"')
def test_any_text(text: str) -> None:
    check_any(text)


@settings(max_examples=250, deadline=None)
@given(st.integers(0, 2**32), st.lists(TOML_BITS | st.text(max_size=4), min_size=1, max_size=6))
def test_any_mutation_of_the_good_file(seed: int, bits: list[str]) -> None:
    dice = random.Random(seed)
    text = GOOD
    for bit in bits:
        at = dice.randrange(len(text) + 1)
        kind = dice.randrange(4)
        if kind == 0:
            text = text[:at] + bit + text[at:]
        elif kind == 1:
            text = text[:at] + bit + text[at + len(bit) :]
        elif kind == 2:
            text = text[:at] + text[at + dice.randrange(30) :]
        else:
            lines = text.split("\n")
            lines.insert(dice.randrange(len(lines) + 1), lines[dice.randrange(len(lines))])
            text = "\n".join(lines)
    check_any(text)


VALUES = st.recursive(
    st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from([10**400, "crt591", "x\0"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_value_in_place_of_a_good_one(data: st.DataObject) -> None:
    tree = tomllib.loads(GOOD)
    node: Any = tree
    while True:
        key = data.draw(st.sampled_from(sorted(node) if isinstance(node, dict) else range(len(node))))
        if not (isinstance(node[key], dict | list) and node[key] and data.draw(st.booleans())):
            break
        node = node[key]
    node[key] = data.draw(VALUES)
    check_any("".join(f"{toml(name)} = {toml(value)}\n" for name, value in tree.items()))


def toml(value: Any) -> str:
    """A value as TOML; our own writer, so that the reader is not tested with itself."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{toml(key)} = {toml(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, float) and value == value and abs(value) != float("inf"):  # noqa: PLR0124  # not NaN
        return f"{value:.17e}"
    if isinstance(value, int | float):
        return str(value)
    return '"' + "".join(c if c.isalnum() and c.isascii() else f"\\U{ord(c):08x}" for c in value) + '"'


# -- files -------------------------------------------------------------------------------------------------------------


def bad_file(path: Path) -> Problem:
    with pytest.raises(BadConfig) as bad:
        load(path)
    (problem,) = bad.value.problems
    assert problem.file == str(path)
    return problem


def test_files_that_say_nothing(tmp_path: Path) -> None:
    file = tmp_path / "branch.toml"
    assert "No such file" in bad_file(file).why
    assert "directory" in bad_file(tmp_path).why
    file.write_bytes(b"[branch]\n# \xb9\xe2\xb4\xf3\n")  # GBK, as an old editor saves it
    assert (bad_file(file).line, bad_file(file).why) == (2, "is not UTF-8 text: save it as UTF-8")
    file.write_text(GOOD, encoding="utf-16")
    assert "UTF-8" in bad_file(file).why
    file.write_bytes(b"#" * (MAX_BYTES + 1))
    assert "bytes" in bad_file(file).why


def test_a_file_without_end_is_not_read_to_its_end() -> None:
    assert "a device" in bad_file(Path("/dev/zero")).why


def test_the_mark_that_some_editors_put_first_is_no_mistake(tmp_path: Path) -> None:
    file = tmp_path / "branch.toml"
    file.write_text(GOOD, encoding="utf-8-sig")
    assert load(file) == parse(GOOD)


# -- the password ------------------------------------------------------------------------------------------------------

SECRET = "s3cr3t-门-42"


def with_password(file: Path) -> Settings:
    return parse(put("[journal]", f"password_file = {toml(str(file))}\n[journal]"))


def test_the_password_is_read_when_it_is_needed_and_stands_nowhere(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "password"
    file.write_text(f"{SECRET}\n", encoding="utf-8")
    caplog.set_level("DEBUG")
    loaded = with_password(file)
    digest = loaded.digest()
    link = loaded.link_settings()
    assert link.password == SECRET
    for shown in (repr(loaded), str(loaded), loaded.model_dump_json(), repr(link), str(link), caplog.text):
        assert SECRET not in shown
    file.write_text("another", encoding="utf-8")
    assert with_password(file).digest() == digest, "the digest goes to the centre: it must tell nothing of the password"


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: None, "No such file"),
        (lambda path: path.mkdir(), "directory"),
        (lambda path: path.write_bytes(SECRET.encode() + b"\xff"), "UTF-8"),
        (lambda path: path.write_text(SECRET * 1000, encoding="utf-8"), "bytes"),
    ],
    ids=["missing", "folder", "not UTF-8", "too long"],
)
def test_a_password_file_that_cannot_be_used(tmp_path: Path, make: Callable[[Path], object], says: str) -> None:
    file = tmp_path / "password"
    make(file)
    loaded = with_password(file)  # the form is good
    with pytest.raises(BadConfig) as bad:
        loaded.link_settings()
    (problem,) = bad.value.problems
    assert (problem.file, problem.line) == (str(file), 1)
    assert says in problem.why
    assert "[link] password_file" in problem.why
    assert_told_in_both_languages(problem)
    error: BaseException | None = bad.value
    while error is not None:  # what is logged with its causes must not hold it either
        assert "s3cr3t" not in repr(error) + str(vars(error))
        error = error.__cause__ or error.__context__


# -- scenes of the branch ----------------------------------------------------------------------------------------------


def test_a_scene_of_the_branch_that_asks_too_much_of_a_device(tmp_path: Path) -> None:
    scene = """[scene]\nname = "mine"\nversion = 1\nclass = "physical"\ntitle = { zh = "我", en = "Mine" }
[[step]]\nname = "fly"\nrole = "card-dispenser"\nact = "fly_away"\n"""
    (tmp_path / "mine.toml").write_text(scene, encoding="utf-8")
    found = problems(GOOD + f"[scenes]\nfolders = [{toml(str(tmp_path))}]\n")
    assert [problem.line for problem in found] == [line("role"), line("role", 2)]
    assert "fly_away" in found[0].why
    (tmp_path / "mine.toml").write_text(scene.replace("fly_away", "draw_card"), encoding="utf-8")
    loaded = parse(GOOD + f"[scenes]\nfolders = [{toml(str(tmp_path))}]\n")
    assert set(loaded.load_scenes()) == {*load_scenes(), "mine"}
    (tmp_path / "mine.toml").write_text("[scene", encoding="utf-8")
    (problem,) = problems(GOOD + f"[scenes]\nfolders = [{toml(str(tmp_path))}]\n")
    assert problem.file == str(tmp_path / "mine.toml")


# -- what is printed ---------------------------------------------------------------------------------------------------

PRINTING = """
[[device]]
id = "{id}"
role = "{role}"
kind = "{kind}"
address = "{address}"
"""


def printing(kind: str, address: str, role: str = "some-role") -> str:
    return GOOD + PRINTING.format(id="p-1", role=role, kind=kind, address=address)


@pytest.mark.parametrize(
    ("kind", "address"),
    [
        ("escpos", "usb://04b8:0e15"),
        ("escpos", "tcp://127.0.0.1:9100"),
        ("escpos", "serial:///dev/ttyUSB7"),
        ("ipp", "ipp://127.0.0.1/ipp/print"),
    ],
)
def test_a_printer_is_reached_by_the_lines_that_its_kind_speaks_over(kind: str, address: str) -> None:
    assert parse(printing(kind, address)).device[-1].address == address


@pytest.mark.parametrize(
    ("kind", "address", "fits"),
    [
        (
            "crt591",
            "usb://04b8:0e15",
            "'crt591' is not reached like this: write an address that begins with memory://, ",
        ),
        ("crt591", "ipp://127.0.0.1/ipp/print", "serial:// or tcp://"),
        ("escpos", "ipp://127.0.0.1/ipp/print", "tcp:// or usb://"),
        ("ipp", "tcp://127.0.0.1:631", "ipp://"),
        ("ipp", "usb://04b8:0e15", "ipp://"),
    ],
)
def test_an_address_that_its_kind_cannot_speak_over_is_told(kind: str, address: str, fits: str) -> None:
    text = printing(kind, address)
    (problem,) = problems(text)
    assert problem.code == "address_not_for_kind"
    assert text.split("\n")[problem.line - 1] == f'address = "{address}"'
    assert fits in problem.why
    assert_told_in_both_languages(problem)


def test_templates_of_the_branch_are_read_and_their_mistakes_told(tmp_path: Path) -> None:
    text = GOOD + f"[receipts]\nfolders = [{toml(str(tmp_path))}]\n"
    (tmp_path / "mine.zh.toml").write_text('[[block]]\ntext = "我"\n', encoding="utf-8")
    assert set(parse(text).load_templates()) >= {"mine", "card_receipt"}
    (tmp_path / "mine.zh.toml").write_text("[[block]]\nrule = 1\n", encoding="utf-8")
    (problem,) = problems(text)
    assert (problem.file, problem.line) == (str(tmp_path / "mine.zh.toml"), 2)


def test_a_scene_is_checked_against_the_branchs_own_templates(tmp_path: Path) -> None:
    (tmp_path / "card_receipt.en.toml").write_text('[[block]]\ntext = "{teller}"\n', encoding="utf-8")
    found = problems(GOOD + f"[receipts]\nfolders = [{toml(str(tmp_path))}]\n")
    assert [problem.file for problem in found] == ["collect_card.toml", "collect_card_by_code.toml"]
    for problem in found:
        assert problem.code == "template_asks"
        assert "teller" in problem.why
        assert_told_in_both_languages(problem)


def test_authorities_of_documents_servers(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    ours = trustme.CA()
    ours.cert_pem.write_to_path(str(file))
    loaded = parse(GOOD + f"[documents]\nca_file = {toml(str(file))}\n")
    (trusted,) = loaded.documents_tls()().get_ca_certs(binary_form=True)
    assert ssl.DER_cert_to_PEM_cert(trusted) == ours.cert_pem.bytes().decode(), "these alone"
    for context in (loaded.documents_tls()(), parse(GOOD).documents_tls()()):
        assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "No such file"),
        (b"", "no certificates"),
        (b"hello", "no certificates"),
        ("证书".encode(), "no certificates"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "no certificates"),
        (b"\xff\xfe", "UTF-8"),
        (b"#" * 2_000_000, "bytes"),
    ],
)
def test_authorities_that_cannot_be_read(tmp_path: Path, content: bytes | None, says: str) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_bytes(content)
    loaded = parse(GOOD + f"[documents]\nca_file = {toml(str(file))}\n")  # the form is good
    with pytest.raises(BadConfig) as bad:
        loaded.documents_tls()
    (problem,) = bad.value.problems
    assert (problem.file, problem.line) == (str(file), 1)
    assert says in problem.why
    assert "[documents] ca_file" in problem.why
    assert_told_in_both_languages(problem)

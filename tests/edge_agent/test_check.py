"""`branchgate check`: a good branch is told nothing, a half-equipped one what is missing, and of roles for no scene."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_agent.console.check import Finding, check
from edge_agent.texts import Texts

CARD = ("card-1", "card-dispenser", "crt591", "tcp://127.0.0.1:4001")
PRINTER = ("receipt-1", "receipt-printer", "escpos", "tcp://127.0.0.1:9100")
TICKETS = ("ticket-1", "ticket-printer", "escpos", "tcp://127.0.0.1:9101")
SCENE = """[scene]\nname = "both"\nversion = 1\nclass = "physical"\ntitle = { zh = "都", en = "Both" }
[[step]]\nname = "draw"\nrole = "card-dispenser"\nact = "draw_card"
[[step]]\nname = "print"\nrole = "receipt-printer"\nact = "print_receipt"\ntemplate = "card_receipt"\n"""


def checked(folder: Path, *devices: tuple[str, str, str, str], more: str = "", language: str = "en") -> list[Finding]:
    text = f'[branch]\nid = "B1"\n[journal]\nfolder = "{folder}"\n{more}'
    for id_, role, kind, address in devices:
        text += f'[[device]]\nid = "{id_}"\nrole = "{role}"\nkind = "{kind}"\naddress = "{address}"\n'
    file = folder / "branch.toml"
    file.write_text(text, encoding="utf-8")
    return check(file, Texts(language)).findings


@pytest.mark.parametrize(
    "devices", [(CARD,), (PRINTER,), (TICKETS,), (CARD, PRINTER), (CARD, PRINTER, TICKETS)], ids=len
)
def test_a_branch_is_told_nothing_of_scenes_that_it_is_not_for(
    tmp_path: Path, devices: tuple[tuple[str, str, str, str], ...]
) -> None:
    assert checked(tmp_path, *devices) == []


def test_a_role_that_no_scene_asks_for_is_told_with_those_that_are(tmp_path: Path) -> None:
    (finding,) = checked(tmp_path, CARD, ("receipt-1", "reciept-printer", "escpos", "tcp://127.0.0.1:9100"))
    assert (finding.level, finding.code, finding.line) == ("warning", "role_unused", 12)
    assert "reciept-printer" in finding.message
    assert "receipt-printer, sealed-printer, ticket-printer" in finding.message


def test_a_device_that_only_observes_needs_no_scene(tmp_path: Path) -> None:
    site = '[[device]]\nid = "s"\nrole = "site-inputs"\nkind = "site_inputs"\naddress = "tcp://127.0.0.1:4002"\n'
    site += '[device.profile.inputs]\nbranchDoor = { channel = 0, on = "open", off = "closed" }\n'
    assert checked(tmp_path, CARD, more=site) == []
    assert checked(tmp_path, CARD, ("scanner-1", "scanner", "scanner", "tcp://127.0.0.1:4002")) == []


def test_a_scene_of_the_branchs_own_that_cannot_be_done_is_told(tmp_path: Path) -> None:
    (tmp_path / "both.toml").write_text(SCENE, encoding="utf-8")
    own = f'[scenes]\nfolders = ["{tmp_path}"]\n'
    (tmp_path / "branch.toml").unlink(missing_ok=True)
    (tmp_path / "data").mkdir()
    found = checked(tmp_path / "data", CARD, more=own)
    assert [(one.code, "both" in one.message, "receipt-printer" in one.message) for one in found] == [
        ("role_missing", True, True)
    ]
    assert checked(tmp_path / "data", CARD, PRINTER, more=own) == []
    optional = SCENE + "optional = true\n"
    (tmp_path / "both.toml").write_text(optional, encoding="utf-8")
    assert checked(tmp_path / "data", CARD, more=own) == []


@pytest.mark.parametrize("language", ["zh", "en"])
def test_authorities_that_cannot_be_read_are_an_error(tmp_path: Path, language: str) -> None:
    (finding,) = checked(tmp_path, CARD, more='[documents]\nca_file = "/nowhere.pem"\n', language=language)
    assert (finding.level, finding.code, finding.line) == ("error", "ca_file", 6)
    assert "/nowhere.pem" in finding.message


def at_places(folder: Path, *places: str) -> list[Finding]:
    text = f'[branch]\nid = "B1"\n[journal]\nfolder = "{folder}"\n'
    for n, place in enumerate(places):
        text += f'[[device]]\nid = "screen-{n}"\nrole = "window-screen"\nkind = "strip_screen"\n'
        text += f'address = "tcp://127.0.0.1:4003"\nplace = {place!r}\n[device.profile]\nunit = {n + 1}\n'
    file = folder / "branch.toml"
    file.write_text(text, encoding="utf-8")
    return check(file, Texts("en")).findings


def test_a_screen_that_no_order_could_name_is_told(tmp_path: Path) -> None:
    assert at_places(tmp_path, "3", "VIP 1") == []
    (finding,) = at_places(tmp_path, "3", "")
    assert (finding.level, finding.code) == ("warning", "place_missing")
    assert "screen-1" in finding.message


def test_two_screens_that_one_order_could_mean_are_refused(tmp_path: Path) -> None:
    (finding,) = at_places(tmp_path, "3", "3")
    assert (finding.level, finding.code) == ("error", "place_twice")
    assert "'screen-0'" in finding.message
    (finding,) = at_places(tmp_path, "3", " 4")
    assert finding.code == "spelling_place"

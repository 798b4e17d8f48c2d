"""The manual's whole branch is one: nothing is to be said of it, and every scene that ships can be done there."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_agent import settings
from edge_agent.console.check import check
from edge_agent.texts import Texts
from tests.edge_agent.custody.server import authority
from tests.edge_agent.test_manual import all_examples
from tests.scenarios.paper.test_ticket_mouth import HANDED


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    """Written down with the files that it names, all of them in one folder."""
    text = next(block for block in all_examples("configuration.md") if '"B0002"' in block)
    for place in ("/var/lib/branchgate", "/etc/branchgate"):
        assert place in text
        text = text.replace(place, str(tmp_path))
    (tmp_path / "scenes").mkdir()
    (tmp_path / "scenes" / "hand_ticket.toml").write_text(HANDED, encoding="utf-8")
    authority().cert_pem.write_to_path(str(tmp_path / "documents-ca.pem"))
    (tmp_path / "branch.toml").write_text(text, encoding="utf-8")
    return tmp_path / "branch.toml"


@pytest.mark.parametrize("language", ["zh", "en"])
def test_there_is_nothing_to_say_of_it_but_that_nobody_was_at_its_machines(whole: Path, language: str) -> None:
    assert {finding.code for finding in check(whole, Texts(language)).findings} <= {"not_commissioned"}


def test_it_has_every_kind_every_line_and_a_device_for_every_scene(whole: Path) -> None:
    read = settings.load(whole)
    kinds = {"banknote_counter", "crt591", "escpos", "ipp", "people_counter", "sealed_printer", "site_inputs"}
    kinds |= {"bx6", "cells", "strip_screen"}
    assert {device.kind for device in read.device} == kinds
    assert {device.address.partition(":")[0] for device in read.device} == {"tcp", "serial", "usb", "ipp", "modbus"}
    roles = {device.role for device in read.device}
    scenes = read.load_scenes()
    assert {"collect_card", "sealed_document", "hand_ticket"} <= set(scenes)
    assert [role for scene in scenes.values() for role in scene.roles if role not in roles] == []

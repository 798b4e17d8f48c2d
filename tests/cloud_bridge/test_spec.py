from __future__ import annotations

import copy
import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator, Draft202012Validator, FormatChecker, ValidationError

from cloud_bridge.examples import BRANCH, EXAMPLES
from cloud_bridge.hearing import hear
from cloud_bridge.messages.catalogue import CATALOGUE, INSTRUCTIONS, PLANNED
from cloud_bridge.spec import NEEDS_SUBJECT, documents, schemas, short, write

ROOT = Path(__file__).parents[2]
OFFICIAL = json.loads((ROOT / "tests/data/asyncapi-3.0.0.schema.json").read_text())
DOCUMENT = json.loads((ROOT / "docs/asyncapi.json").read_text())
KINDS = sorted(CATALOGUE)


FORMATS = FormatChecker()


@FORMATS.checks("date-time", raises=ValueError)
def is_moment(value: object) -> bool:
    """jsonschema checks this format only with a further package."""
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


def judge(kind: str) -> Draft202012Validator:
    return Draft202012Validator(schemas()[f"{short(kind)}.json"], format_checker=FORMATS)


@pytest.mark.rule("ENV-3")
@pytest.mark.parametrize("path", sorted(documents()))
def test_what_is_committed_is_what_the_models_say(path: str) -> None:
    committed = (ROOT / "docs" / path).read_text(encoding="utf-8")
    assert committed == documents()[path], "run: python -m cloud_bridge.spec docs/"


@pytest.mark.rule("ENV-3")
def test_each_type_that_the_catalogue_names_is_explained_in_it() -> None:
    page = (ROOT / "docs/catalogue.md").read_text(encoding="utf-8")
    named = set(re.findall(r"^\| `\w+` \| (?:list of )?([A-Z]\w+) \|", page, re.MULTILINE))
    assert {"Document", "Choice", "OpenOrder"} <= named
    assert named <= set(re.findall(r"^(?:### |- `)(\w+)", page, re.MULTILINE))


@pytest.mark.rule("ENV-3")
def test_no_schema_is_left_of_a_type_that_is_no_more(tmp_path: Path) -> None:
    committed = {f"schemas/{file.name}" for file in (ROOT / "docs/schemas").iterdir()}
    assert committed == {path for path in documents() if path.startswith("schemas/")}
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas/gone.json").write_text("{}")
    write(tmp_path)
    assert not (tmp_path / "schemas/gone.json").exists()
    assert {str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*") if file.is_file()} == set(documents())


@pytest.mark.rule("ENV-3")
def test_the_official_schema_accepts_the_asyncapi_document() -> None:
    Draft7Validator(OFFICIAL).validate(DOCUMENT)


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        (("asyncapi",), "2.6.0"),
        (("channels", "events", "address"), 7),
        (("operations", "sendEvents", "action"), "publish"),
        (("operations", "sendEvents", "bindings", "mqtt", "qos"), 5),
        (("components", "messages", "order.submit", "contentType"), []),
        (("components", "schemas", "OrderSubmit", "type"), "thing"),
        (("unknown",), {}),
    ],
)
def test_the_official_schema_refuses_a_spoilt_document(path: tuple[str, ...], wrong: Any) -> None:
    document = copy.deepcopy(DOCUMENT)
    at = document
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = wrong
    with pytest.raises(ValidationError):
        Draft7Validator(OFFICIAL).validate(document)


def test_every_reference_of_the_document_leads_somewhere() -> None:
    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                target: Any = DOCUMENT
                for key in node["$ref"].removeprefix("#/").split("/"):
                    target = target[key]
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(DOCUMENT)
    assert set(DOCUMENT["components"]["messages"]) == {short(kind) for kind in CATALOGUE}


@pytest.mark.rule("ENV-1")
@pytest.mark.parametrize("kind", KINDS)
def test_each_example_fits_its_schema_and_its_model(kind: str) -> None:
    validator = judge(kind)
    Draft202012Validator.check_schema(validator.schema)
    validator.validate(EXAMPLES[kind])
    row = CATALOGUE[kind]
    if kind not in INSTRUCTIONS:
        heard = hear("branchgate/v1", f"branchgate/v1/{BRANCH}/{row.topic}", json.dumps(EXAMPLES[kind]).encode())
        assert type(heard.data) is row.model


@pytest.mark.rule("ENV-1")
@pytest.mark.parametrize("kind", KINDS)
def test_unknown_members_are_no_error_and_missing_ones_are(kind: str) -> None:
    validator = judge(kind)
    strange = copy.deepcopy(EXAMPLES[kind])
    strange["newattribute"] = {"any": "thing"}
    strange["data"]["new_member"] = [1, 2]
    validator.validate(strange)
    needed = ["specversion", "id", "source", "type", "time", "branch", "data"]
    needed += ["deadline"] if kind in INSTRUCTIONS else []
    needed += ["subject"] if short(kind) in NEEDS_SUBJECT else []
    for name in needed:
        lacking = {key: value for key, value in EXAMPLES[kind].items() if key != name}
        assert not validator.is_valid(lacking), name
    assert not validator.is_valid({**EXAMPLES[kind], "type": "branchgate.other.thing.v1"})
    assert not validator.is_valid({**EXAMPLES[kind], "time": "yesterday"})


@pytest.mark.rule("ENV-1")
def test_types_and_attribute_names_have_the_form_that_the_contract_says() -> None:
    for kind in (*CATALOGUE, *PLANNED):
        assert kind.split(".")[0] == "branchgate"
        assert kind.endswith(".v1")
        assert len(kind.split(".")) == 4
    for message in EXAMPLES.values():
        assert all(name.isalnum() and name.islower() for name in message), message
    assert not PLANNED & set(CATALOGUE)

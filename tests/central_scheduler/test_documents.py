"""Documents as people type them: an address and a local copy each, and every mistake with its remedy."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from central_scheduler.console.documents import documents
from central_scheduler.console.problem import Exit, Problem
from edge_agent.texts import Texts

EN = Texts("en")
PDF = b"%PDF-1.7 as it is fetched"


@pytest.mark.parametrize(
    ("ending", "media_type"),
    [
        (".pdf", "application/pdf"),
        (".PDF", "application/pdf"),
        (".pwg", "image/pwg-raster"),
        (".urf", "image/urf"),
        (".jpg", "image/jpeg"),
        (".jpeg", "image/jpeg"),
    ],
)
def test_hash_and_media_type_come_from_the_local_copy(tmp_path: Path, ending: str, media_type: str) -> None:
    copy = tmp_path / f"a=b{ending}"
    copy.write_bytes(PDF)
    (found,) = documents(["document=https://host:8443/a?b=c"], [f"document={copy}"], EN)
    assert (found.name, found.address, found.jwe) == ("document", "https://host:8443/a?b=c", None)
    assert (found.media_type, found.sha256) == (media_type, hashlib.sha256(PDF).hexdigest())


def test_an_order_without_documents_brings_none() -> None:
    assert documents([], [], EN) == []


@pytest.mark.parametrize(
    ("addresses", "copies", "error", "named"),
    [
        (["a"], [], "bad_document", "a"),
        (["=https://h/a"], [], "bad_document", "https://h/a"),
        (["a=https://h/a", "a=https://h/b"], [], "bad_document", "https://h/b"),
        (["a=http://h/a.pdf"], ["a=FOLDER/a.pdf"], "bad_document", "http://h/a.pdf"),
        (["a=a.pdf"], ["a=FOLDER/a.pdf"], "bad_document", "a.pdf"),
        (["A=https://h/a"], ["A=FOLDER/a.pdf"], "bad_document", "A=https"),
        ([], ["FOLDER/a.pdf"], "bad_document_file", "a.pdf"),
        (["a=https://h/a"], [], "document_no_file", "--document-file a=FILE"),
        ([], ["a=FOLDER/a.pdf"], "document_no_address", "--document a=https://"),
        (["a=https://h/a"], ["b=FOLDER/a.pdf"], "document_no_file", "a"),
        (["a=https://h/a"], ["a=FOLDER/none.pdf"], "document_unreadable", "none.pdf"),
        (["a=https://h/a"], ["a=FOLDER/folder.pdf"], "document_unreadable", "folder.pdf"),
        (["a=https://h/a"], ["a=FOLDER/a.docx"], "document_ending", ".pdf, .pwg"),
    ],
)
def test_a_mistake_is_named_with_its_remedy(
    tmp_path: Path, addresses: list[str], copies: list[str], error: str, named: str
) -> None:
    (tmp_path / "a.pdf").write_bytes(PDF)
    (tmp_path / "folder.pdf").mkdir()
    with pytest.raises(Problem) as bad:
        documents(addresses, [one.replace("FOLDER", str(tmp_path)) for one in copies], EN)
    assert (bad.value.exit_code, bad.value.name) == (Exit.USAGE, error)
    for lang in ("zh", "en"):
        told = bad.value.sentence(Texts(lang)) + bad.value.help(Texts(lang))
        assert named.replace("FILE", "文件" if lang == "zh" else "FILE") in told
        assert "{" not in told

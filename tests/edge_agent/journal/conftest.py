"""Where the journals of these tests lie: in memory, unless a test has a process that is killed."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

SHM = Path("/dev/shm")


@pytest.fixture
def tmp_path(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """On a disk that others use too, a hundred openings cost seconds of fsync that prove nothing here."""
    if request.node.get_closest_marker("process") is not None or not os.access(SHM, os.W_OK):
        yield tmp_path_factory.mktemp("journal")
        return
    folder = Path(tempfile.mkdtemp(prefix="branchgate-test-", dir=SHM))
    yield folder
    shutil.rmtree(folder)

"""Whatever the command line says - its help, its mistakes - is in the language asked for, frame and remedy too."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
# Two words of a sentence, or one of a parser's own frame. Names, codes and what is typed stand for themselves.
_SENTENCE = re.compile(
    r"\b[A-Za-z][a-z']+ [a-z']{2,}\b|\b(?:[Uu]sage|[Oo]ptions|[Aa]rguments|[Cc]ommands|required|default)\b[:\]]"
)
_TYPED = re.compile(
    r"`[^`]*`|“[^”]*”|<[^<>]*>|--\w[\w-]* \S+|(?:apt install|systemctl|usermod|kill) \S+|\bbranchgate( [a-z-]+)+"
)


def _said(lang: str) -> dict[str, str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("BRANCHGATE_")}
    environ |= {"BRANCHGATE_LANG": lang, "COLUMNS": "80", "BRANCHGATE_BROKER": "127.0.0.1:1"}
    command = [sys.executable, "-m", "tests.edge_agent.texts.spoken"]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, check=True, timeout=300)
    said: dict[str, str] = json.loads(done.stdout)
    return said


@pytest.mark.process
def test_in_chinese_no_sentence_is_english() -> None:
    said = _said("zh")
    assert len(said) > 100
    assert [line for line, told in said.items() if not re.search("[\u4e00-\u9fff]", told)] == []
    found = {line: _SENTENCE.findall(_TYPED.sub("…", told)) for line, told in said.items()}
    assert {line: english for line, english in found.items() if english} == {}


@pytest.mark.process
def test_in_english_no_word_is_chinese() -> None:
    said = _said("en")
    assert {line: told for line, told in said.items() if re.search("[\u4e00-\u9fff]", told)} == {}
    assert said["branchgate order submit --help"].startswith("Usage: branchgate order submit [OPTIONS] SCENE\n")


@pytest.mark.parametrize(
    ("told", "seen"),
    [
        ("Usage: branchgate order [选项]", True),
        ("消息服务器 x 无应答：Connection refused by peer", True),
        ("--broker <文本>  主机  [default: 127.0.0.1]", True),
        ("用法见 `branchgate order show --help`。", False),
        ("没有模板“no such thing”。", False),
    ],
)
def test_english_is_seen_where_it_stands(told: str, seen: bool) -> None:
    assert bool(_SENTENCE.findall(_TYPED.sub("…", told))) is seen

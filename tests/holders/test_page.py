"""docs/holders.md is true: its Python blocks print what it says."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.spec_types import ROOT

PAGE = (ROOT / "docs" / "holders.md").read_text()


def test_blocks(capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {}
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    for block in blocks:
        exec(block, names)
    promised = re.findall(r"^ *print\(.*\)  # (.*)$", PAGE, re.MULTILINE)
    assert capsys.readouterr().out.splitlines() == promised
    assert len(promised) == sum(block.count("print(") for block in blocks) > 3

"""`python -m unora_gateway openapi`: the document for the addresses of a deployment."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from unora_gateway.cli import main

from tests.unit.gateway.openapi_document import document


def test_it_writes_the_document_for_each_address_that_is_given(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "openapi.json"
    assert (
        main(["openapi", "--out", str(out), "--server", "https://a.example.com", "--server", "https://b.example.com"])
        == 0
    )
    written = json.loads(out.read_text())
    assert written["servers"] == [{"url": "https://a.example.com"}, {"url": "https://b.example.com"}]
    assert {**written, "servers": document()["servers"]} == document()
    assert str(out) in capsys.readouterr().out


def test_it_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["openapi", "--help"])
    assert ended.value.code == 0
    assert "--server" in capsys.readouterr().out

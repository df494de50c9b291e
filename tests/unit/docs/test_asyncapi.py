"""The document of events, read by AsyncAPI's own parser, and its messages by that of protobuf. No network is used."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from unora_testing.deadlines import GENEROUS
from unora_tools.events.asyncapi import FILE
from unora_tools.events.catalogue import events

from tests.unit.docs.repository import ROOT

CHECK = ROOT / "tools" / "asyncapi"
INSTALLED = shutil.which("node") is not None and (CHECK / "node_modules" / "@asyncapi" / "parser").exists()
pytestmark = pytest.mark.skipif(
    not INSTALLED,
    reason="the parser of AsyncAPI is not there: install node and npm, then run "
    "`npm --prefix tools/asyncapi ci --ignore-scripts` once",
)
MESSAGE = "streak.CheckedIn"
Document = dict[str, Any]


def check(file: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["node", "check.js", str(file)], cwd=CHECK, capture_output=True, text=True, timeout=GENEROUS, check=False
    )


def test_the_parser_accepts_the_document_and_reads_every_message() -> None:
    done = check(FILE)
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    assert found["fields"] == {each.type: [field.name for field in each.descriptor.field] for each in events()}
    assert len(found["operations"]) == sum(each.is_for_subscribers for each in events())


def with_an_operation_on_no_channel(made: Document) -> None:
    made["operations"][f"receive.{MESSAGE}"]["channel"]["$ref"] = "#/channels/nowhere"


def with_a_message_that_protobuf_cannot_read(made: Document) -> None:
    made["components"]["messages"][MESSAGE]["payload"]["schema"] += "message {"


def with_a_type_that_is_not_there(made: Document) -> None:
    payload = made["components"]["messages"][MESSAGE]["payload"]
    payload["schema"] = payload["schema"].replace("enum EffortSignal", "enum Effort")


def with_an_action_that_does_not_exist(made: Document) -> None:
    made["operations"][f"receive.{MESSAGE}"]["action"] = "subscribe"


def with_headers_that_are_nowhere(made: Document) -> None:
    del made["components"]["schemas"]["CloudEvent"]


def without_title(made: Document) -> None:
    del made["info"]["title"]


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (with_an_operation_on_no_channel, "nowhere"),
        (with_a_message_that_protobuf_cannot_read, "illegal type name"),
        (with_a_type_that_is_not_there, "EffortSignal"),
        (with_an_action_that_does_not_exist, "action"),
        (with_headers_that_are_nowhere, "CloudEvent"),
        (without_title, "title"),
    ],
)
def test_a_broken_document_is_refused(spoil: Callable[[Document], None], says: str, tmp_path: Path) -> None:
    made = json.loads(FILE.read_text())
    spoil(made)
    file = tmp_path / "asyncapi.json"
    file.write_text(json.dumps(made))
    done = check(file)
    assert done.returncode == 1
    assert says in done.stderr
    assert done.stdout == ""

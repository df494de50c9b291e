"""What holds the commands of pages: it sees when the output is another one than the page shows."""

from __future__ import annotations

import subprocess

import pytest

from tests.pages import Step, differs, outputs, script, steps

PAGE = """\
```sh
echo one
```

```text
o…e
```

```mermaid
flowchart
```

```sh
word=two; printf '{"a": {"b": [1, 2]}, "c": "%s"}\\n' "$word"
```

```json
{"a": {"b": [1]}, "c": "…"}
```

```sh
echo "$word"
```
"""


def test_the_commands_of_a_page_run_in_one_shell_and_each_has_its_output() -> None:
    parts = steps(PAGE)
    assert [step.kind for step in parts] == ["text", "json", ""]
    done = subprocess.run(["bash", "-c", script(parts, "--")], capture_output=True, text=True, check=True)
    printed = outputs(done.stdout, "--")
    assert [differs(step, each) for step, each in zip(parts, printed, strict=True)] == ["", "", ""]
    assert printed[-1] == "two\n"


def test_a_command_that_fails_ends_the_shell() -> None:
    for failing in ("false\n", "word=$(false | cat)\n"):
        done = subprocess.run(["bash", "-c", script([Step(failing), Step("echo on\n")], "--")], check=False)
        assert done.returncode == 1


def test_an_output_without_commands_is_a_mistake_of_the_page() -> None:
    with pytest.raises(AssertionError, match="of which commands"):
        steps("```json\n{}\n```\n")
    with pytest.raises(AssertionError, match="of which commands"):
        steps("```sh\ntrue\n```\n\n```json\n{}\n```\n\n```json\n{}\n```\n")


@pytest.mark.parametrize(
    "shown",
    [
        '{"b": 1}',
        '{"a": {"b": 2}}',
        '{"a": {"b": true}}',
        '{"c": "tw"}',
        '{"c": "…x"}',
        '{"c": 2}',
        '{"list": []}',
        '{"list": [1, 2, 3]}',
        '{"list": [2]}',
    ],
)
def test_json_that_is_not_what_the_page_shows_is_told(shown: str) -> None:
    came = '{"a": {"b": 1}, "c": "two", "list": [1, 2]}'
    assert not differs(Step("", "json", came), came)
    assert differs(Step("", "json", shown), came)


def test_lines_that_do_not_come_or_come_in_another_order_are_told() -> None:
    assert not differs(Step("", "text", "one\ntwo\n"), "  one\n\nmore\ntwo\n")
    assert differs(Step("", "text", "two\none\n"), "one\ntwo\n") == "one"

"""What the Dockerfile says of the images."""

from __future__ import annotations

from fnmatch import fnmatch

import msgspec
import pytest
from unora_common.config import Config

from tests.integration.deploy.dockerfile import ROOT, copied, from_of, instructions, stages, steps

FINAL = ("identity", "services")


def test_both_images_run_as_an_ordinary_user_and_take_a_module_as_their_argument() -> None:
    assert [from_of(stage) for stage in FINAL] == ["runtime", "runtime"]
    runtime = dict(stages()["runtime"])
    user, _, group = runtime["USER"].partition(":")
    assert int(user) > 0
    assert int(group) > 0
    assert runtime["ENTRYPOINT"] == '["python", "-m"]'
    assert runtime["STOPSIGNAL"] == "SIGTERM"
    (listen,) = (field.default for field in msgspec.structs.fields(Config) if field.name == "listen")
    assert listen == f"0.0.0.0:{runtime['EXPOSE'].split()[0]}"


@pytest.mark.parametrize("stage", FINAL)
def test_an_image_is_the_base_and_the_content_of_its_own_build_and_nothing_else(stage: str) -> None:
    own = [text for word, text in stages()[stage] if word in ("COPY", "RUN", "USER", "ENTRYPOINT")]
    assert own == [f"--from={stage}-build /opt/unora /opt/unora"]


@pytest.mark.parametrize(
    ("stage", "lock"), [("services", "requirements.txt"), ("identity", "requirements-identity.txt")]
)
def test_an_image_is_built_from_its_own_lock_and_its_label_names_it(stage: str, lock: str) -> None:
    assert [step[1:] for step in steps(f"{stage}-build")] == [["packages", "/opt/unora", lock], ["unora", "/opt/unora"]]
    assert [source for source, _ in copied(f"{stage}-build")] == [lock]
    (labels,) = (text for word, text in stages()[stage] if word == "LABEL")
    assert f'unora.lock="{lock}"' in labels


def test_the_base_is_an_argument_and_pinned() -> None:
    assert {from_of(stage) for stage in stages()} == {"${BASE}", "tools", "runtime"}
    word, base = instructions()[0]
    assert (word, base.partition("=")[0]) == ("ARG", "BASE")
    tag = base.partition(":")[2]
    assert tag.split("-")[0].count(".") == 2, "a tag that moves is no pin"


def test_dockerignore_lets_through_exactly_the_copied_files() -> None:
    """Each copied file is let through, and each file that is let through is copied."""
    let = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    sources = [source for stage in stages() for source, _ in copied(stage)]
    for source in sources:
        assert [rule for rule in let if fnmatch(source, rule)], f"{source} is ignored"
    for rule in let:
        assert [source for source in sources if fnmatch(source, rule)], f"{rule} is let through and not copied"

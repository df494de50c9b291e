"""`make pin`: the overlay that names images by their digests."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml
from unora_local.binaries import script
from unora_tools.image import pin

ONE, OTHER = (f"sha256:{digit * 64}" for digit in "ab")
BOTH = [f"unora=registry.example/a/unora@{ONE}", f"unora-identity=registry.example/a/unora-identity@{OTHER}"]


def test_every_container_of_ours_is_named_by_its_digest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert pin.main(["--out", str(tmp_path / "pinned"), *BOTH]) == 0
    command = [str(script("kubectl")), "kustomize", str(tmp_path / "pinned")]
    rendered = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    images = {
        container["image"]
        for item in yaml.safe_load_all(rendered)
        if item["kind"] in ("Deployment", "Job")
        for container in item["spec"]["template"]["spec"]["containers"]
    }
    ours = {image for image in images if "envoy" not in image}
    assert ours == {f"registry.example/a/unora@{ONE}", f"registry.example/a/unora-identity@{OTHER}"}
    assert "kubectl apply -k" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["unora=registry.example/unora:1"], "names no digest"),
        ([f"unora=registry.example/unora@{ONE[:-1]}"], "with 64 digits"),
        (BOTH[:1], "unora-identity must be given too"),
        ([*BOTH, f"redis=redis@{ONE}"], "redis is no image of the manifests"),
    ],
)
def test_what_would_leave_an_image_unpinned_is_refused(
    words: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert pin.main(["--out", str(tmp_path / "pinned"), *words]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "pinned").exists()

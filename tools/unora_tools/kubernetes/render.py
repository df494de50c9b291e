"""Renders the overlays of deploy/k8s with kustomize."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml
from unora_local.binaries import script

FOLDER: Final = Path(__file__).resolve().parents[3] / "deploy" / "k8s"
OVERLAYS: Final = ("dev", "staging", "prod")
VARIANTS: Final = (
    *("prod+pooler", "prod+keda", "prod+traces", "prod+authorities", "prod+postgres-restore"),
    "dev+postgres",
)
"""An overlay and a component that it leaves out, so that each component is rendered with something."""
ALL: Final = (*OVERLAYS, *VARIANTS)
Object = dict[str, Any]


class RenderError(Exception):
    """Kustomize refused the overlay; the message is its own."""


def render(name: str) -> list[Object]:
    """All objects of an overlay or a variant, as they would be applied. A name with a slash is the path of an overlay
    that is elsewhere. Raises RenderError.
    """
    if "/" in name:
        return render_folder(Path(name))
    overlay, *components = name.split("+")
    if not components:
        return render_folder(FOLDER / "overlays" / overlay)
    with tempfile.TemporaryDirectory() as folder:
        return render_on(
            Path(folder), FOLDER / "overlays" / overlay, [FOLDER / "components" / each for each in components]
        )


def render_on(folder: Path, overlay: Path, components: Iterable[Path]) -> list[Object]:
    """All objects of an overlay with further components; `folder`, which is empty, gets the kustomization."""
    here = folder.resolve()
    described = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [os.path.relpath(overlay, here)],
        "components": [os.path.relpath(each, here) for each in components],
    }
    (here / "kustomization.yaml").write_text(yaml.safe_dump(described))
    return render_folder(here)


def render_folder(folder: Path) -> list[Object]:
    """All objects of the kustomization in a folder. Raises RenderError."""
    done = subprocess.run(
        [str(script("kubectl")), "kustomize", str(folder)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RenderError(done.stderr.strip())
    return list(yaml.load_all(done.stdout, Loader=yaml.CSafeLoader))


@cache
def rendered(name: str) -> tuple[Object, ...]:
    """The objects of an overlay or variant, rendered once in a process: nobody may change them. Raises RenderError."""
    return tuple(render(name))


def named(item: Object) -> str:
    """How messages call an object."""
    return f"{item['kind']} {item['metadata']['name']}"


def of_kind(objects: Iterable[Object], kind: str) -> list[Object]:
    """The objects of one kind."""
    return [item for item in objects if item["kind"] == kind]

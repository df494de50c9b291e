"""`make k8s`: renders the overlays of deploy/k8s and validates them strictly by the schemas of Kubernetes itself."""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import kubernetes_validate
import yaml
from unora_local.binaries import script

FOLDER: Final = Path(__file__).resolve().parents[2] / "deploy" / "k8s"
OVERLAYS: Final = ("dev", "prod")
VERSIONS: Final = ("1.30", kubernetes_validate.latest_version())
"""The oldest version that is supported, and the newest with schemas here."""
Object = dict[str, Any]


class RenderError(Exception):
    """Kustomize refused the overlay; the message is its own."""


def render(overlay: str) -> list[Object]:
    """All objects of an overlay, as they would be applied."""
    command = [str(script("kubectl")), "kustomize", str(FOLDER / "overlays" / overlay)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RenderError(done.stderr.strip())
    return list(yaml.safe_load_all(done.stdout))


def faults(objects: Iterable[Object], version: str) -> tuple[list[str], Counter[str]]:
    """The faults that the schemas of one version of Kubernetes find, and the number of objects of each unknown kind."""
    found: list[str] = []
    unknown: Counter[str] = Counter()
    for item in objects:
        try:
            kubernetes_validate.validate(item, version, strict=True)
        except kubernetes_validate.SchemaNotFoundError:
            unknown[item["kind"]] += 1
        except kubernetes_validate.ValidationError as error:
            where = ".".join(str(part) for part in error.absolute_path)
            found.append(f"{item['kind']} {item['metadata']['name']}: {where}: {error.message}")
    return found, unknown


def main() -> int:
    """Render and validate all overlays, and print the result. Return the exit status."""
    wrong = False
    for overlay in OVERLAYS:
        try:
            objects = render(overlay)
        except RenderError as error:
            print(f"k8s: {overlay} cannot be rendered: {error}", file=sys.stderr)
            return 1
        for version in VERSIONS:
            found, unknown = faults(objects, version)
            for fault in found:
                print(f"k8s: {overlay}: {fault}", file=sys.stderr)
            wrong |= bool(found)
            custom = ", ".join(f"{count} {kind}" for kind, count in sorted(unknown.items()))
            print(
                f"k8s: {overlay}: {len(objects)} objects rendered, {len(objects) - unknown.total()} validated strictly "
                f"against Kubernetes {version}, {len(found)} refused; rendered only, as their schemas are not "
                f"Kubernetes' own: {custom}"
            )
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main())

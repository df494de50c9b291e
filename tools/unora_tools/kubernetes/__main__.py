"""`make k8s`: renders all overlays, each component with one of them, and says what was validated by what, how many
connections processes may open, and what they ask of the cluster. The exit status is 1 if anything is wrong.

With OVERLAY, the name of a folder in deploy/k8s/overlays or the path of another, it looks at that overlay alone.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable

from unora_tools.kubernetes import models, quota, security
from unora_tools.kubernetes.connections import Budget, budget
from unora_tools.kubernetes.generated import files
from unora_tools.kubernetes.render import ALL, FOLDER, Object, RenderError, rendered
from unora_tools.kubernetes.validate import VERSIONS, faults
from unora_tools.kubernetes.written_schemas import knows, written_faults


def main(arguments: list[str] | None = None) -> int:
    """Print the report. Returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m unora_tools.kubernetes",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("overlay", nargs="?", help="the only overlay to look at: a name, or a path with a slash")
    only = parser.parse_args(arguments).overlay
    wrong = [
        f"{file.relative_to(FOLDER.parents[1])} is not current: run `make k8s-files`"
        for file, text in files().items()
        if not file.exists() or file.read_text() != text
    ]
    custom: list[Object] = []
    for name in (only,) if only else ALL:
        try:
            objects = rendered(name)
        except RenderError as error:
            print(f"k8s: {name} cannot be rendered: {error}", file=sys.stderr)
            return 1
        found, its = _kubernetes(objects)
        custom += its
        needed = budget(objects)
        found += needed.faults + quota.faults(objects)
        wrong += [f"{name}: {fault}" for fault in found]
        print(f"k8s: {name}: {len(objects)} objects rendered")
        print(f"k8s:   {len(objects) - len(its)} validated strictly against Kubernetes {' and '.join(VERSIONS)}")
        print(f"k8s:   connections to Postgres at most: {_connections(needed)}")
        print(f"k8s:   pods ask for at most: {_needs(objects)}")
    wrong += _custom(custom)
    wrong += security.report(only or security.OVERLAY)
    for fault in wrong:
        print(f"k8s: {fault}", file=sys.stderr)
    print(f"k8s: {len(wrong)} faults")
    return int(bool(wrong))


def _kubernetes(objects: Iterable[Object]) -> tuple[list[str], list[Object]]:
    """The faults by the schemas of all versions, and the custom resources."""
    found: list[str] = []
    custom: list[Object] = []
    for version in VERSIONS:
        its, custom = faults(objects, version)
        found += [f"Kubernetes {version}: {fault}" for fault in its]
    return found, custom


def _custom(objects: Iterable[Object]) -> list[str]:
    """The faults of custom resources; prints what checked them."""
    different = {json.dumps(item, sort_keys=True): item for item in objects}.values()
    written = [item for item in different if knows(item)]
    others = [item for item in different if not knows(item)]
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(Counter(item["kind"] for item in written).items()))
    print(f"k8s: custom resources, by schemas written here from the documented fields: {kinds}")
    found = written_faults(written)
    if why := models.missing():
        kinds = ", ".join(sorted({item["kind"] for item in others}))
        print(f"k8s: custom resources that were only rendered: {kinds}. To check them, {why}")
        return found
    said = models.check(others)
    packages = ", ".join(f"{count} of {package}" for package, count in sorted(said.checked.items()))
    print(f"k8s: custom resources, by the models of npm (@kubernetes-models): {packages}")
    return found + said.faults + [f"no schema knows the kind {kind}" for kind in said.unknown]


def _connections(needed: Budget) -> str:
    parts = " + ".join(f"{count} {what}" for what, count in needed.lines.items())
    allowed = f"{needed.allowed} allowed" if needed.allowed is not None else "the cluster is not described here"
    clients = f"; {needed.clients} to the poolers" if needed.clients else ""
    return f"{parts} = {needed.total} ({allowed}){clients}"


def _needs(objects: Iterable[Object]) -> str:
    asked = quota.needs(tuple(objects))
    gigabytes = {name: f"{asked[name] / 2**30:.0f} GiB" for name in asked if "memory" in name or "storage" in name}
    return (
        f"{asked['requests.cpu']:.1f} cores, {gigabytes['requests.memory']} of memory (limits "
        f"{gigabytes['limits.memory']}), {gigabytes['requests.storage']} of disks, in {asked['pods']:.0f} pods"
    )


if __name__ == "__main__":
    sys.exit(main())

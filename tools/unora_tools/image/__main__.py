"""`make image`: builds both images, and says their sizes, layers and labels."""

from __future__ import annotations

import argparse
import hashlib
import re
import sys
from pathlib import Path

from unora_tools.commit import Commit, commit_of
from unora_tools.image.engines import NAMES, BuildError, Engine, Made, find
from unora_tools.supply.parts import LOCKS, ROOT

TARGETS = {"unora": "services", "unora-identity": "identity"}
"""The images, and their targets in the Dockerfile."""


def base_of(dockerfile: str) -> str:
    """The base image that the Dockerfile names."""
    found = re.search(r"^ARG BASE=(\S+)$", dockerfile, re.MULTILINE)
    if found is None:
        raise ValueError("the Dockerfile has no line `ARG BASE=…`")
    return found[1]


def labels_of(image: str, base: str, digest: str, commit: Commit, root: Path = ROOT) -> dict[str, str]:
    """The labels that say from what an image is built. They are no arguments of the Dockerfile: buildah takes a label
    that is made of an argument from its cache, with the value of an earlier build.
    """
    return {
        "org.opencontainers.image.base.digest": digest or "unknown",
        "org.opencontainers.image.base.name": base,
        "org.opencontainers.image.created": commit.created,
        "org.opencontainers.image.revision": commit.revision,
        "org.opencontainers.image.version": commit.version,
        "unora.lock.sha256": hashlib.sha256((root / LOCKS[image]).read_bytes()).hexdigest(),
    }


def report(made: Made) -> str:
    """Some lines on an image."""
    labels = "".join(f"\n    {name}={value}" for name, value in sorted(made.labels.items()))
    return f"image: {made.name}: {made.bytes / 1e6:.0f} MB, {made.layers} layers, {made.identity}{labels}"


def build(engine: Engine, base: str, tag: str) -> None:
    """Builds both images, and prints a report of each. Raises BuildError."""
    commit = commit_of(ROOT)
    if commit.revision.endswith("-dirty"):
        print("image: files differ from the commit, and the label of the revision says so: -dirty", file=sys.stderr)
    made = []
    for image, target in TARGETS.items():
        labels = labels_of(image, base, engine.digest_of(base), commit)
        engine.build(ROOT, target, f"{image}:{tag}", base, labels, commit.seconds)
        made.append(engine.inspect(f"{image}:{tag}"))
        if not labels.items() <= made[-1].labels.items():
            raise BuildError(f"{image}:{tag} has other labels than it was given, and")
    for each in made:
        print(report(each))


def main(words: list[str] | None = None) -> int:
    """Parse the command line and build. Return the exit status: 0 too where there is no engine, which it says."""
    parser = argparse.ArgumentParser(prog="python -m unora_tools.image", description=__doc__)
    parser.add_argument("--base", default="", help="another base image than the Dockerfile's; see `make base-image`")
    parser.add_argument("--engine", default="", help=f"one of {', '.join(NAMES)} (default: the first that works)")
    parser.add_argument("--tag", default="latest", help="the tag of both images (default: latest)")
    options = parser.parse_args(words)
    base = options.base or base_of((ROOT / "Dockerfile").read_text())
    engine, reasons = find(options.engine)
    if engine is None:
        print(
            f"image: nothing was built, since no container engine works here. {reasons} Install one of them (Debian: "
            "apt-get install buildah) and run this again; `make test T=tests/integration/deploy/test_image.py` builds "
            "the images' content without one.",
            file=sys.stderr,
        )
        return 0
    print(f"image: by {engine.name}, on {base}")
    try:
        build(engine, base, options.tag)
    except BuildError as error:
        print(
            f"image: {error} could not be built; {engine.name} says why above. If the base cannot be had, since no "
            "registry is reached from here, make one: `make base-image`, then `make image BASE=…` by the name that "
            "it prints (docs/image.md)",
            file=sys.stderr,
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""`make pin`: writes an overlay that names the images by their digests, on top of one of deploy/k8s/overlays.

A tag can move, and a digest exists only once an image has been pushed. So the repository has tags, and this writes what
a cluster applies: a folder for `kubectl apply -k`, or for a repository that Argo or Flux reads.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from pathlib import Path
from typing import Final

import yaml

from unora_tools.kubernetes import FOLDER, OVERLAYS

REQUIRED: Final = ("unora", "unora-identity")
OTHERS: Final = ("envoyproxy/envoy",)
PINNED: Final = re.compile(r"(?P<image>[^=\s]+)=(?P<name>[^@\s]+)@(?P<digest>sha256:[0-9a-f]{64})")


class PinError(ValueError):
    """An image is missing, unknown, or given without its digest; the message says what to do."""


def images_of(words: list[str]) -> list[dict[str, str]]:
    """The `images` of a kustomization, from words such as `unora=registry.example/unora@sha256:…`. Raises PinError."""
    found: dict[str, dict[str, str]] = {}
    for word in words:
        match = PINNED.fullmatch(word)
        if match is None:
            raise PinError(
                f"{word} names no digest: give IMAGE=NAME@sha256:… with 64 digits, as `docker push` prints it"
            )
        if match["image"] not in (*REQUIRED, *OTHERS):
            raise PinError(f"{match['image']} is no image of the manifests: {', '.join((*REQUIRED, *OTHERS))}")
        found[match["image"]] = {"name": match["image"], "newName": match["name"], "digest": match["digest"]}
    missing = [image for image in REQUIRED if image not in found]
    if missing:
        raise PinError(f"{' and '.join(missing)} must be given too: both images of one commit belong together")
    return list(found.values())


def overlay_of(overlay: str, images: list[dict[str, str]], folder: Path) -> str:
    """The text of the kustomization in a folder."""
    written = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [os.path.relpath(FOLDER / "overlays" / overlay, folder.resolve())],
        "images": images,
    }
    return "# Written by `make pin`; docs/image.md.\n" + yaml.safe_dump(written, sort_keys=False)


def main(words: list[str] | None = None) -> int:
    """Parse the command line and write the overlay. Return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m unora_tools.image.pin", description=__doc__)
    parser.add_argument("--overlay", default="prod", choices=OVERLAYS, help="the overlay below it (default: prod)")
    parser.add_argument("--out", type=Path, required=True, help="the folder that gets a kustomization.yaml")
    parser.add_argument(
        "images", nargs="*", metavar="IMAGE=NAME@sha256:…", help=f"of {', '.join(REQUIRED)}; others may"
    )
    options = parser.parse_args(words)
    try:
        images = images_of(options.images)
    except PinError as error:
        print(f"pin: {error}", file=sys.stderr)
        return 2
    options.out.mkdir(parents=True, exist_ok=True)
    file = options.out / "kustomization.yaml"
    file.write_text(overlay_of(options.overlay, images, options.out))
    print(f"pin: {file} pins {len(images)} images; next: kubectl apply -k {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""`python -m unora_tools.kubernetes.digests OVERLAY --release NAME` writes, for an overlay, which image each name means
by digest, and the name of the release: a component `deployed` beside its kustomization, which this command owns.

A digest comes from `--image NAME=REGISTRY/PATH@sha256:…`, or is asked of the registry for a tag.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

import httpx
import yaml

from unora_tools.kubernetes.registry import RegistryError, digest_of
from unora_tools.kubernetes.render import FOLDER, Object, RenderError, render_folder

COMPONENT: Final = "deployed"
RELEASE: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
HEAD: Final = "# Written by `make digests`; do not edit. List it in `components`, before ../../components/release.\n"


class DigestError(Exception):
    """What was asked for cannot be done; the message says what to do."""


class Image(NamedTuple):
    """An image: where it is, and its tag or digest."""

    name: str
    tag: str
    digest: str

    @staticmethod
    def parse(text: str) -> Image:
        """From REGISTRY/PATH:TAG, REGISTRY/PATH@sha256:…, or both."""
        rest, _, digest = text.partition("@")
        head, slash, last = rest.rpartition("/")
        path, _, tag = last.partition(":")
        if digest and not DIGEST.fullmatch(digest):
            raise DigestError(f"{text}: a digest is sha256: and 64 hexadecimal digits")
        return Image(f"{head}{slash}{path}", tag, digest)


def images_of(objects: Iterable[Object]) -> list[str]:
    """All images that the objects name, each once."""
    return sorted({image for item in objects for image in _images(item)})


def _images(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, each in value.items():
            if key in ("image", "imageName") and isinstance(each, str):
                yield each
            else:
                yield from _images(each)
    elif isinstance(value, list):
        for each in value:
            yield from _images(each)


def release_name(text: str) -> str:
    """A release as part of the name of an object: 0.1.0 is 0-1-0. Raises DigestError."""
    name = text.lower().replace(".", "-").replace("_", "-")
    if not RELEASE.fullmatch(name) or len(name) > 30:
        raise DigestError(f"{text} is no name of a release: letters, digits, dots and single dashes, at most 30")
    return name


def component(images: dict[str, Image], release: str, provision: int | None) -> str:
    """The text of the component. A tag that is known stays beside the digest: the operator of Postgres reads it."""
    literals = [f"release={release}"] + ([f"provision={provision}"] if provision is not None else [])
    entries = [
        {"name": name, "newName": image.name, **({"newTag": image.tag} if image.tag else {}), "digest": image.digest}
        for name, image in images.items()
    ]
    described = {
        "apiVersion": "kustomize.config.k8s.io/v1alpha1",
        "kind": "Component",
        "images": entries,
        "configMapGenerator": [{"name": "release", "namespace": "unora", "behavior": "merge", "literals": literals}],
    }
    return HEAD + yaml.safe_dump(described, sort_keys=False, width=200)


def resolve(named: Iterable[str], given: dict[str, Image], client: httpx.Client) -> dict[str, Image]:
    """Each image of an overlay by digest: {the overlay's name: image}. Raises DigestError or RegistryError."""
    own = {image.name: image for image in map(Image.parse, named)}
    if unknown := given.keys() - own.keys():
        raise DigestError(f"the overlay has no image {', '.join(sorted(unknown))}; it has {', '.join(own)}")
    found = {name: given.get(name, image) for name, image in own.items()}
    for name, image in found.items():
        if not image.digest:
            tag = image.tag or own[name].tag or "latest"
            found[name] = image._replace(tag=tag, digest=digest_of(client, image.name, tag))
    return found


def _given(text: str) -> tuple[str, Image]:
    name, equals, where = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text}: write NAME=REGISTRY/PATH:TAG or NAME=REGISTRY/PATH@sha256:…")
    return name, Image.parse(where)


def main(arguments: list[str] | None = None) -> int:
    """Write the component; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m unora_tools.kubernetes.digests", description=__doc__)
    parser.add_argument("overlay", help="the name of a folder in deploy/k8s/overlays, or the path of another")
    parser.add_argument("--release", required=True, help="such as 0.1.0: Jobs are named for it")
    parser.add_argument(
        "--provision", type=int, help="runs the Job `cluster` once more, if it was not run as this number"
    )
    parser.add_argument(
        "--image", type=_given, action="append", default=[], metavar="NAME=WHERE", help="may be repeated"
    )
    try:
        options = parser.parse_args(arguments)
        folder = FOLDER / "overlays" / options.overlay if "/" not in options.overlay else Path(options.overlay)
        images = _write(folder, release_name(options.release), options.provision, dict(options.image))
    except (DigestError, RegistryError, RenderError, OSError) as error:
        print(f"digests: {error}", file=sys.stderr)
        return 1
    print(f"digests: wrote {folder / COMPONENT}: {len(images)} images by digest, release {options.release}")
    if COMPONENT not in yaml.safe_load((folder / "kustomization.yaml").read_text()).get("components", []):
        print(f"digests: add `{COMPONENT}` to the components of {folder}, before ../../components/release")
    return 0


def _write(folder: Path, release: str, provision: int | None, given: dict[str, Image]) -> dict[str, Image]:
    """Write the component; if that fails, what was there stays. Returns the images."""
    file = folder / COMPONENT / "kustomization.yaml"
    before = file.read_text() if file.exists() else None
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(component({}, release, provision))  # the overlay then has the names that images are given for
    try:
        with httpx.Client(timeout=30, follow_redirects=True) as client:
            images = resolve(images_of(render_folder(folder)), given, client)
    except BaseException:
        if before is None:
            shutil.rmtree(file.parent)
        else:
            file.write_text(before)
        raise
    file.write_text(component(images, release, provision))
    return images


if __name__ == "__main__":
    sys.exit(main())

"""`make digests` writes images by digest and the release as a component of an overlay; it asks a registry over HTTP."""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import httpx
import pytest
import yaml
from unora_tools.kubernetes import digests, render
from unora_tools.kubernetes.digests import DigestError, Image, images_of, release_name
from unora_tools.kubernetes.registry import RegistryError, digest_of

A, B = (f"sha256:{letter * 64}" for letter in "ab")
TOKEN = "a-token"


class Registry(BaseHTTPRequestHandler):
    """A registry as the distribution specification says: manifests for who has a token, tokens for who asks."""

    def do_HEAD(self) -> None:
        if self.path == "/v2/private/manifests/1":
            is_known = self.headers.get("authorization") == f"Basic {b64encode(b'me:secret').decode()}"
            self.send_response(200 if is_known else 401)
            self.send_header("docker-content-digest" if is_known else "www-authenticate", B if is_known else "Basic")
        elif self.headers.get("authorization") != f"Bearer {TOKEN}":
            self.send_response(401)
            realm = f"http://{self.headers['host']}/token"
            self.send_header("www-authenticate", f'Bearer realm="{realm}",service="here",scope="repository:unora:pull"')
        elif self.path == "/v2/unora/manifests/0.2.0" and "oci.image.index" in self.headers["accept"]:
            self.send_response(200)
            self.send_header("docker-content-digest", A)
        else:
            self.send_response(404)
        self.end_headers()

    def do_GET(self) -> None:
        is_asked = self.path == "/token?service=here&scope=repository%3Aunora%3Apull"
        self.send_response(200 if is_asked else 400)
        self.end_headers()
        self.wfile.write(b'{"token": "%s"}' % TOKEN.encode())

    def log_message(self, *_: object) -> None:
        """Nothing: pytest shows what fails."""


@pytest.fixture(scope="module")
def registry() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Registry) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


OBJECTS = """
apiVersion: v1
kind: ConfigMap
metadata: {name: release, namespace: unora}
data: {release: 0-1-0, provision: "1"}
---
apiVersion: batch/v1
kind: Job
metadata: {name: streams--release, namespace: unora}
spec: {template: {spec: {containers: [{name: a, image: unora:0.1.0}, {name: b, image: envoyproxy/envoy:v1}]}}}
---
apiVersion: batch/v1
kind: Job
metadata: {name: cluster--provision, namespace: unora}
spec: {template: {spec: {containers: [{name: a, image: unora:0.1.0}]}}}
"""


@pytest.fixture
def overlay(tmp_path: Path) -> Path:
    """A small overlay, which lists the component."""
    (tmp_path / "objects.yaml").write_text(OBJECTS)
    release = render.FOLDER / "components" / "release"
    described = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": ["objects.yaml"],
        "components": [
            digests.COMPONENT,
            os.path.relpath(release, tmp_path.resolve()),
        ],
    }
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(described))
    return tmp_path


def arguments(overlay: Path, registry: str) -> list[str]:
    """What sets all images: Unora's from the registry, the other by its digest."""
    given = [f"--image=unora={registry}/unora:0.2.0", f"--image=envoyproxy/envoy=mirror.example/envoy:v1@{B}"]
    return [str(overlay), "--release=0.2.0", *given]


def test_an_overlay_gets_its_images_by_digest_and_its_jobs_the_release(
    overlay: Path, registry: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):  # the second time the component is there already
        assert digests.main(arguments(overlay, registry)) == 0
    assert "2 images by digest" in capsys.readouterr().out
    objects = render.render_folder(overlay)
    assert images_of(objects) == [f"{registry}/unora:0.2.0@{A}", f"mirror.example/envoy:v1@{B}"]
    assert {item["metadata"]["name"] for item in render.of_kind(objects, "Job")} == {"streams--0-2-0", "cluster--1"}


def test_what_cannot_be_found_is_said_and_changes_nothing(
    overlay: Path, registry: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert digests.main([str(overlay), "--release=0.2.0", f"--image=unora={registry}/unora:0.9.0"]) == 1
    assert not (overlay / digests.COMPONENT).exists()
    assert digests.main(arguments(overlay, registry)) == 0
    before = (overlay / digests.COMPONENT / "kustomization.yaml").read_text()
    assert digests.main([*arguments(overlay, registry), f"--image=other=x.example/other@{A}"]) == 1
    assert digests.main([str(overlay), "--release=0.3.0"]) == 1
    assert (overlay / digests.COMPONENT / "kustomization.yaml").read_text() == before
    said = capsys.readouterr().err
    assert "the overlay has no image other" in said
    assert "names no registry: say where it is, --image" in said


def test_a_tag_that_is_not_pushed_and_a_registry_that_is_away_are_told_apart(registry: str) -> None:
    with httpx.Client() as client:
        with pytest.raises(RegistryError, match=r"no digest of unora:0\.9\.0 \(HTTP 404\)"):
            digest_of(client, f"{registry}/unora", "0.9.0")
        with pytest.raises(RegistryError, match="does not answer"):
            digest_of(client, "127.0.0.1:1/unora", "0.2.0")


def test_a_registry_with_a_password_gets_it_from_the_environment(
    registry: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with httpx.Client() as client:
        with pytest.raises(RegistryError, match="set UNORA_REGISTRY_USER and UNORA_REGISTRY_PASSWORD"):
            digest_of(client, f"{registry}/private", "1")
        monkeypatch.setenv("UNORA_REGISTRY_USER", "me")
        monkeypatch.setenv("UNORA_REGISTRY_PASSWORD", "wrong")
        with pytest.raises(RegistryError, match="HTTP 401"):
            digest_of(client, f"{registry}/private", "1")
        monkeypatch.setenv("UNORA_REGISTRY_PASSWORD", "secret")
        assert digest_of(client, f"{registry}/private", "1") == B


def test_a_digest_that_is_none_is_refused() -> None:
    with pytest.raises(DigestError, match="64 hexadecimal digits"):
        Image.parse("r.example/unora@sha256:abc")


@pytest.mark.parametrize(
    ("text", "image"),
    [
        ("unora", Image("unora", "", "")),
        ("r.example:5000/a/b:1.2", Image("r.example:5000/a/b", "1.2", "")),
        (f"r.example:5000/a/b@{A}", Image("r.example:5000/a/b", "", A)),
        (f"a/b:1@{A}", Image("a/b", "1", A)),
    ],
)
def test_the_name_of_an_image_is_read(text: str, image: Image) -> None:
    assert Image.parse(text) == image


@pytest.mark.parametrize(("text", "name"), [("0.1.0", "0-1-0"), ("v2", "v2"), ("2026_11_30", "2026-11-30")])
def test_a_release_becomes_part_of_a_name(text: str, name: str) -> None:
    assert release_name(text) == name


@pytest.mark.parametrize("text", ["", "0..1", "a--b", "-a", "ä", "x" * 31])
def test_a_release_that_fits_no_name_is_refused(text: str) -> None:
    with pytest.raises(DigestError, match="no name of a release"):
        release_name(text)

"""Asks a registry of images for the digest of a tag, by the HTTP API of OCI's distribution specification."""

from __future__ import annotations

import os
import re
from typing import Final

import httpx

ACCEPT: Final = ", ".join(
    f"application/vnd.{kind}+json"
    for kind in (
        "oci.image.index.v1",
        "oci.image.manifest.v1",
        "docker.distribution.manifest.list.v2",
        "docker.distribution.manifest.v2",
    )
)
_CHALLENGE: Final = re.compile(r'(\w+)="([^"]*)"')


class RegistryError(Exception):
    """The registry has no answer; the message says what to do."""


def digest_of(client: httpx.Client, name: str, tag: str) -> str:
    """The digest of REGISTRY/PATH with a tag, such as sha256:…. Raises RegistryError.

    UNORA_REGISTRY_USER and UNORA_REGISTRY_PASSWORD are used where the registry asks who asks.
    """
    host, path = _place(name)
    scheme = "http" if host.partition(":")[0] in ("localhost", "127.0.0.1") else "https"
    url = f"{scheme}://{host}/v2/{path}/manifests/{tag}"
    try:
        answer = client.head(url, headers={"accept": ACCEPT})
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            headers = {"accept": ACCEPT, "authorization": _authorization(client, answer, path)}
            answer = client.head(url, headers=headers)
    except httpx.HTTPError as error:
        why = f"{type(error).__name__}: {error}"
        raise RegistryError(f"{host} does not answer ({why}); give the digest: --image …={name}@sha256:…") from None
    digest = answer.headers.get("docker-content-digest", "")
    if answer.status_code != httpx.codes.OK or not digest:
        raise RegistryError(f"{host} has no digest of {path}:{tag} (HTTP {answer.status_code}); is it pushed?")
    return str(digest)


def _place(name: str) -> tuple[str, str]:
    """The registry's host, and the path in it. Raises RegistryError without a host: which one is meant, is a guess."""
    host, slash, path = name.partition("/")
    if not slash or not ("." in host or ":" in host or host == "localhost"):
        raise RegistryError(
            f"{name} names no registry: say where it is, --image {name}=REGISTRY/PATH:TAG or …@sha256:…"
        )
    return host, path


def _authorization(client: httpx.Client, refused: httpx.Response, path: str) -> str:
    """What to come with, as the registry's refusal asks for it: a token of its issuer, or the password itself."""
    user, password = os.environ.get("UNORA_REGISTRY_USER", ""), os.environ.get("UNORA_REGISTRY_PASSWORD", "")
    own = httpx.BasicAuth(user, password) if user else None
    challenge = refused.headers.get("www-authenticate", "")
    if not challenge.lower().startswith("bearer"):
        if own is None:
            raise RegistryError("the registry asks for a password: set UNORA_REGISTRY_USER and UNORA_REGISTRY_PASSWORD")
        return str(next(own.auth_flow(httpx.Request("GET", refused.url))).headers["authorization"])
    asked = dict(_CHALLENGE.findall(challenge))
    query = {"service": asked.get("service", ""), "scope": asked.get("scope", f"repository:{path}:pull")}
    answer = client.get(asked["realm"], params=query, auth=own) if own else client.get(asked["realm"], params=query)
    if answer.status_code != httpx.codes.OK:
        raise RegistryError(
            f"the registry gives no token for {path} (HTTP {answer.status_code}): is the password right?"
        )
    given = answer.json()
    return f"Bearer {given.get('token') or given.get('access_token')}"

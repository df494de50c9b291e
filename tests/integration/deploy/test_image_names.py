"""Which process of Kubernetes runs which image."""

from __future__ import annotations

import pytest
from unora_tools.kubernetes.render import OVERLAYS, rendered


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_identity_has_its_own_image_and_all_others_share_one_of_the_same_version(overlay: str) -> None:
    found: dict[str, set[str]] = {}
    for item in rendered(overlay):
        if item["kind"] in ("Deployment", "Job") and not item["metadata"]["name"].startswith("gateway"):
            pod = item["spec"]["template"]["spec"]
            for container in [*pod.get("initContainers", ()), *pod["containers"]]:
                image, _, version = container["image"].partition(":")
                assert (image == "unora-identity") == item["metadata"]["name"].startswith("identity"), item["metadata"]
                found.setdefault(image, set()).add(version)
    assert set(found) == {"unora", "unora-identity"}
    (versions,) = {frozenset(each) for each in found.values()}
    assert len(versions) == 1

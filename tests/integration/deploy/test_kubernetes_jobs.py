"""The rendered Jobs: what they run, that each runs once for a release, and in which order a reconciler goes."""

from __future__ import annotations

from pathlib import Path

import pytest
from unora_common import provision, streams
from unora_common.cli import _parser
from unora_common.config import CONTEXTS
from unora_common.declarations import load_service
from unora_tools.kubernetes import render
from unora_tools.kubernetes.quota import amount

from tests.integration.deploy.rendered import MOUNT, Object, Rendered, container

DATABASE = ["UNORA_DATABASE_URL_FILE"]
STREAMS = ["UNORA_NATS_URL_FILE", "UNORA_TLS_CA", "UNORA_TLS_CERT", "UNORA_TLS_KEY"]
WAVE = "argocd.argoproj.io/sync-wave"


@pytest.fixture(scope="module", params=render.OVERLAYS)
def rendered(request: pytest.FixtureRequest) -> Rendered:
    return Rendered(request.param)


def test_jobs_are_commands_that_exist_and_read_their_mounted_secrets(rendered: Rendered) -> None:
    pods = rendered.pods
    for context in CONTEXTS:
        module, *words = container(pods[f"{context}-migrate"])["args"]
        assert (module, _parser(load_service(context)).parse_args(words).command) == (f"unora_{context}", "migrate")
        assert secrets_of(pods[f"{context}-migrate"]) == {f"{context}-owner", "postgres-ca"}
    assert container(pods["cluster"])["args"] == [provision.__name__, f"{MOUNT}/passwords"]
    assert container(pods["streams"])["args"][:2] == [streams.__name__, "--replicas"]
    for job in rendered.all("Job"):
        name = job.partition("--")[0]
        variables = container(pods[name])["env"]
        assert [variable["name"] for variable in variables] == (STREAMS if name == "streams" else DATABASE)
        mounts = [mount["mountPath"] for mount in container(pods[name])["volumeMounts"]]
        assert all(variable["value"].rpartition("/")[0] in mounts for variable in variables)
    assert secrets_of(pods["cluster"]) == {"postgres-admin", "postgres-ca", "postgres-passwords"}
    assert secrets_of(pods["streams"]) == {"nats-admin", "streams-tls"}


def secrets_of(pod: Object) -> set[str]:
    """The secrets that a pod mounts."""
    found: set[str] = set()
    for volume in pod["spec"]["volumes"]:
        sources = volume.get("projected", {}).get("sources", ())
        found |= {source["secret"]["name"] for source in sources if "secret" in source}
        found |= {volume["secret"]["secretName"]} if "secret" in volume else set()
    return found


def test_the_command_of_the_streams_is_one_that_it_takes(
    rendered: Rendered, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It gets as far as to miss the administrator's address."""
    for name in STREAMS:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.removesuffix("_FILE"), raising=False)
    assert streams.main(container(rendered.pods["streams"])["args"][1:]) == 1
    assert "UNORA_NATS_URL is not set" in capsys.readouterr().err


@pytest.mark.parametrize("overlay", ["staging", "prod"])
def test_the_streams_fit_on_the_disks_of_nats(overlay: str) -> None:
    """JetStream sets the room of a limit apart when it makes the stream."""
    rendered = Rendered(overlay)
    arguments = container(rendered.pods["streams"])["args"]
    given = {name: int(number) for name, number in zip(arguments[1::2], arguments[2::2], strict=True)}
    megabytes = len(CONTEXTS) * given["--megabytes"] + given["--dead-letter-megabytes"]
    (claim,) = rendered.one("StatefulSet", "nats")["spec"]["volumeClaimTemplates"]
    config = next(
        item["data"]["nats.conf"] for name, item in rendered.all("ConfigMap").items() if "nats-config" in name
    )
    (line,) = (line for line in config.splitlines() if "max_file_store" in line)
    store = amount(line.split()[1].removesuffix("G") + "Gi")
    assert megabytes * 2**20 < store < amount(claim["spec"]["resources"]["requests"]["storage"])
    assert given["--replicas"] == rendered.one("StatefulSet", "nats")["spec"]["replicas"] == 3


def test_a_job_belongs_to_a_release_and_stays_with_the_logs_of_its_tries(rendered: Rendered) -> None:
    """A Job cannot be changed: a new image needs a new one. One that is deleted would be made anew, and run again."""
    release = rendered.one("ConfigMap", "release")["data"]
    jobs = rendered.all("Job")
    every_release = {f"streams--{release['release']}", *(f"{each}-migrate--{release['release']}" for each in CONTEXTS)}
    assert set(jobs) == every_release | {f"cluster--{release['provision']}"}
    for job in jobs.values():
        assert "ttlSecondsAfterFinished" not in job["spec"]
        assert job["spec"]["template"]["spec"]["restartPolicy"] == "Never", "else the log of a failed try is gone"
        assert job["spec"]["backoffLimit"] > 0
        annotations = job["metadata"]["annotations"]
        assert annotations["argocd.argoproj.io/sync-options"] == "Prune=false"
        assert annotations["kustomize.toolkit.fluxcd.io/prune"] == "disabled"


def test_a_next_release_has_new_jobs_but_not_that_of_the_superuser(tmp_path: Path) -> None:
    """As `make digests` writes it."""
    component = tmp_path / "deployed"
    component.mkdir()
    (component / "kustomization.yaml").write_text(
        "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nconfigMapGenerator:\n"
        "  - {name: release, namespace: unora, behavior: merge, literals: [release=next-2]}\n"
    )
    (tmp_path / "overlay").mkdir()
    named = render.FOLDER / "components" / "release"
    objects = render.render_on(tmp_path / "overlay", render.FOLDER / "overlays" / "prod", [component, named])
    before = set(Rendered("prod").all("Job"))
    after = {item["metadata"]["name"] for item in render.of_kind(objects, "Job")}
    assert before & after == {"cluster--1"}
    assert {name.partition("--")[0] for name in after} == {name.partition("--")[0] for name in before}
    assert {name.partition("--")[2] for name in after - before} == {"next-2"}


def test_a_reconciler_goes_from_the_namespace_to_migrations_then_to_api_and_workers(rendered: Rendered) -> None:
    waves: dict[str, int] = {}
    for item in rendered.objects:
        wave = int(item["metadata"].get("annotations", {}).get(WAVE, 0))
        waves[f"{item['kind']} {item['metadata']['name'].partition('--')[0]}"] = wave
    order = [
        waves["Namespace unora"],
        waves["StatefulSet nats"],
        waves["Job cluster"],
        waves["Job streams"],
        waves["Job streak-migrate"],
        waves["Deployment streak-api"],
        waves["Deployment streak-worker"],
        waves["Deployment gateway-front"],
    ]
    assert order == sorted(set(order))
    scalers = {wave for name, wave in waves.items() if name.startswith("HorizontalPodAutoscaler")}
    assert all(wave > waves["Deployment gateway-front"] for wave in scalers), "one without its target is unhealthy"
    needed_first = (
        "ServiceAccount",
        "NetworkPolicy",
        "ConfigMap",
        "Certificate",
        "Issuer",
        "Cluster",
        "ExternalSecret",
    )
    assert all(wave < waves["Job cluster"] for name, wave in waves.items() if name.split()[0] in needed_first)


@pytest.mark.parametrize("variant", render.VARIANTS)
def test_a_component_that_changes_a_job_says_that_it_takes_a_release_of_another_name(variant: str) -> None:
    """A Job's template cannot be changed: under the name of a release that was deployed, the API server refuses it."""
    overlay, component = variant.split("+")
    before = {item["metadata"]["name"]: item["spec"] for item in render.of_kind(render.rendered(overlay), "Job")}
    jobs = render.of_kind(render.rendered(variant), "Job")
    changed = [name for item in jobs if before.get(name := item["metadata"]["name"], item["spec"]) != item["spec"]]
    text = (render.FOLDER / "components" / component / "kustomization.yaml").read_text()
    assert ("release of another name" in text) == bool(changed)

"""The filters of the two listeners, in their order."""

from collections.abc import Sequence
from typing import Any, Final

from unora_common.client_network import OF_ONE_CLIENT
from unora_common.tokens import AUDIENCE, ISSUER

from unora_gateway.clusters import ITSELF
from unora_gateway.paths import KEYS
from unora_gateway.policy import Policy
from unora_gateway.target import Target

Json = dict[str, Any]
_HTTP: Final = "type.googleapis.com/envoy.extensions.filters.http."
SCRIPT, DESCRIPTORS = "gateway.lua", "descriptors.binpb"
ALIVE: Final = "/healthz"
READY: Final = "/readyz"
"""For the inside: whether each service has a replica that takes calls."""
IDENTITY_SERVICE: Final = "unora.identity.v1.AccountService"


def of_clients(target: Target, services: Sequence[str]) -> list[Json]:
    """cors answers preflights, whatever comes after. Calls are counted before their bodies are read. The script reads
    bodies of REST, and sees every answer, also the refusals of the others. The transcoder needs what grpc_web unpacked.
    """
    return [
        _filter("cors", "cors.v3.Cors"),
        _probe(ALIVE),
        _limit(target.policy),
        _filter("buffer", "buffer.v3.Buffer", max_request_bytes=target.policy.body_bytes),
        _filter("lua", "lua.v3.Lua", default_source_code={"filename": str(target.folder / SCRIPT)}),
        _tokens(),
        _filter("grpc_web", "grpc_web.v3.GrpcWeb"),
        _transcoder(target, services),
        _filter("router", "router.v3.Router", suppress_envoy_headers=True),
    ]


def of_watchers(target: Target) -> list[Json]:
    """Probes, metrics, and the keys of tokens, which identity serves by gRPC only."""
    return [
        _probe(ALIVE),
        _probe(READY, cluster_min_healthy_percentages={context: {"value": 1} for context in target.services}),
        _transcoder(target, [IDENTITY_SERVICE]),
        _filter("router", "router.v3.Router", suppress_envoy_headers=True),
    ]


def _filter(name: str, kind: str, **config: Any) -> Json:
    return {"name": f"envoy.filters.http.{name}", "typed_config": {"@type": f"{_HTTP}{kind}", **config}}


def _probe(path: str, **more: Any) -> Json:
    header = {"name": ":path", "string_match": {"exact": path}}
    return _filter("health_check", "health_check.v3.HealthCheck", pass_through_mode=False, headers=[header], **more)


def _limit(policy: Policy) -> Json:
    """A bucket for each address; the bucket of all is there because the filter wants one, and never empty first."""
    return _filter(
        "local_ratelimit",
        "local_ratelimit.v3.LocalRateLimit",
        stat_prefix="addresses",
        token_bucket=_bucket(1_000_000, 1_000_000),
        filter_enabled=_always("gateway.limit_enabled"),
        filter_enforced=_always("gateway.limit_enforced"),
        rate_limited_as_resource_exhausted=True,
        max_dynamic_descriptors=policy.addresses,
        rate_limits=[{"actions": [{"masked_remote_address": {"v6_prefix_mask_len": OF_ONE_CLIENT}}]}],
        descriptors=[
            {
                "entries": [{"key": "masked_remote_address"}],
                "token_bucket": _bucket(policy.address_calls_per_second, policy.address_burst),
            }
        ],
    )


def _bucket(per_second: int, burst: int) -> Json:
    return {"max_tokens": max(burst, per_second), "tokens_per_fill": per_second, "fill_interval": "1s"}


def _always(name: str) -> Json:
    return {"runtime_key": name, "default_value": {"numerator": 100, "denominator": "HUNDRED"}}


def _tokens() -> Json:
    """Reads tokens for the log and refuses none: services judge them, and say by a reason what is wrong with one."""
    provider = {
        "issuer": ISSUER,
        "audiences": [AUDIENCE],
        "forward": True,
        "payload_in_metadata": "claims",  # for the log, which says of a verified token only who issued it
        "jwt_cache_config": {"jwt_cache_size": 10_000},
        "remote_jwks": {
            "http_uri": {"uri": f"http://{ITSELF}{KEYS}", "cluster": ITSELF, "timeout": "5s"},
            "cache_duration": "300s",
            # Fetched before a call needs them; through this process itself, which must therefore not wait for them.
            "async_fetch": {"fast_listener": True, "failed_refetch_duration": "1s"},
        },
    }
    requirement = {"requires_any": {"requirements": [{"provider_name": "identity"}, {"allow_missing_or_failed": {}}]}}
    return _filter(
        "jwt_authn",
        "jwt_authn.v3.JwtAuthentication",
        providers={"identity": provider},
        rules=[{"match": {"prefix": "/"}, "requires": requirement}],
    )


def _transcoder(target: Target, services: Sequence[str]) -> Json:
    return _filter(
        "grpc_json_transcoder",
        "grpc_json_transcoder.v3.GrpcJsonTranscoder",
        proto_descriptor=str(target.folder / DESCRIPTORS),
        services=list(services),
        convert_grpc_status=True,
        case_insensitive_enum_parsing=True,
        query_param_unescape_plus=True,  # clients write a space so
        max_request_body_size=target.policy.body_bytes,
        max_response_body_size=8 << 20,
        print_options={"always_print_primitive_fields": True, "preserve_proto_field_names": True},
        request_validation_options={
            "reject_unknown_query_parameters": True,
            "reject_binding_body_field_collisions": True,
        },
    )

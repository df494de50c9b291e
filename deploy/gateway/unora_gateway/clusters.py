"""The services as Envoy sees them: one cluster for each context, with health, limits and retries' budget."""

from collections.abc import Sequence
from typing import Any, Final

from unora_gateway import tls, tracing
from unora_gateway.policy import Policy
from unora_gateway.target import Address, Target

Json = dict[str, Any]
CALLS_ON_ONE_CONNECTION: Final = 12
"""Fewer than the 16 that a service takes (docs/interfaces.md): it may still count a call whose answer is here already,
and would refuse one more.
"""
ANSWER_BYTES: Final = 4 << 20
"""The largest answer of a service."""
DEADLINE_HEADER: Final = "x-unora-deadline"
"""What the script found to be the service's deadline."""
ITSELF, ADMIN, NOWHERE, BRIDGE = "gateway", "admin", "nowhere", "bridge"


def clusters(target: Target) -> list[Json]:
    """All of them: the services, the gateway itself (keys of tokens), Envoy's own commands (metrics), the bridge."""
    services = [_service(target, context, addresses) for context, addresses in target.services.items()]
    bridge = [] if target.bridge is None else [_near(BRIDGE, target.bridge)]
    near = [_near(ITSELF, target.watch), _near(ADMIN, target.admin), *bridge]
    return [*services, *near, {"name": NOWHERE, "type": "STATIC"}, *tracing.cluster(target.policy)]


def seconds(number: float) -> str:
    """A duration as protobuf writes it in JSON."""
    return f"{number:.3f}".rstrip("0").rstrip(".") + "s"


def endpoints(name: str, addresses: Sequence[Address]) -> Json:
    """The addresses of a cluster."""
    sockets = [{"address": address.host, "port_value": address.port} for address in addresses]
    return {
        "cluster_name": name,
        "endpoints": [{"lb_endpoints": [{"endpoint": {"address": {"socket_address": each}}} for each in sockets]}],
    }


def _service(target: Target, context: str, addresses: Sequence[Address]) -> Json:
    policy = target.policy
    return {
        "name": context,
        "type": "STRICT_DNS" if target.is_by_name else "STATIC",
        **({"dns_refresh_rate": "5s", "dns_lookup_family": "ALL"} if target.is_by_name else {}),
        "connect_timeout": seconds(policy.connect_seconds),
        "lb_policy": "LEAST_REQUEST",
        "per_connection_buffer_limit_bytes": ANSWER_BYTES,
        "load_assignment": endpoints(context, addresses),
        "transport_socket": tls.to_service(target, context),
        "typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": _http2()},
        "health_checks": [_health(policy)],
        "ignore_health_on_host_removal": True,
        # With no replica ready a call is refused at once, not sent to one that is not.
        "common_lb_config": {"healthy_panic_threshold": {"value": 0}},
        "circuit_breakers": {"thresholds": [_limits(policy)]},
        "outlier_detection": _outliers(policy),
    }


def _http2() -> Json:
    return {
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": {
            "http2_protocol_options": {
                "max_concurrent_streams": CALLS_ON_ONE_CONNECTION,
                "connection_keepalive": {"interval": "60s", "timeout": "10s"},
            }
        },
        "http_filters": _to_services(),
    }


def _to_services() -> list[Json]:
    """Sets the service's deadline by what the script found, after Envoy has set its own."""
    deadline = {"key": "grpc-timeout", "value": f"%REQ({DEADLINE_HEADER})%"}
    mutations = [
        {"append": {"header": deadline, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}},
        {"remove": DEADLINE_HEADER},
    ]
    kinds = "type.googleapis.com/envoy.extensions.filters.http."
    mutation = {"@type": f"{kinds}header_mutation.v3.HeaderMutation", "mutations": {"request_mutations": mutations}}
    return [
        {"name": "envoy.filters.http.header_mutation", "typed_config": mutation},
        {
            "name": "envoy.filters.http.upstream_codec",
            "typed_config": {"@type": f"{kinds}upstream_codec.v3.UpstreamCodec"},
        },
    ]


def _health(policy: Policy) -> Json:
    return {
        "timeout": "2s",
        "interval": seconds(policy.health_seconds),
        "no_traffic_interval": seconds(policy.health_seconds),
        "unhealthy_interval": seconds(min(policy.health_seconds, 1.0)),
        "unhealthy_threshold": 2,
        "healthy_threshold": 1,
        "grpc_health_check": {"service_name": "readiness"},
    }


def _limits(policy: Policy) -> Json:
    return {
        "priority": "DEFAULT",
        "max_connections": policy.service_connections,
        "max_requests": policy.service_calls,
        "max_pending_requests": policy.waiting_calls,
        "retry_budget": {"budget_percent": {"value": 20}, "min_retry_concurrency": 3},
        "track_remaining": True,
    }


def _outliers(policy: Policy) -> Json:
    """Which replica gets no calls for a while. INTERNAL does not count: a request of one member may cause it."""
    return {
        "split_external_local_origin_errors": True,
        "consecutive_gateway_failure": policy.failures_to_leave,
        "enforcing_consecutive_gateway_failure": 100,
        "consecutive_local_origin_failure": policy.failures_to_leave,
        "enforcing_consecutive_5xx": 0,
        "enforcing_success_rate": 0,
        "enforcing_local_origin_success_rate": 0,
        "interval": "2s",
        "base_ejection_time": seconds(policy.leave_seconds),
        "max_ejection_time": seconds(policy.leave_seconds * 6),
        "max_ejection_percent": 50,
        # Else the next answer that it is ready, at most two seconds later, would bring it back.
        "successful_active_health_check_uneject_host": False,
    }


def _near(name: str, address: Address) -> Json:
    host = "127.0.0.1" if address.host in ("0.0.0.0", "::") else address.host  # noqa: S104 - compared, not bound
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": endpoints(name, [Address(host, address.port)]),
    }

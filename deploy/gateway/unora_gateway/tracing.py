"""The gateway's part of traces: a span of each call and of each attempt to reach a service, by OTLP to a collector."""

from importlib.metadata import version
from typing import Any, Final
from urllib.parse import urlsplit

from unora_gateway.policy import Policy

Json = dict[str, Any]
TRACES: Final = "traces"
"""The cluster of the collector."""
LOGGED: Final = "%TRACE_ID%"
"""What the log says of a call's trace."""
_TRACERS: Final = "type.googleapis.com/envoy.extensions.tracers.opentelemetry"
_MILLIONTHS: Final = 1_000_000
LEFT_OUT: Final = (
    *("http.url", "user_agent", "peer.address", "downstream_cluster", "guid:x-request-id", "guid:x-client-trace-id"),
    *("grpc.path", "grpc.authority", "grpc.content_type", "grpc.timeout"),
)
"""Attributes that Envoy takes from what a client sends, or that name the client. It cannot do without, so each is
overwritten.
"""
CLIENT_HEADER: Final = "x-unora-client-trace"
"""Where the script finds the traceparent of a client, for the log."""
FOREIGN: Final = (
    *("traceparent", "tracestate", "x-request-id", "x-client-trace-id"),
    *("x-envoy-force-trace", "x-envoy-decorator-operation"),
)
"""Headers of a client from which Envoy or the script would take a trace, removed before it begins: the id decides
whether a trace is recorded and logged, so no client may choose it.
"""


def is_on(policy: Policy) -> bool:
    """Whether there is a collector."""
    return bool(policy.traces_endpoint)


def of_clients(policy: Policy) -> Json:
    """What a listener for clients adds. Each call begins a trace, and here is decided whether it is recorded."""
    return _own_traces() | (_recording(policy) if is_on(policy) else {})


def _own_traces() -> Json:
    kept = {"key": CLIENT_HEADER, "value": "%REQ(TRACEPARENT)%"}
    return {
        "early_header_mutation_extensions": [
            {
                "name": "envoy.http.early_header_mutation.header_mutation",
                "typed_config": {
                    "@type": "type.googleapis.com/"
                    "envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation",
                    "mutations": [
                        {"append": {"header": kept, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}},
                        *({"remove": name} for name in FOREIGN),
                    ],
                },
            }
        ]
    }


def _recording(policy: Policy) -> Json:
    tracer = {
        "@type": "type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig",
        "grpc_service": {"envoy_grpc": {"cluster_name": TRACES}, "timeout": "10s"},
        "service_name": "gateway",
        "resource_detectors": [_resource()],
        "sampler": _share(policy.traces_ratio),
    }
    return {
        "tracing": {
            "provider": {"name": "envoy.tracers.opentelemetry", "typed_config": tracer},
            "spawn_upstream_span": True,
            "max_path_tag_length": 1,
            "operation": "%ROUTE_NAME%",
            "upstream_operation": "%ROUTE_NAME%",
            "custom_tags": [
                *({"tag": name, "literal": {"value": "-"}} for name in LEFT_OUT),
                {"tag": "rpc.method", "value": "%ROUTE_NAME%"},
            ],
        },
    }


def runtime(policy: Policy) -> Json:
    """How long spans wait for others before they are sent together."""
    if not is_on(policy):
        return {}
    layer = {"tracing.opentelemetry.flush_interval_ms": 1000, "tracing.opentelemetry.min_flush_spans": 100}
    return {"layered_runtime": {"layers": [{"name": "traces", "static_layer": layer}]}}


def cluster(policy: Policy) -> list[Json]:
    """The collector, if there is one."""
    if not is_on(policy):
        return []
    collector = urlsplit(policy.traces_endpoint)
    socket = {"address": collector.hostname, "port_value": collector.port}
    return [
        {
            "name": TRACES,
            "type": "STRICT_DNS",
            "connect_timeout": "2s",
            "load_assignment": {
                "cluster_name": TRACES,
                "endpoints": [{"lb_endpoints": [{"endpoint": {"address": {"socket_address": socket}}}]}],
            },
            "typed_extension_protocol_options": {
                "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                    "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                    "explicit_http_config": {"http2_protocol_options": {}},
                }
            },
            **({"transport_socket": _tls(collector.hostname, policy)} if collector.scheme == "https" else {}),
        }
    ]


def _resource() -> Json:
    attributes = {"service.namespace": "unora", "service.version": version("unora")}
    return {
        "name": "envoy.tracers.opentelemetry.resource_detectors.static_config",
        "typed_config": {
            "@type": f"{_TRACERS}.resource_detectors.v3.StaticConfigResourceDetectorConfig",
            "attributes": attributes,
        },
    }


def _share(ratio: float) -> Json:
    return {
        "name": "envoy.tracers.opentelemetry.samplers.trace_id_ratio_based",
        "typed_config": {
            "@type": f"{_TRACERS}.samplers.v3.TraceIdRatioBasedSamplerConfig",
            "sampling_percentage": {"numerator": round(ratio * _MILLIONTHS), "denominator": "MILLION"},
        },
    }


def _tls(host: str | None, policy: Policy) -> Json:
    return {
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
            "sni": host,
            "common_tls_context": {
                "alpn_protocols": ["h2"],
                "validation_context": {
                    "trusted_ca": {"filename": policy.traces_ca},
                    "match_typed_subject_alt_names": [{"san_type": "DNS", "matcher": {"exact": host}}],
                },
            },
        },
    }

"""Where the gateway listens: for clients, and for probes and metrics."""

from collections.abc import Sequence
from typing import Any, Final

from unora_gateway import filters, local_replies, paths, tls, tracing
from unora_gateway.clusters import ANSWER_BYTES, seconds
from unora_gateway.contract import Route
from unora_gateway.policy import Policy
from unora_gateway.target import Address, Target

Json = dict[str, Any]
MANAGER: Final = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
LOGGED: Final = {
    "time": "%START_TIME(%Y-%m-%dT%H:%M:%S.%3fZ)%",
    "event": "call",
    "method": "%ROUTE_NAME%",
    "protocol": "%PROTOCOL%",
    "status": "%RESPONSE_CODE%",
    "grpc_status": "%GRPC_STATUS(SNAKE_STRING)%",
    "reason": "%DYNAMIC_METADATA(unora:reason)%",
    "details": "%RESPONSE_CODE_DETAILS%",
    "flags": "%RESPONSE_FLAGS%",
    "token_of": "%DYNAMIC_METADATA(envoy.filters.http.jwt_authn:claims:iss)%",
    "milliseconds": "%DURATION%",
    "service": "%UPSTREAM_CLUSTER%",
    "service_milliseconds": "%RESPONSE_DURATION%",
    "attempts": "%UPSTREAM_REQUEST_ATTEMPT_COUNT%",
    "received": "%BYTES_RECEIVED%",
    "sent": "%BYTES_SENT%",
    "trace": "%DYNAMIC_METADATA(unora:trace)%",
    "client_trace": "%DYNAMIC_METADATA(unora:client_trace)%",
}
"""One line for each call, as JSON: without addresses, tokens, paths, queries or anything that a client wrote itself,
but its own trace, which the script has found to have the form of one.
"""


def listeners(target: Target, routes: Sequence[Route], services: Sequence[str]) -> list[Json]:
    """All of them."""
    manager = _for_clients(target, routes, services)
    front = _listener("front", target.front, manager, tls.to_clients(target))
    found = [front | _address_before_tls() if target.policy.proxy_protocol else front]
    if target.plain is not None:
        found.append(_listener("plain", target.plain, manager))
    # A gateway that refuses calls for want of memory is not to be taken for one that hangs, and killed.
    found.append(_listener("watch", target.watch, _for_watchers(target)) | {"bypass_overload_manager": True})
    return found


def _listener(name: str, address: Address, manager: Json, socket: Json | None = None) -> Json:
    chain: Json = {"filters": [{"name": "http", "typed_config": manager | {"stat_prefix": name}}]}
    if socket is not None:
        chain |= {"transport_socket": socket, "transport_socket_connect_timeout": "10s"}
    return {
        "name": name,
        "address": {"socket_address": {"address": address.host, "port_value": address.port}},
        "per_connection_buffer_limit_bytes": 2 * ANSWER_BYTES,
        "filter_chains": [chain],
    }


def _address_before_tls() -> Json:
    """The PROXY protocol of a balancer: the connection then has the client's address for all that follows."""
    kind = "type.googleapis.com/envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol"
    return {"listener_filters": [{"name": "envoy.filters.listener.proxy_protocol", "typed_config": {"@type": kind}}]}


def _for_clients(target: Target, routes: Sequence[Route], services: Sequence[str]) -> Json:
    policy = target.policy
    return {
        "@type": MANAGER,
        "codec_type": "AUTO",
        "server_name": "unora",
        **_origin_of_clients(policy),
        **_strict(policy),
        **tracing.of_clients(policy),
        "access_log": [_log(policy)],
        "local_reply_config": local_replies.shaped(target),
        "http_filters": filters.of_clients(target, services),
        "route_config": paths.of_clients(target, routes),
    }


def _origin_of_clients(policy: Policy) -> Json:
    """The client's address: of the connection, or what a known number of proxies before us say."""
    return {"use_remote_address": True, "xff_num_trusted_hops": policy.trusted_proxies, "skip_xff_append": True}


def _strict(policy: Policy) -> Json:
    """What is refused before any filter, and how long things may take."""
    return {
        "normalize_path": True,
        "merge_slashes": True,
        "path_with_escaped_slashes_action": "REJECT_REQUEST",
        "max_request_headers_kb": policy.header_kilobytes,
        "request_timeout": seconds(policy.request_seconds),
        "request_headers_timeout": "10s",
        "stream_idle_timeout": seconds(policy.longest_call_seconds),
        "drain_timeout": "5s",
        "common_http_protocol_options": {
            "idle_timeout": seconds(policy.idle_seconds),
            "max_headers_count": policy.headers,
            # Metadata that some proxy would take for another name.
            "headers_with_underscores_action": "DROP_HEADER",
        },
        "http2_protocol_options": {
            "max_concurrent_streams": policy.client_calls,
            "initial_stream_window_size": 65_536,
            "initial_connection_window_size": 1_048_576,
        },
    }


def _for_watchers(target: Target) -> Json:
    return {
        "@type": MANAGER,
        "codec_type": "AUTO",
        "server_name": "unora",
        "http_filters": filters.of_watchers(target),
        "route_config": paths.of_watchers(),
    }


def _log(policy: Policy) -> Json:
    logged = LOGGED | ({"trace": tracing.LOGGED} if tracing.is_on(policy) else {})
    return {
        "name": "envoy.access_loggers.stdout",
        "filter": {"not_health_check_filter": {}},
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog",
            "log_format": {"json_format": logged, "omit_empty_values": True},
        },
    }

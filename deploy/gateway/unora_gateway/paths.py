"""Envoy's routes: one for each method that passes, and those of pages, probes and metrics."""

from collections.abc import Iterable
from typing import Any, Final

from unora_gateway.clusters import ADMIN, BRIDGE, NOWHERE, seconds
from unora_gateway.contract import Route
from unora_gateway.policy import Policy
from unora_gateway.target import Page, Target

Json = dict[str, Any]
KEYS: Final = "/.well-known/jwks.json"
REST: Final = ("/v1/", "/.well-known/")
ADDRESS_HEADER: Final = "unora-client-address"
NOT_TAKEN: Final = "connect-failure,refused-stream"
"""The service has not begun the call, so that it may be sent again whatever it does."""
RETRIED: Final = f"{NOT_TAKEN},reset,unavailable"
EXPOSED: Final = "grpc-status,grpc-message,grpc-status-details-bin,retry-after,allow"
TAKEN: Final = "authorization,content-type,x-grpc-web,x-user-agent,grpc-timeout,traceparent"
FOR_FILTERS: Final = ("accept", "origin", "x-grpc-web")
"""Headers of a caller that filters need, and services do not."""
LOCAL: Final = "/local/"
"""All paths that exist on one machine only begin so."""
ORIGIN_HEADER: Final = "unora-page-origin"
"""The Origin of a request to the bridge, since `origin` itself is removed from every request."""
PAST: Final = ("cors", "buffer", "lua", "jwt_authn", "grpc_web", "grpc_json_transcoder")
"""The filters that see no request to the bridge: it is no method, and its answers are streams."""
PREDICATES: Final = "type.googleapis.com/envoy.extensions.retry.host."


def of_clients(target: Target, routes: Iterable[Route]) -> Json:
    """What clients reach. A REST request is transcoded first, and finds its method's own route then."""
    host = {
        "name": "clients",
        "domains": ["*"],
        "routes": [
            *(_method(route, target.policy) for route in routes),
            *(_page(page) for page in target.pages),
            *([] if target.bridge is None else [_bridge(), _typed_without_slash()]),
            # REST before it is transcoded. It leads nowhere, but to a cluster: cors answers preflights for these only.
            *({"name": "rest", "match": {"prefix": each}, "route": {"cluster": NOWHERE}} for each in REST),
            {"name": "unknown", "match": {"prefix": "/"}, "direct_response": {"status": 404}},
        ],
        "typed_per_filter_config": {"envoy.filters.http.cors": _cors(target.policy)},
        # Set here, after whatever a client sent by this name was removed; and without what Envoy added on the way.
        "request_headers_to_add": [
            _header(ADDRESS_HEADER, "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%"),
        ],
        "request_headers_to_remove": [
            "x-forwarded-proto",
            "x-envoy-original-path",
            "x-envoy-original-method",
            *FOR_FILTERS,
        ],
    }
    answers = [_header("cache-control", "no-store"), _header("x-content-type-options", "nosniff")]
    largest = {"max_direct_response_body_size_bytes": 16 << 20} if target.pages else {}
    return {"name": "clients", "virtual_hosts": [host], "response_headers_to_add": answers, **largest}


def of_watchers() -> Json:
    """What the inside reaches: probes are answered by a filter, metrics and the keys of tokens by these."""
    metrics = {"cluster": ADMIN, "prefix_rewrite": "/stats/prometheus", "timeout": "10s"}
    keys = {"cluster": "identity", "timeout": "5s"}
    host = {
        "name": "watchers",
        "domains": ["*"],
        "routes": [
            {"match": {"path": "/metrics"}, "route": metrics},
            {"match": {"path": "/unora.identity.v1.AccountService/GetJwks"}, "route": keys},
            {"match": {"path": KEYS}, "direct_response": {"status": 404}},
        ],
    }
    return {"name": "watchers", "virtual_hosts": [host]}


def _method(route: Route, policy: Policy) -> Json:
    action: Json = {
        "cluster": route.context,
        # One time limit, the caller's own or ours: a second one would cut what a caller asked for.
        "timeout": "0s",
        "max_stream_duration": {
            "max_stream_duration": seconds(policy.call_seconds),
            "grpc_timeout_header_max": seconds(policy.longest_call_seconds),
        },
    }
    if policy.retries:
        action["retry_policy"] = {
            "retry_on": RETRIED if route.reads_only else NOT_TAKEN,
            "num_retries": policy.retries,
            "retry_back_off": {"base_interval": "0.025s", "max_interval": "0.25s"},
            "retry_host_predicate": [
                {
                    "name": "envoy.retry_host_predicates.previous_hosts",
                    "typed_config": {"@type": f"{PREDICATES}previous_hosts.v3.PreviousHostsPredicate"},
                }
            ],
            "host_selection_retry_max_attempts": "3",
        }
    return {
        "name": route.path.removeprefix("/"),
        "match": {"path": route.path},
        "route": action,
        # The buffer counts the bytes of the message; a service needs no such header.
        "request_headers_to_remove": ["content-length"],
    }


def _page(page: Page) -> Json:
    return {
        "name": f"page {page.path}",
        "match": {"path": page.path},
        "direct_response": {"status": 200, "body": {"filename": str(page.file)}},
        "response_headers_to_add": [
            _header(name, value) for name, value in {"content-type": page.media_type, **page.headers}.items()
        ],
    }


def _bridge() -> Json:
    """Without time limits: a stream of events lasts as long as its reader, and a move of the clock takes minutes."""
    return {
        "name": "bridge",
        "match": {"prefix": LOCAL},
        "route": {"cluster": BRIDGE, "timeout": "0s", "idle_timeout": "0s"},
        "request_headers_to_remove": [ORIGIN_HEADER],
        "request_headers_to_add": [_header(ORIGIN_HEADER, "%REQ(ORIGIN)%")],
        "typed_per_filter_config": _past_filters(),
    }


def _typed_without_slash() -> Json:
    """The page's address as people type it."""
    return {
        "name": "local",
        "match": {"path": LOCAL.rstrip("/")},
        "redirect": {"path_redirect": LOCAL},
        "typed_per_filter_config": _past_filters(),
    }


def _past_filters() -> Json:
    off = {"@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig", "disabled": True}
    return {f"envoy.filters.http.{name}": off for name in PAST}


def _cors(policy: Policy) -> Json:
    return {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy",
        "allow_origin_string_match": [_origin(origin) for origin in policy.origins],
        "allow_methods": "GET,POST,PUT,PATCH,DELETE",
        "allow_headers": TAKEN,
        "expose_headers": EXPOSED,
        "max_age": str(policy.preflight_seconds),
    }


def _origin(text: str) -> Json:
    if "*" not in text:
        return {"exact": text}
    letters = "".join("[^/]*" if letter == "*" else _literal(letter) for letter in text)
    return {"safe_regex": {"regex": letters}}


def _literal(letter: str) -> str:
    return letter if letter.isalnum() or letter in "/:-" else f"\\{letter}"


def _header(name: str, value: str) -> Json:
    return {"header": {"key": name, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}

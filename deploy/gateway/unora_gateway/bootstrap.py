"""Envoy's configuration as a whole."""

from collections.abc import Sequence
from typing import Any, Final

from unora_gateway import tracing
from unora_gateway.clusters import clusters
from unora_gateway.contract import Route
from unora_gateway.listeners import listeners
from unora_gateway.target import Target

Json = dict[str, Any]
MONITORS: Final = "type.googleapis.com/envoy.extensions.resource_monitors."


def bootstrap(target: Target, routes: Sequence[Route], services: Sequence[str]) -> Json:
    """What `envoy --config-path` reads."""
    connections = {
        "name": "envoy.resource_monitors.global_downstream_max_connections",
        "typed_config": {
            "@type": f"{MONITORS}downstream_connections.v3.DownstreamConnectionsConfig",
            "max_active_downstream_connections": target.policy.client_connections,
        },
    }
    return {
        "node": {"id": "gateway", "cluster": "unora"},
        "admin": {
            "address": {"socket_address": {"address": target.admin.host, "port_value": target.admin.port}},
            "ignore_global_conn_limit": True,
        },
        **tracing.runtime(target.policy),
        "overload_manager": {"resource_monitors": [connections]},
        "static_resources": {
            "listeners": listeners(target, routes, services),
            "clusters": clusters(target),
        },
    }

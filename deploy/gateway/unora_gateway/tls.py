"""TLS on both sides: certificates by files that Envoy reads again when they change, and the names that it checks."""

from pathlib import PurePath
from typing import Any, Final

from unora_gateway.target import Files, Target

Json = dict[str, Any]
FRONT, OWN = "front", "own"
CERTIFICATE, AUTHORITY = "certificate", "authority"
_TLS: Final = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3."


def secrets(target: Target) -> dict[str, Json]:
    """The files that name certificates, by file name. A folder that is replaced as a whole is read again, too."""
    return {
        _file(FRONT, CERTIFICATE): _certificate(FRONT, target.front_files),
        _file(OWN, CERTIFICATE): _certificate(OWN, target.own_files),
        _file(OWN, AUTHORITY): _authority(OWN, target.own_files),
    }


def to_clients(target: Target) -> Json:
    """TLS 1.2 or newer before the gateway, for HTTP/2 and HTTP/1.1; clients need no certificate."""
    return {
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": f"{_TLS}DownstreamTlsContext",
            "common_tls_context": {
                "alpn_protocols": ["h2", "http/1.1"],
                "tls_params": {"tls_minimum_protocol_version": "TLSv1_2"},
                "tls_certificate_sds_secret_configs": [_from_file(target, FRONT, CERTIFICATE)],
            },
        },
    }


def to_service(target: Target, context: str) -> Json:
    """Mutual TLS to a service: the gateway's certificate, and the URI that the service's must have."""
    return {
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": f"{_TLS}UpstreamTlsContext",
            "sni": f"{context}.unora",
            "common_tls_context": {
                "alpn_protocols": ["h2"],
                "tls_params": {"tls_minimum_protocol_version": "TLSv1_2", "tls_maximum_protocol_version": "TLSv1_3"},
                "tls_certificate_sds_secret_configs": [_from_file(target, OWN, CERTIFICATE)],
                "combined_validation_context": {
                    "default_validation_context": {
                        "match_typed_subject_alt_names": [
                            {"san_type": "URI", "matcher": {"exact": f"spiffe://unora/{context}"}}
                        ]
                    },
                    "validation_context_sds_secret_config": _from_file(target, OWN, AUTHORITY),
                },
            },
        },
    }


def _file(whose: str, kind: str) -> str:
    return f"{whose}_{kind}.json"


def _from_file(target: Target, whose: str, kind: str) -> Json:
    path = target.folder / _file(whose, kind)
    source = {"path_config_source": {"path": str(path)}, "resource_api_version": "V3"}
    return {"name": f"{whose}_{kind}", "sds_config": source}


def _certificate(whose: str, files: Files) -> Json:
    chain = {"certificate_chain": _read(files.cert), "private_key": _read(files.key)}
    return _secret(whose, CERTIFICATE, {"tls_certificate": chain | _watched(files.cert)})


def _authority(whose: str, files: Files) -> Json:
    return _secret(whose, AUTHORITY, {"validation_context": {"trusted_ca": _read(files.ca)} | _watched(files.ca)})


def _secret(whose: str, kind: str, content: Json) -> Json:
    kind_of = f"{_TLS}Secret"
    return {"resources": [{"@type": kind_of, "name": f"{whose}_{kind}", **content}]}


def _read(path: PurePath) -> Json:
    return {"filename": str(path)}


def _watched(path: PurePath) -> Json:
    return {"watched_directory": {"path": str(path.parent)}}

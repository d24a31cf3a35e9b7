"""How a client reaches a server: address, TLS, token, retries."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

import grpc

DEFAULT_NAMESPACE = "default"
"""The namespace of a client that names none."""

DEFAULT_TIMEOUT = 30.0
"""Seconds for a request to weft's own API that has no timeout of its own. Deploys, logs and calls of functions have no
bound of the client's."""


@dataclass(frozen=True)
class TLS:
    """What to check a server's certificate with, and what to show it. All in PEM."""

    ca: bytes | None = None
    """The certificates to trust; None means those of the system."""
    certificate: bytes | None = None
    """The client's certificate with its chain, and its key; None means none."""
    key: bytes | None = None
    server_name: str | None = None
    """The name that the server's certificate must have, where it is not the address's host."""


@dataclass(frozen=True)
class Retry:
    """How often what is safe to repeat is repeated while the server can't be reached."""

    attempts: int = 4
    """All attempts, the first one included: 2 to 5."""
    initial: float = 0.1
    """Seconds before the second attempt, about."""
    maximum: float = 1.0
    """Seconds before any attempt, at most."""
    multiplier: float = 2.0


_REPEATABLE = [
    {"service": "weft.v1.FunctionService", "method": method}
    for method in ("Get", "List", "Schema", "Update", "Route", "Delete", "Forget")
] + [{"service": "weft.v1.NodeService"}, {"service": "weft.v1.SecretService"}]


def service_config(retry: Retry) -> str:
    """gRPC's service config of a policy. A server that knows better answers with grpc-retry-pushback-ms."""
    policy = {
        "maxAttempts": retry.attempts,
        "initialBackoff": f"{retry.initial:f}s",
        "maxBackoff": f"{retry.maximum:f}s",
        "backoffMultiplier": retry.multiplier,
        "retryableStatusCodes": ["UNAVAILABLE"],
    }
    return json.dumps({"methodConfig": [{"name": _REPEATABLE, "retryPolicy": policy}]})


@dataclass(frozen=True)
class Connection:
    """The checked arguments of connect."""

    target: str
    credentials: Any  # grpc.ChannelCredentials, None for plain text
    options: Sequence[tuple[str, Any]]
    metadata: tuple[tuple[str, str], ...]  # of every request

    @classmethod
    def of(
        cls,
        address: str,
        tls: bool | TLS,
        token: str | None,
        retry: Retry | None,
        options: Sequence[tuple[str, Any]],
    ) -> Connection:
        host = _host(address)
        own: list[tuple[str, Any]] = [
            ("grpc.max_receive_message_length", -1),
            ("grpc.max_send_message_length", -1),
            ("grpc.enable_retries", 0 if retry is None else 1),
        ]
        if retry is not None:
            own.append(("grpc.service_config", service_config(retry)))
        credentials = None
        if tls:
            given = TLS() if tls is True else tls
            credentials = grpc.ssl_channel_credentials(given.ca, given.key, given.certificate)
            if given.server_name is not None:
                own.append(("grpc.ssl_target_name_override", given.server_name))
        metadata: tuple[tuple[str, str], ...] = ()
        if token is not None:
            if credentials is None and not _local(host):
                raise ValueError(f"weft: a token would go to {address} in plain text; connect with tls")
            metadata = (("authorization", f"Bearer {token}"),)
        return cls(address, credentials, (*own, *options), metadata)


def _host(address: str) -> str | None:
    """The host of an address, None where gRPC finds the server in another way."""
    if "://" in address or address.startswith("unix:"):
        return None
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdigit():
        raise ValueError(f"weft: address {address!r} is no host:port, such as 127.0.0.1:7070")
    return host.strip("[]")


def _local(host: str | None) -> bool:
    if host is None or host == "localhost":
        return host is not None
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def function_metadata(
    namespace: str, function: str | None, revision: int | None
) -> tuple[tuple[str, str], ...]:
    """What tells the gateway which function is to answer."""
    metadata = []
    if namespace != DEFAULT_NAMESPACE:
        metadata.append(("weft-namespace", namespace))
    if function is not None:
        metadata.append(("weft-function", function))
    if revision is not None:
        metadata.append(("weft-revision", str(revision)))
    return tuple(metadata)

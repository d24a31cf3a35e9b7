"""The requests of weft's API, the same for both clients."""

from __future__ import annotations

import io
import os
import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any, BinaryIO, Union

from weft.v1 import function_pb2, node_pb2, secret_pb2

Component = Union[str, "os.PathLike[str]", bytes, BinaryIO]
Progress = Callable[[int], object]

LINEARIZABLE = function_pb2.CONSISTENCY_LINEARIZABLE
"""Fail a read, after 10 s without a leader, rather than answer with what may be stale."""

STALE = function_pb2.CONSISTENCY_STALE
"""Read what the node that answers knows, without asking the leader."""

DEFAULT = function_pb2.CONSISTENCY_UNSPECIFIED

CHUNK = 256 << 10  # how much of a component one message carries


class Requests:
    """Builds requests for one namespace. Changes get a request ID, so that a repeated one is applied once."""

    def __init__(self, namespace: str) -> None:
        self.namespace = namespace

    def get(self, name: str, consistency: Any) -> function_pb2.GetRequest:
        return function_pb2.GetRequest(namespace=self.namespace, name=name, consistency=consistency)

    def list(self, consistency: Any) -> function_pb2.ListRequest:
        return function_pb2.ListRequest(namespace=self.namespace, consistency=consistency)

    def update(self, name: str, fields: dict[str, Any]) -> function_pb2.UpdateRequest:
        return function_pb2.UpdateRequest(**self._filled(name, fields))

    def route(self, service: str, function: str) -> function_pb2.RouteRequest:
        return function_pb2.RouteRequest(
            namespace=self.namespace, service=service, name=function, request_id=_unique()
        )

    def delete(self, name: str) -> function_pb2.DeleteRequest:
        return function_pb2.DeleteRequest(namespace=self.namespace, name=name, request_id=_unique())

    def forget(self, package: str) -> function_pb2.ForgetRequest:
        return function_pb2.ForgetRequest(namespace=self.namespace, package=package, request_id=_unique())

    def set_secret(self, key: str, value: str | bytes, function: str) -> secret_pb2.SetSecretRequest:
        return secret_pb2.SetSecretRequest(
            namespace=self.namespace,
            function=function,
            key=key,
            value=value.encode() if isinstance(value, str) else value,
            request_id=_unique(),
        )

    def secrets(self, consistency: Any) -> secret_pb2.ListSecretsRequest:
        return secret_pb2.ListSecretsRequest(namespace=self.namespace, consistency=consistency)

    def delete_secret(self, key: str, function: str) -> secret_pb2.DeleteSecretRequest:
        return secret_pb2.DeleteSecretRequest(
            namespace=self.namespace, function=function, key=key, request_id=_unique()
        )

    def schema(self, name: str) -> function_pb2.SchemaRequest:
        return function_pb2.SchemaRequest(namespace=self.namespace, name=name)

    def logs(self, name: str, follow: bool, tail: int) -> function_pb2.LogsRequest:
        return function_pb2.LogsRequest(namespace=self.namespace, name=name, follow=follow, tail=tail)

    def drain(self, node: str, wait: float) -> node_pb2.DrainRequest:
        return node_pb2.DrainRequest(node=node, wait=timedelta(seconds=wait), request_id=_unique())

    def undrain(self, node: str) -> node_pb2.DrainRequest:
        return node_pb2.DrainRequest(node=node, undo=True, request_id=_unique())

    def spec(self, name: str, fields: dict[str, Any], size: int) -> function_pb2.DeploySpec:
        return function_pb2.DeploySpec(**self._filled(name, {"size": size, **fields}))

    def _filled(self, name: str, fields: dict[str, Any]) -> dict[str, Any]:
        return {"namespace": self.namespace, "request_id": _unique(), **fields, "name": name}


def _unique() -> str:
    return secrets.token_hex(16)


class Upload:
    """A component on its way: the spec first, then the bytes. A failure to read it is kept, and the call is to be
    cancelled then: an upload that just stopped would look whole."""

    failure: Exception | None = None

    def __init__(
        self,
        requests: Requests,
        component: Component,
        name: str,
        fields: dict[str, Any],
        message: Any,
        progress: Progress | None,
    ) -> None:
        self._ours = isinstance(component, (str, os.PathLike, bytes))
        if isinstance(component, bytes):
            self._file: BinaryIO = io.BytesIO(component)
        elif isinstance(component, (str, os.PathLike)):
            self._file = open(component, "rb")
        else:
            self._file = component
        self._message, self._progress, self._sent = message, progress, 0
        self._requests, self._name, self._fields = requests, name, fields

    def spec(self) -> Any:
        """The first message. Raises what protobuf does for a field that the spec does not have."""
        return self._message(spec=self._requests.spec(self._name, self._fields, _size(self._file)))

    def next(self) -> Any:
        """The next message of bytes, None at the end."""
        if self._sent and self._progress is not None:
            self._progress(self._sent)
        chunk = self._file.read(CHUNK)
        if not chunk:
            return None
        self._sent += len(chunk)
        return self._message(chunk=chunk)

    def close(self) -> None:
        """Closes the file, if the caller did not bring it open."""
        if self._ours:
            self._file.close()


def _size(file: BinaryIO) -> int:
    """The size of what is left of a file, zero where it is not known."""
    try:
        if not file.seekable():
            return 0
        here = file.tell()
        end = file.seek(0, io.SEEK_END)
        file.seek(here)
    except (AttributeError, OSError):
        return 0
    return end - here

"""The client for threads."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from types import TracebackType
from typing import Any

import grpc

from weft import _error
from weft._connection import (
    DEFAULT_NAMESPACE,
    DEFAULT_TIMEOUT,
    TLS,
    Connection,
    Retry,
    function_metadata,
)
from weft._requests import DEFAULT, Component, Progress, Requests, Upload
from weft.v1 import (
    function_pb2,
    function_pb2_grpc,
    node_pb2,
    node_pb2_grpc,
    secret_pb2,
    secret_pb2_grpc,
)


def connect(
    address: str,
    *,
    namespace: str = DEFAULT_NAMESPACE,
    tls: bool | TLS = False,
    token: str | None = None,
    timeout: float | None = DEFAULT_TIMEOUT,
    retry: Retry | None = Retry(),
    options: Sequence[tuple[str, Any]] = (),
) -> Client:
    """Makes a client of the server at an address, a host and port or any target that gRPC accepts.

    It does not wait for the server: the first request does. Close the client after use, or use it in a `with`.
    `timeout` bounds requests to weft's own API that have none of their own; None means no bound. `retry` says how
    requests that are safe to repeat are repeated while the server can't be reached; None means never. Deploys and
    calls of functions are never repeated. `token` goes with every request as its authorization. `options` are
    gRPC's channel arguments, added after the client's own.
    """
    return Client(Connection.of(address, tls, token, retry, options), namespace or DEFAULT_NAMESPACE, timeout)


class Client:
    """Talks to one address of a weft cluster, in one namespace. Safe for use by several threads."""

    def __init__(self, connection: Connection, namespace: str, timeout: float | None) -> None:
        if connection.credentials is None:
            self._connection = grpc.insecure_channel(connection.target, connection.options)
        else:
            self._connection = grpc.secure_channel(
                connection.target, connection.credentials, connection.options
            )
        self._channel = grpc.intercept_channel(self._connection, _Interceptor(connection.metadata))
        self._functions = function_pb2_grpc.FunctionServiceStub(self._channel)
        self._nodes = node_pb2_grpc.NodeServiceStub(self._channel)
        self._secrets = secret_pb2_grpc.SecretServiceStub(self._channel)
        self._requests = Requests(namespace)
        self._timeout = timeout

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connection; what is under way fails."""
        self._connection.close()

    @property
    def namespace(self) -> str:
        """The namespace of all requests and calls."""
        return self._requests.namespace

    def channel(self, *, function: str | None = None, revision: int | None = None) -> Any:
        """A grpc.Channel for generated stubs, in the client's namespace and over its connection. Calls on it that fail
        raise an `Error`. `function` has another function than the owner of the service answer, `revision` another
        revision than the current one. It needs no closing."""
        metadata = function_metadata(self.namespace, function, revision)
        return grpc.intercept_channel(self._channel, _Interceptor(metadata))

    def deploy(
        self,
        component: Component,
        name: str,
        *,
        progress: Progress | None = None,
        timeout: float | None = None,
        **fields: Any,
    ) -> function_pb2.DeployResponse:
        """Makes a revision of a function from a component: a path, bytes or a file open for reading.

        `fields` are those of weft.v1.DeploySpec: `limits=Limits(…)`, `environment={…}`, `wait=timedelta(…)`,
        `dry_run=True`. `progress` is called with the number of bytes sent so far, by a thread of gRPC's. Returns once the
        revision is committed and, up to `wait`, ready.
        """
        return self._upload(
            self._functions.Deploy, function_pb2.DeployRequest, component, name, fields, progress, timeout
        )

    def diff(
        self, component: Component, name: str, *, timeout: float | None = None, **fields: Any
    ) -> function_pb2.DiffResponse:
        """Compares a component with the stored contracts. It takes what deploy takes and changes nothing."""
        return self._upload(
            self._functions.Diff, function_pb2.DiffRequest, component, name, fields, None, timeout
        )

    def _upload(
        self,
        method: Any,
        message: Any,
        component: Component,
        name: str,
        fields: dict[str, Any],
        progress: Progress | None,
        timeout: float | None,
    ) -> Any:
        upload = Upload(self._requests, component, name, fields, message, progress)
        try:
            started: Future[Any] = Future()
            call = method.future(_messages(upload, upload.spec(), started), timeout=timeout)
            started.set_result(call)
            return call.result()
        except grpc.FutureCancelledError:
            raise upload.failure or _error.Error(grpc.StatusCode.CANCELLED, "the client was closed") from None
        finally:
            upload.close()

    def update(
        self, name: str, *, timeout: float | None = None, **fields: Any
    ) -> function_pb2.UpdateResponse:
        """Makes a revision with other limits, environment or scheduling. `fields` are those of
        weft.v1.UpdateRequest."""
        return self._functions.Update(self._requests.update(name, fields), timeout=self._bound(timeout))

    def get(
        self, name: str, *, consistency: Any = DEFAULT, timeout: float | None = None
    ) -> function_pb2.GetResponse:
        """Describes a function. By default the answer shows every change acknowledged before; where no leader is found
        within 2 s, it is what the node knows. Its freshness tells which."""
        return self._functions.Get(self._requests.get(name, consistency), timeout=self._bound(timeout))

    def list(self, *, consistency: Any = DEFAULT, timeout: float | None = None) -> function_pb2.ListResponse:
        """Tells of all functions of the namespace, ordered by name, as fresh as get."""
        return self._functions.List(self._requests.list(consistency), timeout=self._bound(timeout))

    def route(self, service: str, function: str, *, timeout: float | None = None) -> str:
        """Makes a function the owner of a service and returns the owner before, "" if there was none."""
        request = self._requests.route(service, function)
        return str(self._functions.Route(request, timeout=self._bound(timeout)).previous)

    def delete(self, name: str, *, timeout: float | None = None) -> int:
        """Removes a function with all its revisions and returns how many there were. Its contracts stay."""
        return int(
            self._functions.Delete(self._requests.delete(name), timeout=self._bound(timeout)).revisions
        )

    def forget(self, package: str, *, timeout: float | None = None) -> None:
        """Drops the contract of a proto package that no function uses."""
        self._functions.Forget(self._requests.forget(package), timeout=self._bound(timeout))

    def set_secret(
        self, key: str, value: str | bytes, *, function: str = "", timeout: float | None = None
    ) -> int:
        """Sets a secret, which functions read through wasi:config, and returns its version. With `function` only that one may
        read it, and sees it rather than the namespace's. Nothing gives the value back."""
        request = self._requests.set_secret(key, value, function)
        return int(self._secrets.SetSecret(request, timeout=self._bound(timeout)).version)

    def secrets(
        self, *, consistency: Any = DEFAULT, timeout: float | None = None
    ) -> secret_pb2.ListSecretsResponse:
        """Tells of the secrets of the namespace and its functions, and not what they are, as fresh as get."""
        request = self._requests.secrets(consistency)
        return self._secrets.ListSecrets(request, timeout=self._bound(timeout))

    def delete_secret(self, key: str, *, function: str = "", timeout: float | None = None) -> None:
        """Deletes a secret of the namespace, or of a function."""
        request = self._requests.delete_secret(key, function)
        self._secrets.DeleteSecret(request, timeout=self._bound(timeout))

    def schema(self, name: str = "", *, timeout: float | None = None) -> function_pb2.SchemaResponse:
        """The contracts that a function uses with all the files they import; without a name, of the namespace."""
        return self._functions.Schema(self._requests.schema(name), timeout=self._bound(timeout))

    def logs(self, name: str, *, follow: bool = False, tail: int = 0, timeout: float | None = None) -> Logs:
        """Reads the log of a function, oldest line first: the last `tail` lines, or all that are kept. With `follow` it
        goes on with new lines until it is closed."""
        return Logs(self._functions.Logs(self._requests.logs(name, follow, tail), timeout=timeout))

    def status(self, *, timeout: float | None = None) -> node_pb2.StatusResponse:
        """Tells of the node that answers."""
        return self._nodes.Status(node_pb2.StatusRequest(), timeout=self._bound(timeout))

    def nodes(
        self, *, consistency: Any = DEFAULT, timeout: float | None = None
    ) -> node_pb2.ListNodesResponse:
        """Tells of every node of the cluster, ordered by name, as fresh as get."""
        request = node_pb2.ListNodesRequest(consistency=consistency)
        return self._nodes.ListNodes(request, timeout=self._bound(timeout))

    def drain(self, node: str, *, wait: float = 0, timeout: float | None = None) -> node_pb2.DrainResponse:
        """Moves everything off a node, named by name or ID, and keeps it empty. It waits for that up to `wait` seconds;
        the answer tells how much is left."""
        return self._nodes.Drain(self._requests.drain(node, wait), timeout=self._bound(timeout, wait))

    def undrain(self, node: str, *, timeout: float | None = None) -> node_pb2.DrainResponse:
        """Lets placements come back to a node."""
        return self._nodes.Drain(self._requests.undrain(node), timeout=self._bound(timeout))

    def _bound(self, timeout: float | None, wait: float = 0) -> float | None:
        if timeout is not None or self._timeout is None:
            return timeout
        return wait + self._timeout


def _messages(upload: Upload, first: Any, call: Future[Any]) -> Iterator[Any]:
    """The messages of an upload, for the thread that gRPC reads them in."""
    yield first
    try:
        while (message := upload.next()) is not None:
            yield message
    except Exception as failure:
        upload.failure = failure
        call.result().cancel()


class Logs(Iterator[function_pb2.LogsResponse]):
    """The lines of a log. They are read from the server as the loop asks for them. Close it, or use it in a `with`, to
    end before the last line."""

    def __init__(self, call: Any) -> None:
        self._call = call
        self._closed = False

    def __enter__(self) -> Logs:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Logs:
        return self

    def __next__(self) -> function_pb2.LogsResponse:
        try:
            line: function_pb2.LogsResponse = next(self._call)
            return line
        except grpc.RpcError as failure:
            if self._closed:
                raise StopIteration from None
            raise _error.of(failure) from failure

    def close(self) -> None:
        """Ends the stream. Any thread may call it; one that waits for a line is at the end of its loop then."""
        self._closed = True
        self._call.cancel()


class _Interceptor(
    grpc.UnaryUnaryClientInterceptor,  # type: ignore[misc]
    grpc.UnaryStreamClientInterceptor,  # type: ignore[misc]
    grpc.StreamUnaryClientInterceptor,  # type: ignore[misc]
    grpc.StreamStreamClientInterceptor,  # type: ignore[misc]
):
    """Adds metadata to every call, and makes an Error of the failure of one with a single response."""

    def __init__(self, metadata: tuple[tuple[str, str], ...]) -> None:
        self._metadata = metadata

    def _with(self, details: Any) -> Any:
        return _Details(
            details.method,
            details.timeout,
            (*(details.metadata or ()), *self._metadata),
            details.credentials,
            details.wait_for_ready,
            details.compression,
        )

    def intercept_unary_unary(self, continuation: Any, details: Any, request: Any) -> Any:
        return _Call(continuation(self._with(details), request))

    def intercept_stream_unary(self, continuation: Any, details: Any, requests: Any) -> Any:
        return _Call(continuation(self._with(details), requests))

    def intercept_unary_stream(self, continuation: Any, details: Any, request: Any) -> Any:
        return continuation(self._with(details), request)

    def intercept_stream_stream(self, continuation: Any, details: Any, requests: Any) -> Any:
        return continuation(self._with(details), requests)


class _Details(
    namedtuple(
        "_Details", ("method", "timeout", "metadata", "credentials", "wait_for_ready", "compression")
    ),
    grpc.ClientCallDetails,  # type: ignore[misc]
):
    """What the next interceptor or gRPC itself is told of a call."""


class _Call:
    """A call, or the future of one, whose failure is an Error. The rest is as gRPC made it."""

    def __init__(self, call: Any) -> None:
        self._call = call

    def __getattr__(self, name: str) -> Any:
        return getattr(self._call, name)

    def result(self, timeout: float | None = None) -> Any:
        try:
            return self._call.result(timeout)
        except grpc.RpcError as failure:
            raise _error.of(failure) from failure

    def exception(self, timeout: float | None = None) -> BaseException | None:
        failure: BaseException | None = self._call.exception(timeout)
        return _error.of(failure) if isinstance(failure, grpc.RpcError) else failure

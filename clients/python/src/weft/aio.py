"""The client of weft for asyncio.

    async with weft.aio.connect("127.0.0.1:7070") as client:
        await client.deploy("orders.wasm", "orders")
        async with client.logs("orders", follow=True) as lines:
            async for line in lines:
                print(line.message)
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from types import TracebackType
from typing import Any

import grpc
import grpc.aio

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
    """Makes a client as `weft.connect` does, for the event loop that runs. Close it after use, or use it in an
    `async with`."""
    return Client(Connection.of(address, tls, token, retry, options), namespace or DEFAULT_NAMESPACE, timeout)


class Client:
    """Talks to one address of a weft cluster, in one namespace, from one event loop. Cancelling a task cancels its
    request."""

    def __init__(self, connection: Connection, namespace: str, timeout: float | None) -> None:
        self._connection = connection
        self._channels: dict[tuple[tuple[str, str], ...], Any] = {}
        self._functions = function_pb2_grpc.FunctionServiceStub(self._open(()))
        self._nodes = node_pb2_grpc.NodeServiceStub(self._open(()))
        self._secrets = secret_pb2_grpc.SecretServiceStub(self._open(()))
        self._requests = Requests(namespace)
        self._timeout = timeout

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the connection; what is under way fails."""
        await asyncio.gather(*(channel.close() for channel in self._channels.values()))

    def _open(self, metadata: tuple[tuple[str, str], ...]) -> Any:
        """The channel that adds metadata to all calls. The connection below is the same for all of them."""
        if metadata not in self._channels:
            c = self._connection
            interceptors = [kind(c.metadata + metadata) for kind in _INTERCEPTORS]
            if c.credentials is None:
                channel = grpc.aio.insecure_channel(c.target, c.options, interceptors=interceptors)
            else:
                channel = grpc.aio.secure_channel(
                    c.target, c.credentials, c.options, interceptors=interceptors
                )
            self._channels[metadata] = channel
        return self._channels[metadata]

    @property
    def namespace(self) -> str:
        """The namespace of all requests and calls."""
        return self._requests.namespace

    def channel(self, *, function: str | None = None, revision: int | None = None) -> Any:
        """A grpc.aio.Channel for generated stubs, in the client's namespace and closed with the client. Calls on it that
        fail raise an `Error`. `function` has another function than the owner of the service answer, `revision` another
        revision than the current one."""
        return self._open(function_metadata(self.namespace, function, revision))

    async def deploy(
        self,
        component: Component,
        name: str,
        *,
        progress: Progress | None = None,
        timeout: float | None = None,
        **fields: Any,
    ) -> function_pb2.DeployResponse:
        """Makes a revision of a function from a component: a path, bytes or a file open for reading.

        `fields` are those of weft.v1.DeploySpec, as in `weft.Client.deploy`. The file is read, and `progress` called, in
        a thread of the event loop's. Returns once the revision is committed and, up to `wait`, ready.
        """
        return await self._upload(
            self._functions.Deploy, function_pb2.DeployRequest, component, name, fields, progress, timeout
        )

    async def diff(
        self, component: Component, name: str, *, timeout: float | None = None, **fields: Any
    ) -> function_pb2.DiffResponse:
        """Compares a component with the stored contracts. It takes what deploy takes and changes nothing."""
        return await self._upload(
            self._functions.Diff, function_pb2.DiffRequest, component, name, fields, None, timeout
        )

    async def _upload(
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
            return await method(_messages(upload, upload.spec()), timeout=timeout)
        except (_error.Error, asyncio.CancelledError):
            if upload.failure is not None:
                raise upload.failure from None
            raise
        finally:
            upload.close()

    async def update(
        self, name: str, *, timeout: float | None = None, **fields: Any
    ) -> function_pb2.UpdateResponse:
        """Makes a revision with other limits, environment or scheduling. `fields` are those of
        weft.v1.UpdateRequest."""
        return await self._functions.Update(
            self._requests.update(name, fields), timeout=self._bound(timeout)
        )

    async def get(
        self, name: str, *, consistency: Any = DEFAULT, timeout: float | None = None
    ) -> function_pb2.GetResponse:
        """Describes a function, as `weft.Client.get` does."""
        return await self._functions.Get(
            self._requests.get(name, consistency), timeout=self._bound(timeout)
        )

    async def list(
        self, *, consistency: Any = DEFAULT, timeout: float | None = None
    ) -> function_pb2.ListResponse:
        """Tells of all functions of the namespace, ordered by name, as fresh as get."""
        return await self._functions.List(self._requests.list(consistency), timeout=self._bound(timeout))

    async def route(self, service: str, function: str, *, timeout: float | None = None) -> str:
        """Makes a function the owner of a service and returns the owner before, "" if there was none."""
        request = self._requests.route(service, function)
        return str((await self._functions.Route(request, timeout=self._bound(timeout))).previous)

    async def delete(self, name: str, *, timeout: float | None = None) -> int:
        """Removes a function with all its revisions and returns how many there were. Its contracts stay."""
        request = self._requests.delete(name)
        return int((await self._functions.Delete(request, timeout=self._bound(timeout))).revisions)

    async def forget(self, package: str, *, timeout: float | None = None) -> None:
        """Drops the contract of a proto package that no function uses."""
        await self._functions.Forget(self._requests.forget(package), timeout=self._bound(timeout))

    async def set_secret(
        self, key: str, value: str | bytes, *, function: str = "", timeout: float | None = None
    ) -> int:
        """Sets a secret, which functions read through wasi:config, and returns its version. With `function` only that one may
        read it, and sees it rather than the namespace's. Nothing gives the value back."""
        request = self._requests.set_secret(key, value, function)
        return int((await self._secrets.SetSecret(request, timeout=self._bound(timeout))).version)

    async def secrets(
        self, *, consistency: Any = DEFAULT, timeout: float | None = None
    ) -> secret_pb2.ListSecretsResponse:
        """Tells of the secrets of the namespace and its functions, and not what they are, as fresh as get."""
        request = self._requests.secrets(consistency)
        return await self._secrets.ListSecrets(request, timeout=self._bound(timeout))

    async def delete_secret(self, key: str, *, function: str = "", timeout: float | None = None) -> None:
        """Deletes a secret of the namespace, or of a function."""
        request = self._requests.delete_secret(key, function)
        await self._secrets.DeleteSecret(request, timeout=self._bound(timeout))

    async def schema(self, name: str = "", *, timeout: float | None = None) -> function_pb2.SchemaResponse:
        """The contracts that a function uses with all the files they import; without a name, of the namespace."""
        return await self._functions.Schema(self._requests.schema(name), timeout=self._bound(timeout))

    def logs(self, name: str, *, follow: bool = False, tail: int = 0, timeout: float | None = None) -> Logs:
        """Reads the log of a function, oldest line first: the last `tail` lines, or all that are kept. With `follow` it
        goes on with new lines until it is closed."""
        return Logs(self._functions.Logs(self._requests.logs(name, follow, tail), timeout=timeout))

    async def status(self, *, timeout: float | None = None) -> node_pb2.StatusResponse:
        """Tells of the node that answers."""
        return await self._nodes.Status(node_pb2.StatusRequest(), timeout=self._bound(timeout))

    async def nodes(
        self, *, consistency: Any = DEFAULT, timeout: float | None = None
    ) -> node_pb2.ListNodesResponse:
        """Tells of every node of the cluster, ordered by name, as fresh as get."""
        request = node_pb2.ListNodesRequest(consistency=consistency)
        return await self._nodes.ListNodes(request, timeout=self._bound(timeout))

    async def drain(
        self, node: str, *, wait: float = 0, timeout: float | None = None
    ) -> node_pb2.DrainResponse:
        """Moves everything off a node, named by name or ID, and keeps it empty. It waits for that up to `wait` seconds;
        the answer tells how much is left."""
        return await self._nodes.Drain(
            self._requests.drain(node, wait), timeout=self._bound(timeout, wait)
        )

    async def undrain(self, node: str, *, timeout: float | None = None) -> node_pb2.DrainResponse:
        """Lets placements come back to a node."""
        return await self._nodes.Drain(self._requests.undrain(node), timeout=self._bound(timeout))

    def _bound(self, timeout: float | None, wait: float = 0) -> float | None:
        if timeout is not None or self._timeout is None:
            return timeout
        return wait + self._timeout


async def _messages(upload: Upload, first: Any) -> AsyncIterator[Any]:
    """The messages of an upload. gRPC cancels the call if it raises."""
    yield first
    try:
        while (message := await asyncio.to_thread(upload.next)) is not None:
            yield message
    except Exception as failure:
        upload.failure = failure
        raise


class Logs(AsyncIterator[function_pb2.LogsResponse]):
    """The lines of a log. They are read from the server as the loop asks for them. Close it, or use it in an
    `async with`, to end before the last line."""

    def __init__(self, call: Any) -> None:
        self._call = call
        self._lines = call.__aiter__()
        self._closed = False

    async def __aenter__(self) -> Logs:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __aiter__(self) -> Logs:
        return self

    async def __anext__(self) -> function_pb2.LogsResponse:
        try:
            line: function_pb2.LogsResponse = await self._lines.__anext__()
            return line
        except grpc.aio.AioRpcError as failure:
            raise _error.of(failure) from failure
        except asyncio.CancelledError:
            if self._closed:
                raise StopAsyncIteration from None
            raise

    def close(self) -> None:
        """Ends the stream. A task that waits for a line is at the end of its loop then."""
        self._closed = True
        self._call.cancel()


class _Interceptor:
    """Adds metadata to every call. Each kind of call has a class of its own: gRPC sorts interceptors by class."""

    def __init__(self, metadata: tuple[tuple[str, str], ...]) -> None:
        self._metadata = metadata

    def _with(self, details: Any) -> Any:
        return details._replace(metadata=grpc.aio.Metadata(*(details.metadata or ()), *self._metadata))

    async def _one(self, continuation: Any, details: Any, request: Any) -> Any:
        """Of a call with a single response, the failure becomes an Error."""
        call = await continuation(self._with(details), request)
        try:
            await call
        except grpc.aio.AioRpcError as failure:
            raise _error.of(failure) from failure
        return call

    async def _many(self, continuation: Any, details: Any, request: Any) -> Any:
        return await continuation(self._with(details), request)


class _UnaryUnary(_Interceptor, grpc.aio.UnaryUnaryClientInterceptor):  # type: ignore[misc]
    intercept_unary_unary = _Interceptor._one


class _StreamUnary(_Interceptor, grpc.aio.StreamUnaryClientInterceptor):  # type: ignore[misc]
    intercept_stream_unary = _Interceptor._one


class _UnaryStream(_Interceptor, grpc.aio.UnaryStreamClientInterceptor):  # type: ignore[misc]
    intercept_unary_stream = _Interceptor._many


class _StreamStream(_Interceptor, grpc.aio.StreamStreamClientInterceptor):  # type: ignore[misc]
    intercept_stream_stream = _Interceptor._many


_INTERCEPTORS = (_UnaryUnary, _StreamUnary, _UnaryStream, _StreamStream)

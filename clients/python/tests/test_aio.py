"""The client for asyncio, against a node."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import grpc
import pytest
import weft
import weft.aio
from demo.orders.v1 import orders_pb2, orders_pb2_grpc

from conftest import NAMESPACE
from test_client import order


def with_client(address: str, test: Callable[[weft.aio.Client], Awaitable[None]], **options: object) -> None:
    async def run() -> None:
        async with weft.aio.connect(address, **options) as client:  # type: ignore[arg-type]
            await asyncio.wait_for(test(client), 120)

    asyncio.run(run())


@pytest.fixture
def on_node(client: weft.Client, where: dict[str, str]) -> Callable[..., None]:
    return lambda test: with_client(where["address"], test, namespace=NAMESPACE)


@pytest.fixture
def on_fake(where: dict[str, str]) -> Callable[..., None]:
    return lambda test, **options: with_client(where["fake"], test, **options)


def test_deploy(on_node: Callable[..., None], where: dict[str, str], tmp_path: Path) -> None:
    async def test(client: weft.aio.Client) -> None:
        sent: list[int] = []
        response = await client.deploy(where["component"], "async", progress=sent.append)
        assert response.function.name == "async" and sent[-1] == Path(where["component"]).stat().st_size
        assert not (await client.diff(where["component"], "async")).breaking
        assert await client.delete("async") == 1
        with pytest.raises(weft.Error) as refused:
            await client.deploy(b"not WebAssembly", "bad")
        assert refused.value.reason == "NOT_WASM"
        with pytest.raises(FileNotFoundError):
            await client.deploy(tmp_path / "missing.wasm", "bad")
        with pytest.raises(ZeroDivisionError):
            await client.deploy(where["component"], "bad", progress=lambda _: 1 / 0)

    on_node(test)


def test_reads(on_node: Callable[..., None]) -> None:
    async def test(client: weft.aio.Client) -> None:
        functions, function, schema, status, nodes = await asyncio.gather(
            client.list(), client.get("orders"), client.schema(), client.status(), client.nodes()
        )
        assert "orders" in [f.name for f in functions.functions] and function.function.name == "orders"
        assert schema.contracts and status.node in [n.name for n in nodes.nodes]
        with pytest.raises(weft.Error) as missing:
            await client.get("nobody")
        assert missing.value.reason == "NOT_FOUND"

    on_node(test)


def test_secrets(on_node: Callable[..., None]) -> None:
    async def test(client: weft.aio.Client) -> None:
        assert await client.set_secret("aio/password", "value") == 1
        assert "aio/password" in [s.key for s in (await client.secrets()).secrets]
        await client.delete_secret("aio/password")
        with pytest.raises(weft.Error):
            await client.delete_secret("aio/password", function="orders")

    on_node(test)


def test_calls(on_node: Callable[..., None]) -> None:
    async def test(client: weft.aio.Client) -> None:
        orders = orders_pb2_grpc.OrdersStub(client.channel(function="orders", revision=1))
        found = await orders.Find(orders_pb2.FindRequest(sku="book-loom"), timeout=30)
        assert found.value.price == 2450
        with pytest.raises(weft.Error) as refused:
            await orders.Find(orders_pb2.FindRequest(sku="unobtainium"), timeout=30)
        detail = refused.value.detail(orders_pb2.Refusal)
        assert detail is not None and detail.not_found == "unobtainium"
        with pytest.raises(weft.Error):
            nobody = orders_pb2_grpc.OrdersStub(client.channel(function="nobody"))
            await nobody.Find(orders_pb2.FindRequest(sku="book-loom"), timeout=30)

    on_node(test)


def test_logs(on_node: Callable[..., None]) -> None:
    async def test(client: weft.aio.Client) -> None:
        orders = orders_pb2_grpc.OrdersStub(client.channel())
        async with client.logs("orders", follow=True) as lines:
            await orders.Place(order("hopper"), timeout=30)
            async for line in lines:
                if "hopper" in line.message:
                    break
            waiting = asyncio.create_task(lines.__anext__())
            await asyncio.sleep(0)
            lines.close()
            with pytest.raises(StopAsyncIteration):
                await waiting
        assert [line async for line in client.logs("orders")]

    on_node(test)


def test_deadline_and_cancellation(where: dict[str, str]) -> None:
    async def test(client: weft.aio.Client) -> None:
        with pytest.raises(TimeoutError):
            await client.get("slow", timeout=0.05)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(client.get("slow"), 0.05)

    with_client(where["silent"], test)


def test_retry_and_token(on_fake: Callable[..., None]) -> None:
    async def test(client: weft.aio.Client) -> None:
        assert (await client.get("flaky-python-aio")).function.revision == 3
        assert (await client.get("token")).function.name == "Bearer secret"

    async def without(client: weft.aio.Client) -> None:
        with pytest.raises(weft.Error) as unavailable:
            await client.get("flaky-python-aio-once")
        assert unavailable.value.code is grpc.StatusCode.UNAVAILABLE

    on_fake(test, token="secret")
    on_fake(without, retry=None)

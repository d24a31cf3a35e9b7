"""The client for threads, against a node."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import grpc
import pytest
import weft
from demo.orders.v1 import orders_pb2, orders_pb2_grpc
from weft.v1 import function_pb2

from conftest import NAMESPACE


def order(customer: str) -> orders_pb2.PlaceRequest:
    item = orders_pb2.Item(sku="book-loom", quantity=1)
    delivery = orders_pb2.Delivery(pickup={})
    return orders_pb2.PlaceRequest(
        order=orders_pb2.Order(customer=customer, items=[item], delivery=delivery)
    )


def test_deploy_with_progress(client: weft.Client, where: dict[str, str]) -> None:
    sent: list[int] = []
    size = Path(where["component"]).stat().st_size
    response = client.deploy(
        where["component"],
        "deployed",
        progress=sent.append,
        environment={"A": "b"},
        limits=function_pb2.Limits(concurrency=2),
    )
    assert response.function.name == "deployed" and response.function.namespace == NAMESPACE
    assert sent and sent == sorted(sent) and sent[-1] == size

    with open(where["component"], "rb") as file:
        client.deploy(file, "deployed")
    client.deploy(Path(where["component"]).read_bytes(), "deployed")
    assert client.get("deployed", consistency=weft.LINEARIZABLE).function.revision >= 3
    updated = client.update("deployed", limits=function_pb2.Limits(concurrency=3))
    current = next(r for r in updated.function.revisions if r.number == updated.function.revision)
    assert current.limits.concurrency == 3
    assert client.route("demo.orders.v1.Orders", "deployed") == "orders"
    assert client.route("demo.orders.v1.Orders", "orders") == "deployed"
    assert client.delete("deployed") >= 1


def test_bad_deploys(client: weft.Client, where: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(weft.Error) as refused:
        client.deploy(b"not WebAssembly", "bad")
    assert refused.value.code is grpc.StatusCode.INVALID_ARGUMENT and refused.value.reason == "NOT_WASM"
    with pytest.raises(FileNotFoundError):
        client.deploy(tmp_path / "missing.wasm", "bad")
    with pytest.raises(ValueError):
        client.deploy(b"", "bad", colour="blue")

    class Broken:
        def read(self, _: int) -> bytes:
            raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        client.deploy(Broken(), "bad")
    with pytest.raises(ZeroDivisionError):
        client.deploy(where["component"], "bad", progress=lambda _: 1 / 0)


def test_reads(client: weft.Client) -> None:
    assert "orders" in [f.name for f in client.list().functions]
    answer = client.get("orders")
    assert [s.name for s in answer.function.services] == ["demo.orders.v1.Orders"]
    assert client.get("orders", consistency=weft.STALE).function.name == "orders"
    assert "demo.orders.v1" in [c.package for c in client.schema("orders").contracts]
    status = client.status()
    assert status.node in [n.name for n in client.nodes().nodes]
    with pytest.raises(weft.Error) as missing:
        client.get("nobody")
    assert missing.value.code is grpc.StatusCode.NOT_FOUND and missing.value.reason == "NOT_FOUND"
    assert "nobody" in str(missing.value)


def test_secrets(client: weft.Client) -> None:
    assert client.set_secret("python/password", "pässword") == 1
    assert client.set_secret("python/password", b"other") == 2
    assert client.set_secret("python/password", "own", function="orders") == 1
    found = [(s.function, s.version, s.size_bytes) for s in client.secrets().secrets if s.key == "python/password"]
    assert found == [("", 2, 5), ("orders", 1, 3)]
    client.delete_secret("python/password")
    client.delete_secret("python/password", function="orders")
    with pytest.raises(weft.Error) as missing:
        client.delete_secret("python/password")
    assert missing.value.reason == "NOT_FOUND"
    with pytest.raises(weft.Error) as large:
        client.set_secret("python/large", "x" * (1 << 20))
    assert large.value.code is grpc.StatusCode.INVALID_ARGUMENT and "64 KiB" in large.value.message


def test_drain(client: weft.Client) -> None:
    name = client.status().node
    try:
        client.drain(name)
        assert client.nodes().nodes[0].state in ("draining", "drained")
    finally:
        client.undrain(name)
    assert client.nodes().nodes[0].state == "alive"


def test_calls(client: weft.Client) -> None:
    orders = orders_pb2_grpc.OrdersStub(client.channel())
    found = orders.Find(orders_pb2.FindRequest(sku="book-loom"), timeout=30)
    assert found.value.price == 2450
    found = orders.Find.future(orders_pb2.FindRequest(sku="book-loom"), timeout=30).result()
    assert found.value.price == 2450


def test_typed_error(client: weft.Client) -> None:
    orders = orders_pb2_grpc.OrdersStub(client.channel())
    for call in (
        lambda: orders.Find(orders_pb2.FindRequest(sku="unobtainium"), timeout=30),
        lambda: orders.Find.future(orders_pb2.FindRequest(sku="unobtainium"), timeout=30).result(),
    ):
        with pytest.raises(weft.Error) as refused:
            call()
        detail = refused.value.detail(orders_pb2.Refusal)
        assert detail is not None and detail.not_found == "unobtainium"
        assert refused.value.code is grpc.StatusCode.NOT_FOUND and refused.value.reason == ""
        assert refused.value.detail(orders_pb2.Order) is None


def test_function_and_revision(client: weft.Client) -> None:
    request = orders_pb2.FindRequest(sku="book-loom")
    first = orders_pb2_grpc.OrdersStub(client.channel(function="orders", revision=1))
    _, call = first.Find.with_call(request, timeout=30)
    sent = {**dict(call.initial_metadata()), **dict(call.trailing_metadata())}
    assert sent["weft-function"] == "orders" and sent["weft-revision"] == "1"
    with pytest.raises(weft.Error) as missing:
        orders_pb2_grpc.OrdersStub(client.channel(function="nobody")).Find(request, timeout=30)
    assert missing.value.reason != ""
    with pytest.raises(weft.Error):
        orders_pb2_grpc.OrdersStub(client.channel(revision=999)).Find(request, timeout=30)


def test_logs(client: weft.Client) -> None:
    orders = orders_pb2_grpc.OrdersStub(client.channel())
    orders.Place(order("ada"), timeout=30)
    with client.logs("orders", follow=True) as lines:
        for line in lines:
            if "ada" in line.message:
                break
        orders.Place(order("grace"), timeout=30)
        for line in lines:
            if "grace" in line.message:
                break
    assert list(lines) == []
    assert any("grace" in line.message for line in client.logs("orders"))
    with pytest.raises(weft.Error, match="nobody"):
        list(client.logs("nobody"))


def test_logs_closed_by_another_thread(client: weft.Client) -> None:
    lines = client.logs("orders", follow=True)
    closer = threading.Timer(0.2, lines.close)
    closer.start()
    for _ in lines:
        pass
    closer.join()


def test_deadline(where: dict[str, str]) -> None:
    with weft.connect(where["silent"]) as client, pytest.raises(weft.DeadlineExceeded) as passed:
        client.get("slow", timeout=0.05)
    assert passed.value.code is grpc.StatusCode.DEADLINE_EXCEEDED
    with weft.connect(where["silent"], timeout=0.05) as client, pytest.raises(TimeoutError):
        client.get("slow")


def test_retry(fake: weft.Client, where: dict[str, str]) -> None:
    assert fake.get("flaky-python").function.revision == 3
    with weft.connect(where["fake"], retry=None) as client, pytest.raises(weft.Error) as unavailable:
        client.get("flaky-python-once")
    assert unavailable.value.code is grpc.StatusCode.UNAVAILABLE


def test_changes(fake: weft.Client) -> None:
    with pytest.raises(weft.Error) as breaks:
        fake.get("breaks")
    assert breaks.value.reason == "BREAKING_CHANGE"
    assert [c.path for c in breaks.value.changes] == ["demo.v1.Order.note"]


def test_token_and_tls(where: dict[str, str]) -> None:
    with weft.connect(where["fake"], token="secret") as client:
        assert client.get("token").function.name == "Bearer secret"
    with pytest.raises(ValueError, match="plain text"):
        weft.connect("weft.example:7070", token="secret")
    trust = weft.TLS(ca=Path(where["ca"]).read_bytes())
    with weft.connect(where["tls_address"], tls=trust, token="secret", namespace=NAMESPACE) as client:
        assert client.status().node
        orders = orders_pb2_grpc.OrdersStub(client.channel())
        assert orders.Find(orders_pb2.FindRequest(sku="book-loom"), timeout=30).value.price == 2450
    with weft.connect(where["tls_address"], tls=True, retry=None) as client, pytest.raises(weft.Error):
        client.status(timeout=10)


@pytest.mark.parametrize("address", ["localhost", "", "a:b", "7070"])
def test_bad_address(address: str) -> None:
    with pytest.raises(ValueError, match="host:port"):
        weft.connect(address)


def test_nobody_listens() -> None:
    with weft.connect("127.0.0.1:1", retry=None) as client, pytest.raises(weft.Error) as unavailable:
        client.status(timeout=30)
    assert unavailable.value.code is grpc.StatusCode.UNAVAILABLE


def test_server_restarts(client: weft.Client, restart: Callable[[], None]) -> None:
    assert client.status().node
    restarting = threading.Thread(target=restart)
    restarting.start()
    while restarting.is_alive():
        try:
            client.status(timeout=10)
        except weft.Error as failure:
            assert failure.code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
            time.sleep(0.05)
    restarting.join()
    deadline = time.monotonic() + 60
    while True:
        try:
            assert client.get("orders").function.name == "orders"
            return
        except weft.Error as failure:
            assert failure.code is grpc.StatusCode.UNAVAILABLE and time.monotonic() < deadline
            time.sleep(0.05)

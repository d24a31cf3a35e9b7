"""The Python client of weft: it deploys functions, tells about them and calls them.

    with weft.connect("127.0.0.1:7070") as client:
        client.deploy("orders.wasm", "orders")
        orders = orders_pb2_grpc.OrdersStub(client.channel())
        print(orders.Find(orders_pb2.FindRequest(sku="book-loom"), timeout=5))

`weft.aio` is the same for asyncio. Answers are the messages of weft's API, package `weft.v1`; whatever a server
refuses is an `Error`.
"""

from weft._client import Client, Logs, connect
from weft._connection import DEFAULT_NAMESPACE, DEFAULT_TIMEOUT, TLS, Retry
from weft._error import DeadlineExceeded, Detail, Error
from weft._requests import LINEARIZABLE, STALE

__all__ = [
    "DEFAULT_NAMESPACE",
    "DEFAULT_TIMEOUT",
    "LINEARIZABLE",
    "STALE",
    "TLS",
    "Client",
    "DeadlineExceeded",
    "Detail",
    "Error",
    "Logs",
    "Retry",
    "connect",
]

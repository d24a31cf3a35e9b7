"""What the tests run against. test/sdk starts it, and says in the environment where it is."""

import os
import urllib.request
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
import weft

WHERE = {
    "address": "WEFT_ADDR",  # a node
    "tls_address": "WEFT_TLS_ADDR",  # the same node behind TLS
    "ca": "WEFT_CA",  # the file of the certificate that signed that server's
    "fake": "WEFT_FAKE_ADDR",  # a server that fails as it is asked to
    "silent": "WEFT_SILENT_ADDR",  # a server that never answers
    "control": "WEFT_CONTROL",  # restarts the node
    "component": "WEFT_COMPONENT",  # orders.wasm
}

NAMESPACE = "python"


@pytest.fixture(scope="session")
def where() -> dict[str, str]:
    missing = [name for name in WHERE.values() if name not in os.environ]
    if missing:
        pytest.exit(f"no {', '.join(missing)}: 'go test ./test/sdk' starts a node and runs these tests", 1)
    return {key: os.environ[name] for key, name in WHERE.items()}


@pytest.fixture(scope="session")
def client(where: dict[str, str]) -> Iterator[weft.Client]:
    """A client of the node, with a function named orders."""
    with weft.connect(where["address"], namespace=NAMESPACE) as client:
        client.deploy(where["component"], "orders", wait=timedelta(minutes=1))
        yield client


@pytest.fixture
def fake(where: dict[str, str]) -> Iterator[weft.Client]:
    with weft.connect(where["fake"]) as client:
        yield client


@pytest.fixture
def restart(where: dict[str, str]) -> Callable[[], None]:
    """Kills the node and starts it again on the same port."""

    def post() -> None:
        urllib.request.urlopen(urllib.request.Request(where["control"], method="POST"), timeout=120).close()

    return post

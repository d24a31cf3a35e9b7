"""Deploys examples/orders, calls it and shows its log.

    make orders && bin/weft server    # in another terminal
    python clients/python/example.py build/components/orders.wasm

Calls with types of their own take stubs: `weft sdk orders --lang python -o orders` writes a project with them. This
example has none; it calls with bytes.
"""

import os
import sys

import weft


def main(component: str) -> None:
    with weft.connect(os.environ.get("WEFT_ADDR", "127.0.0.1:7070")) as client:
        deployed = client.deploy(component, "orders", progress=lambda sent: print(f"{sent} bytes sent"))
        print(f"orders has revision {deployed.function.revision}")
        for service in client.get("orders").function.services:
            for method in service.methods:
                print(f"  {service.name}/{method.name}: {method.signature}")

        products = client.channel().unary_unary("/demo.orders.v1.Orders/Products")
        print(f"the products take {len(products(b'', timeout=10))} bytes")
        find = client.channel().unary_unary("/demo.orders.v1.Orders/Find")
        try:
            find(b"\x0a\x0bunobtainium", timeout=10)
        except weft.Error as refused:
            print(f"{refused.code.name}: {refused.message} ({refused.details[0].type})")

        for line in client.logs("orders", tail=10):
            print(line.time.ToDatetime(), line.message)


if __name__ == "__main__":
    main(sys.argv[1])

"""Places an order at a shop whose functions are in five languages: python3 shop.py ADDRESS"""

import sys

import weft
from demo.checkout.v1 import checkout_pb2 as checkout
from demo.checkout.v1 import checkout_pb2_grpc


def order(quantity: int) -> checkout.PlaceRequest:
    items = [checkout.Item(sku="yarn-indigo", quantity=quantity), checkout.Item(sku="book-loom", quantity=1)]
    return checkout.PlaceRequest(basket=checkout.Basket(customer="Ada", items=items, coupons=["FIVER"]))


def main(address: str) -> None:
    with weft.connect(address) as client:
        stub = checkout_pb2_grpc.CheckoutStub(client.channel())
        receipt = stub.Place(order(5), timeout=30).value
        print(f"receipt {receipt.number}: {receipt.total} cents, {receipt.saved} saved")
        try:
            stub.Place(order(500), timeout=30)
        except weft.Error as error:
            refusal = error.detail(checkout.Refusal)
            for short in refusal.out_of_stock.items if refusal else []:
                print(f"refused: {short.wanted} x {short.sku}, there are {short.available}")


if __name__ == "__main__":
    main(sys.argv[1])

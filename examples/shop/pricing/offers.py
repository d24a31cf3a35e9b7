"""The rules of this shop. A new offer is a function more."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from rules import Finding, Rules

offers = Rules()

COUPONS = {"FIVER": 500, "LOOM10": 1000}


@dataclass(frozen=True)
class Line:
    sku: str
    category: str
    quantity: int
    price: int  # cents for one piece

    @property
    def total(self) -> int:
        return self.quantity * self.price


@dataclass(frozen=True)
class Basket:
    lines: list[Line]
    tier: str
    coupons: list[str] = field(default_factory=list)

    @property
    def goods(self) -> int:
        return sum(line.total for line in self.lines)

    def of(self, category: str) -> list[Line]:
        return [line for line in self.lines if line.category == category]


@offers.rule()
def fourth_skein_is_free(basket: Basket) -> Iterator[Finding]:
    for line in basket.of("yarn"):
        if line.quantity >= 4:
            yield f"every fourth {line.sku} is free", line.quantity // 4 * line.price


@offers.rule(group="tier")
def members_save(basket: Basket) -> Iterator[Finding]:
    if basket.tier == "member":
        yield "5% for members", basket.goods * 5 // 100


@offers.rule(group="tier")
def trade_saves_on_tools(basket: Basket) -> Iterator[Finding]:
    tools = sum(line.total for line in basket.of("tool"))
    if basket.tier == "trade" and tools:
        yield "20% on tools for the trade", tools * 20 // 100


@offers.rule(group="tier")
def large_baskets_save(basket: Basket) -> Iterator[Finding]:
    if basket.goods >= 20_000:
        yield "8% from 200.00", basket.goods * 8 // 100


@offers.rule()
def coupons(basket: Basket) -> Iterator[Finding]:
    for coupon in dict.fromkeys(basket.coupons):
        yield f"coupon {coupon}", COUPONS[coupon]

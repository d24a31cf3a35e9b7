"""The component: what demo:pricing/pricing exports, on top of the offers. An error is raised as Err with the value that the WIT gives it."""

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports import pricing as wit

import offers

TAX = 19  # percent, in every price


class Pricing(exports.Pricing):
    def price(self, basket: wit.Basket) -> wit.Quote:
        for coupon in basket.coupons:
            if coupon not in offers.COUPONS:
                raise Err(wit.Problem_NotFound(coupon))
        lines = [offers.Line(line.sku, line.category, line.quantity, line.price) for line in basket.lines]
        facts = offers.Basket(lines, basket.tier.name.lower(), basket.coupons)

        left = facts.goods
        discounts = []
        for reason, amount in offers.offers.apply(facts):
            amount = min(amount, left)
            left -= amount
            discounts.append(wit.Discount(reason, amount))
        return wit.Quote(facts.goods, discounts, total=left, tax=left * TAX // (100 + TAX))

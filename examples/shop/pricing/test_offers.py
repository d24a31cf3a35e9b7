import unittest

from offers import Basket, Line, offers

YARN = Line("yarn-weld", "yarn", 9, 890)
TOOL = Line("shuttle-oak", "tool", 6, 3900)


def found(lines, tier="guest", coupons=()):
    return list(offers.apply(Basket(lines, tier, list(coupons))))


class Offers(unittest.TestCase):
    def test_nothing_to_find(self):
        self.assertEqual(found([Line("book-loom", "book", 1, 2450)]), [])

    def test_every_fourth_skein(self):
        self.assertEqual(found([YARN]), [("every fourth yarn-weld is free", 1780)])

    def test_of_a_group_the_best_for_the_customer(self):
        self.assertEqual(found([TOOL], "member"), [("8% from 200.00", 1872)])
        self.assertEqual(found([TOOL], "trade"), [("20% on tools for the trade", 4680)])

    def test_a_coupon_counts_once(self):
        self.assertEqual(found([], coupons=["FIVER", "FIVER"]), [("coupon FIVER", 500)])


if __name__ == "__main__":
    unittest.main()

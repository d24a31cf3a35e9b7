"""The component: what bench:receipt/till exports."""

from wit_world import exports
from wit_world.exports.till import Receipt

from receipt import ring_up


class Till(exports.Till):
    def ring_up(self, lines, percent):
        return Receipt(*ring_up([(line.sku, line.cents, line.count) for line in lines], percent))

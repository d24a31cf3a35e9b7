"""Functions that look into their arguments. Integers have no range here: whatever wraps does so by hand."""

from dataclasses import replace

from componentize_py_types import Err, Ok
from wit_world import exports
from wit_world.exports.shapes import Level, Shape_Data, Shape_Many

LEVELS = list(Level)


def unsigned(v, bits):
    return v % (1 << bits)


def signed(v, bits):
    half = 1 << (bits - 1)
    return (v + half) % (1 << bits) - half


class Changes(exports.Changes):
    def not_(self, v):
        return not v

    def add(self, a, b):
        return unsigned(a + b, 64)

    def negate(self, v):
        return signed(-v, 64)

    def halve(self, v):
        return v / 2

    def next(self, v):
        return chr(ord(v) + 1)

    def join(self, v, by):
        return by.join(v)

    def reverse(self, v):
        return v[::-1]

    def swap(self, v):
        number, text = v
        return text, number

    def raise_(self, v):
        return dict(zip(LEVELS, LEVELS[1:])).get(v)

    def complement(self, v):
        return ~v

    def both(self, a, b):
        return a | b

    def flip(self, v):
        return [Err(result.value) if isinstance(result, Ok) else Ok(result.value) for result in v]

    def depth(self, v):
        # Where an option holds an option, it is None or Some; the innermost is None or the value.
        match v:
            case None:
                return 0
            case str():
                return 1
            case some:
                return 1 + self.depth(some.value)

    def name(self, v):
        name = type(v).__name__.removeprefix("Shape_").lower()
        return f"{name}:{len(v.value)}" if isinstance(v, (Shape_Many, Shape_Data)) else name

    def weigh(self, v):
        return float(sum(leaf.weight for branch in v.branches for leaf in branch.leaves))

    def increment(self, v):
        return replace(
            v,
            b=unsigned(v.b + 1, 8),
            c=signed(v.c + 1, 8),
            d=unsigned(v.d + 1, 16),
            e=signed(v.e + 1, 16),
            f=unsigned(v.f + 1, 32),
            g=signed(v.g + 1, 32),
            h=unsigned(v.h + 1, 64),
            i=signed(v.i + 1, 64),
            j=v.j + 1,
            k=v.k + 1,
        )

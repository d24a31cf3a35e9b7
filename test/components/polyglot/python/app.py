"""The component: what the world polyglot exports."""

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports.errors import Problem
from wit_world.exports.geometry import Point

from changes import Changes

__all__ = ["Changes", "Errors", "Geometry", "Interface", "Scalars", "Shapes", "Signatures"]

VALUE = 7


def echo(_self, v):
    return v


def echoes(protocol):
    """A class whose echo functions return their argument."""
    names = [name for name in vars(protocol) if name.startswith("echo_")]
    return type(protocol.__name__, (protocol,), dict.fromkeys(names, echo))


Scalars = echoes(exports.Scalars)


class Shapes(echoes(exports.Shapes)):
    def echo_results(self, a, b, c, d):
        return a, b, c, d


class Signatures(exports.Signatures):
    def nothing(self):
        pass

    def consume(self, v):
        pass

    def produce(self):
        return "produced"

    def add(self, a, b):
        return a + b

    def many(self, a, b, c, d, e, f, g, h, i, j, k, l):
        e = "true" if e else "false"
        c, f = (",".join(map(str, numbers)) for numbers in (c, f))
        return " ".join(map(str, (a, b, c, "-" if d is None else d, e, f, g, h, i, j, k, l)))


class Interface(exports.Interface):
    def func(self, import_, export, use):
        return import_, export, use

    def a_b_c1(self, x_y_z2):
        return x_y_z2


class Geometry(exports.Geometry):
    def mirror(self, at, unit):
        return Point(at.y, at.x), unit


def unless(fail, error):
    if fail:
        raise Err(error)
    return VALUE


class Errors(exports.Errors):
    def as_string(self, fail):
        return unless(fail, "a string")

    def as_enum(self, code):
        return unless(code is not None, code)

    def as_record(self, fail):
        return unless(fail, Problem(42, "a record"))

    def as_variant(self, refusal):
        return unless(refusal is not None, refusal)

    def as_list(self, fail):
        return unless(fail, ["one", "two"])

    def as_tuple(self, fail):
        return unless(fail, (42, "a tuple"))

    def as_option(self, fail):
        return unless(fail, "an option")

    def as_number(self, fail):
        return unless(fail, 42)

    def as_nothing(self, fail):
        return unless(fail, None)

    def no_value(self, fail):
        unless(fail, "no value")

    def neither(self, fail):
        unless(fail, None)

"""The component: what demo:stats/stats exports. An error is raised as Err with the value that the WIT gives it."""

import math
import statistics
import struct
from collections import Counter
from typing import List, Optional, Tuple

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports.stats import (
    Bin,
    Bounds,
    Encoding,
    Line,
    Problem_FailedPrecondition,
    Problem_InvalidArgument,
    Problem_OutOfRange,
    Problem_Truncated,
    Rule,
    Rule_Deviations,
    Rule_Fences,
    Rule_Outside,
    Style,
    Summary,
)

import drawing

MAX_BINS = 1000
FORMATS = {Encoding.FLOAT32: "f", Encoding.FLOAT64: "d", Encoding.INT16: "h", Encoding.INT32: "i"}
DARK_BLUE = (31, 58, 95)


class Stats(exports.Stats):
    def summarize(self, series: List[float]) -> Summary:
        require(series, 1)
        # Not statistics.mode, which imports a module when it is called: a component has what was loaded when it was built.
        mode, repeats = max(Counter(series).items(), key=lambda item: item[1])
        return Summary(
            count=len(series),
            range=Bounds(min(series), max(series)),
            mean=statistics.fmean(series),
            median=statistics.median(series),
            quartiles=quartiles(series),
            deviation=statistics.stdev(series) if len(series) > 1 else None,
            mode=mode if repeats > 1 else None,
        )

    def histogram(self, series: List[float], bins: Optional[int]) -> List[Bin]:
        require(series, 1)
        if bins is None:
            bins = math.ceil(math.log2(len(series))) + 1
        within("bins", bins, 1, MAX_BINS)
        lowest = min(series)
        width = (max(series) - lowest) / bins
        counts = [0] * bins
        for value in series:
            counts[min(int((value - lowest) / width), bins - 1) if width else 0] += 1
        return [
            Bin(Bounds(lowest + at * width, lowest + (at + 1) * width), count) for at, count in enumerate(counts)
        ]

    def fit(self, points: List[Tuple[float, float]]) -> Line:
        require([coordinate for point in points for coordinate in point], 4)
        xs, ys = zip(*points)
        within("distance of x", max(xs) - min(xs), math.ulp(0.0), math.inf)
        slope, intercept = statistics.linear_regression(xs, ys)
        flat = min(ys) == max(ys)
        return Line(slope, intercept, None if flat else statistics.correlation(xs, ys))

    def outliers(self, series: List[float], rule: Rule) -> List[Tuple[int, float]]:
        require(series, 2)
        usual = usual_range(series, rule)
        return [
            (at, value) for at, value in enumerate(series) if not usual.lowest <= value <= usual.highest
        ]

    def unpack(self, data: bytes, encoding: Encoding) -> List[float]:
        value = struct.Struct("<" + FORMATS[encoding])
        left = len(data) % value.size
        if left:
            raise Err(Problem_Truncated(left))
        return [float(number) for (number,) in value.iter_unpack(data)]

    def chart(
        self, series: List[float], size: Tuple[int, int], style: Style, color: Optional[Tuple[int, int, int]]
    ) -> bytes:
        require(series, 2)
        for name, pixels in zip(("width", "height"), size):
            within(name, pixels, 16, 1024)
        return drawing.chart(series, size, style, DARK_BLUE if color is None else color)


def require(series: List[float], length: int) -> None:
    """Refuses a series that is too short or holds what is no finite number."""
    if len(series) < length:
        raise Err(Problem_FailedPrecondition((length, len(series))))
    for at, value in enumerate(series):
        if not math.isfinite(value):
            raise Err(Problem_InvalidArgument(at))


def within(name: str, value: float, lowest: float, highest: float) -> None:
    if not lowest <= value <= highest:
        raise Err(Problem_OutOfRange((name, Bounds(lowest, highest))))


def quartiles(series: List[float]) -> Tuple[float, float, float]:
    if len(series) == 1:
        return (series[0], series[0], series[0])
    low, middle, high = statistics.quantiles(series, n=4, method="inclusive")
    return (low, middle, high)


def usual_range(series: List[float], rule: Rule) -> Bounds:
    match rule:
        case Rule_Deviations(count):
            mean, reach = statistics.fmean(series), count * statistics.stdev(series)
            return Bounds(mean - reach, mean + reach)
        case Rule_Fences(factor):
            low, _, high = quartiles(series)
            reach = factor * (high - low)
            return Bounds(low - reach, high + reach)
        case Rule_Outside(bounds):
            return bounds

"""Charts as PNG images, drawn pixel by pixel."""

import struct
import zlib
from typing import Iterator, List, Tuple

from wit_world.exports.stats import Style

WHITE = 0
INK = 1


def chart(series: List[float], size: Tuple[int, int], style: Style, color: Tuple[int, int, int]) -> bytes:
    """Draws the series from left to right, scaled to the image."""
    width, height = size
    rows = [bytearray(width) for _ in range(height)]
    places = list(scale(series, width, height))
    match style:
        case Style.DOTS:
            for x, y in places:
                square(rows, x, y)
        case Style.BARS:
            for at, (_, y) in enumerate(places):
                bar(rows, at * width // len(places), max((at + 1) * width // len(places) - 1, 0), y)
        case Style.LINES:
            for start, end in zip(places, places[1:]):
                segment(rows, start, end)
    return png(width, height, [(255, 255, 255), color], rows)


def scale(series: List[float], width: int, height: int) -> Iterator[Tuple[int, int]]:
    lowest, highest = min(series), max(series)
    for at, value in enumerate(series):
        share = (value - lowest) / (highest - lowest) if highest > lowest else 0.5
        yield round(at * (width - 1) / (len(series) - 1)), round((1 - share) * (height - 1))


def square(rows: List[bytearray], x: int, y: int) -> None:
    for row in rows[max(y - 1, 0) : y + 2]:
        for column in range(max(x - 1, 0), min(x + 2, len(row))):
            row[column] = INK


def bar(rows: List[bytearray], left: int, right: int, top: int) -> None:
    # A gap between bars where there is room for it.
    end = max(right, left + 1)
    for row in rows[top:]:
        row[left:end] = bytes([INK]) * len(row[left:end])


def segment(rows: List[bytearray], start: Tuple[int, int], end: Tuple[int, int]) -> None:
    """Bresenham's line."""
    (x, y), (to_x, to_y) = start, end
    width, height = abs(to_x - x), -abs(to_y - y)
    step_x, step_y = (1 if x < to_x else -1), (1 if y < to_y else -1)
    error = width + height
    while True:
        rows[y][x] = INK
        if (x, y) == (to_x, to_y):
            return
        twice = 2 * error
        if twice >= height:
            error += height
            x += step_x
        if twice <= width:
            error += width
            y += step_y


def png(width: int, height: int, palette: List[Tuple[int, int, int]], rows: List[bytearray]) -> bytes:
    """Encodes rows of palette indices (PNG specification, color type 3, eight bits)."""
    pixels = b"".join(b"\0" + row for row in rows)
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            part(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
            part(b"PLTE", bytes(channel for color in palette for channel in color)),
            part(b"IDAT", zlib.compress(pixels)),
            part(b"IEND", b""),
        ]
    )


def part(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

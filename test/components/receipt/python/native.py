"""The same as a program: python3 native.py PERCENT SKU:CENTS:COUNT..."""

import sys

from receipt import ring_up

lines = []
for argument in sys.argv[2:]:
    sku, cents, count = argument.split(":")
    lines.append((sku, int(cents), int(count)))
total, tax, text = ring_up(lines, int(sys.argv[1]))
print(f"{total} {tax}\n{text}")

"""Receipts. Plain Python, without WebAssembly."""


def ring_up(lines, percent):
    """Adds up lines of (sku, cents, count): the total, the tax in it, and the text."""
    printed = []
    net = 0
    for sku, cents, count in lines:
        price = cents * count
        net += price
        printed.append(f"{count} {sku} {money(price)}\n")
    tax = (net * percent + 50) // 100
    printed.append(f"tax {percent}% {money(tax)}\ntotal {money(net + tax)}\n")
    return net + tax, tax, "".join(printed)


def money(cents):
    return f"{cents // 100}.{cents % 100:02}"

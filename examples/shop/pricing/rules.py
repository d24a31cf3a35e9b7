"""A small rules engine. It knows nothing of shops: facts are any object, and what a rule finds is whatever it yields."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

Finding = tuple[str, int]


@dataclass(frozen=True)
class Rule:
    """Finds reasons to take something off. Of the rules of a group, only the one that takes off most counts."""

    find: Callable[[Any], Iterable[Finding]]
    group: str | None


class Rules:
    """Rules, in the order in which they were written."""

    def __init__(self) -> None:
        self._rules: list[Rule] = []

    def rule(self, group: str | None = None) -> Callable[[Callable[[Any], Iterable[Finding]]], Callable[[Any], Iterable[Finding]]]:
        """Makes a rule of a function that yields findings: a reason and an amount each."""

        def add(find: Callable[[Any], Iterable[Finding]]) -> Callable[[Any], Iterable[Finding]]:
            self._rules.append(Rule(find, group))
            return find

        return add

    def apply(self, facts: Any) -> Iterator[Finding]:
        """What the rules find. A group's findings come where the first rule of the group is."""
        seen: set[str] = set()
        for rule in self._rules:
            if rule.group is None:
                yield from rule.find(facts)
            elif rule.group not in seen:
                seen.add(rule.group)
                rivals = (list(rival.find(facts)) for rival in self._rules if rival.group == rule.group)
                yield from max(rivals, key=worth)


def worth(findings: Iterable[Finding]) -> int:
    return sum(amount for _, amount in findings)

"""Whose turn it is to take a request."""

from __future__ import annotations

from typing import Any


class Table:
    """The backends, chosen in turn so that any stretch of requests is shared by the weights (smooth round robin)."""

    def __init__(self, told: dict[str, Any]) -> None:
        self.generation, self.port = int(told["generation"]), int(told["port"])
        self.backends = [(str(b["release"]), int(b["port"]), int(b["weight"])) for b in told["backends"]]
        self.credit = [0] * len(self.backends)

    def in_turn(self) -> list[tuple[str, int]]:
        """The one whose turn it is, and after it the others, for when it cannot be reached."""
        if not self.backends:
            return []
        for number, (_, _, weight) in enumerate(self.backends):
            self.credit[number] += weight
        chosen = max(range(len(self.backends)), key=lambda number: self.credit[number])
        self.credit[chosen] -= sum(weight for _, _, weight in self.backends)
        others = [b for number, b in enumerate(self.backends) if number != chosen and b[2] > 0]
        return [(release, port) for release, port, _ in (self.backends[chosen], *others)]

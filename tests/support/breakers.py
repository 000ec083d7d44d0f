"""Circuit breakers that tests open and close themselves."""

from __future__ import annotations

from foundation.outbound import circuit_breaker


class Open(circuit_breaker.Breaker):
    """Open until it is closed by `close`; whoever comes is to come again after `pause` seconds."""

    def __init__(self, pause: float = 0.3) -> None:
        super().__init__()
        self.pause, self.held_back = pause, 0

    def enter(self) -> tuple[float, bool]:
        self.held_back += 1
        return self.pause, False


def opened(name: str, pause: float = 0.3) -> Open:
    circuit_breaker._breakers[name] = found = Open(pause)
    return found


def close(name: str) -> None:
    circuit_breaker._breakers.pop(name, None)

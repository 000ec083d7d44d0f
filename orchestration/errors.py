"""What the services refuse. `BadInput` the caller can mend; `WrongState` time or another verb can.

ZenError
├── BadInput       the request names something that does not exist or is not well formed
├── NotFound       no such run or definition
├── NotAllowed     the actor lacks the role
├── WrongState     not legal now; the message says what is
│   ├── Gone       it was legal until a time that has passed
│   └── TooSoon    it was done a moment ago, and is legal again after a while
└── Unreachable    a server that was asked for by name does not answer
"""

from __future__ import annotations

from collections.abc import Sequence


class ZenError(Exception):
    """`field` names what was wrong, `remedy` what to do."""

    def __init__(self, message: str, *, field: str = "", remedy: str = "", problems: Sequence[dict[str, object]] = ()):
        super().__init__(message)
        self.message, self.field, self.remedy, self.problems = message, field, remedy, list(problems)

    def in_words(self) -> str:
        """The message, and after a semicolon the remedy."""
        return "; ".join(filter(None, (self.message, self.remedy)))


class BadInput(ZenError):
    pass


class NotFound(ZenError):
    pass


class NotAllowed(ZenError):
    pass


class WrongState(ZenError):
    pass


class Gone(WrongState):
    pass


class TooSoon(WrongState):
    def __init__(self, message: str, *, field: str = "", remedy: str = "", retry_after: int):
        """`retry_after`: in how many seconds it is legal again."""
        super().__init__(message, field=field, remedy=remedy)
        self.retry_after = retry_after


class Unreachable(ZenError):
    pass

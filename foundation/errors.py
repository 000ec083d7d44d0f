"""What services raise for their callers. A door turns each class into its own status or exit code.

ZenError
├── BadInput       the request names something that does not exist or is not well formed     422, exit 2
├── NotFound       there is no such run, request, definition …                               404, exit 2
├── NotAllowed     the actor lacks the role, or the token the scope                          403, exit 1
├── WrongState     not legal in the present state; the message says which that is            409, exit 1
│   ├── Gone       it was legal until a time that has passed                                 410, exit 1
│   └── TooSoon    it was done a moment ago, and is legal again after `retry_after` seconds  429, exit 1
└── Unreachable    a server that was asked for by name does not answer                       503, exit 3

The REST API answers with problem details (`foundation.api.errors`), commands with a line on stderr and an exit code
(`foundation.console.exit_codes`), pages with a message. A caller can mend BadInput by itself; WrongState needs time or
another act.
"""

from __future__ import annotations

from collections.abc import Sequence


class ZenError(Exception):
    """A refusal, in words for the person who asked.

    `message`: what was wrong. `field`: the argument, body field or option that it is about. `value`: what was given.
    `remedy`: what to do instead. `problems`: one {"field", "problem"} for each fault where there are several.
    """

    def __init__(
        self,
        message: str,
        *,
        field: str = "",
        value: str = "",
        remedy: str = "",
        problems: Sequence[dict[str, object]] = (),
    ):
        super().__init__(message)
        self.message, self.field, self.value, self.remedy = message, field, value, remedy
        self.problems = list(problems)

    def in_words(self) -> str:
        """The message, and after a semicolon the remedy."""
        return "; ".join(filter(None, (self.message, self.remedy)))


class BadInput(ZenError):
    """What was sent names something that does not exist, or is not well formed. The caller can mend it."""


class NotFound(ZenError):
    """There is no such thing: a run, a request, a definition, a version."""


class NotAllowed(ZenError):
    """The actor lacks the role, or the token the scope; `remedy` names what to ask for."""


class WrongState(ZenError):
    """Not legal in the present state of the thing; the message says which state that is."""


class Gone(WrongState):
    """It was legal until a time that has passed, such as a link after its expiry."""


class TooSoon(WrongState):
    """It was done a moment ago, and is legal again in `retry_after` seconds."""

    def __init__(self, message: str, *, field: str = "", remedy: str = "", retry_after: int):
        """`retry_after`: in how many seconds it is legal again."""
        super().__init__(message, field=field, remedy=remedy)
        self.retry_after = retry_after


class Unreachable(ZenError):
    """A server that was asked for by name, such as Temporal, does not answer."""

"""What this room refuses. The same shape as the rooms above it show: a message, the field, the remedy.

NoticeError
├── BadInput     the request names something that does not exist or is not well formed
├── NotFound     no such delivery
├── NotAllowed   the actor lacks the role
└── WrongState   not legal now; the message says what is
"""

from __future__ import annotations


class NoticeError(Exception):
    """`field` names what was wrong, `value` what it was, `remedy` what to do."""

    def __init__(self, message: str, *, field: str = "", value: str = "", remedy: str = ""):
        super().__init__(message)
        self.message, self.field, self.value, self.remedy = message, field, value, remedy


class BadInput(NoticeError):
    pass


class NotFound(NoticeError):
    pass


class NotAllowed(NoticeError):
    pass


class WrongState(NoticeError):
    pass

"""What the flow wants done, in the imperative."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from approvals.core.words import Status, Telling


@dataclass(frozen=True, slots=True, kw_only=True)
class Tell:
    """Tell these people. Empty `people`: whoever the shell finds for it (the requester, the administrators).

    `together`: in one message with the other requests for which the same happens at about this time.
    """

    why: Telling
    people: tuple[str, ...] = ()
    together: bool = False
    kind: Literal["tell"] = "tell"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """The request is over; whoever waits for it is told."""

    status: Status
    kind: Literal["finish"] = "finish"


Command = Tell | Finish

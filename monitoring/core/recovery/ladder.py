"""Which rung of a policy comes next on a run: what has been done is spent, what is not legal now is passed. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from monitoring.core.enums import RecoveryAction
from monitoring.core.policy_checks import TELLING

Legal = Callable[[RecoveryAction], str]
"""Why an action is not legal now; '' when it is."""


def rungs(actions: Sequence[RecoveryAction], most: int) -> tuple[RecoveryAction, ...]:
    """The acting ones in order, the first repeated so that they are `most`: [retry, rollback], 3 → retry twice first.

    Raises:
        ValueError: there are more of them than `most`.
    """
    acting = [action for action in actions if action not in TELLING]
    if len(acting) > most:
        raise ValueError(f"{len(acting)} actions and only {most} attempts")
    return (acting[0],) * (most - len(acting)) + tuple(acting) if acting else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Next:
    """What comes next. `rung`: its place, None where there is none; `tell`: NOTIFY or ESCALATE, to be told now.

    `passed`: (action, why) of rungs that are not legal now. `exhausted`: all rungs are spent.
    """

    action: RecoveryAction | None = None
    rung: int | None = None
    tell: tuple[RecoveryAction, ...] = ()
    passed: tuple[tuple[RecoveryAction, str], ...] = ()
    exhausted: bool = False


def next_of(
    actions: Sequence[RecoveryAction],
    most: int,
    *,
    spent: Collection[int],
    told: Collection[RecoveryAction],
    legal: Legal,
) -> Next:
    """The next rung. `spent`: places of rungs that were tried; `told`: what was told of this run before."""
    ladder = rungs(actions, most)
    passed: list[tuple[RecoveryAction, str]] = []
    for place, action in enumerate(ladder):
        if place in spent:
            continue
        why = legal(action)
        if not why:
            tell = _notify(actions, action, told)
            return Next(action=action, rung=place, tell=tell, passed=tuple(dict(passed).items()))
        passed.append((action, why))
    left = tuple(
        action for action in dict.fromkeys(actions) if action in TELLING and action not in told
    )  # all that is told comes before the end
    exhausted = all(place in spent for place in range(len(ladder)))
    return Next(tell=left, passed=tuple(dict(passed).items()), exhausted=exhausted)


def _notify(
    actions: Sequence[RecoveryAction], up_to: RecoveryAction, told: Collection[RecoveryAction]
) -> tuple[RecoveryAction, ...]:
    """NOTIFY, if it stands before the rung and was not told."""
    before = actions[: list(actions).index(up_to)]
    notify = RecoveryAction.NOTIFY
    return (notify,) if notify in before and notify not in told else ()

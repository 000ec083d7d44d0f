"""Which execution of a run's workflow has taken all messages of the run.

Anyone who may write to the Temporal namespace can start the workflow of a run again as it was started once, seal and
all: it would go on from an earlier state, without what people did since, such as a hold. So the run's row names the
execution that took the latest message, and how many messages it had taken then; another execution has to have taken as
many.
"""

from __future__ import annotations

from foundation.clock import now
from foundation.db import statements
from orchestration.engines.temporal.dto import Taken
from orchestration.models import Message, Run


def is_of_earlier_state(run: Run, execution: str, heard: int) -> bool:
    """Whether what this execution orders, having heard of so many messages, leaves out some that the run was told."""
    return run.execution != execution and heard < run.heard


def delivered(message: Message, why: str, taken: Taken | None) -> None:
    """Note what came of a message. `taken`: None when its workflow refused it, or is of before there were seals."""
    with statements.writing():
        Message.objects.filter(pk=message.pk).update(delivered_at=now(), refusal=why)
        if taken is not None:  # two may be noted in another order than they were taken in
            behind = Run.objects.filter(pk=message.run_id, heard__lte=taken.heard)
            behind.update(execution=taken.execution, heard=taken.heard)


ENDED_ALONE = "its workflow has ended on the Temporal server, and the run has not: was the database restored?"
TAKE_UP = "abort the run, which takes it up from its rows (docs/howto/upgrading.md)"

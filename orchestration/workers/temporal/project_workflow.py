"""The workflow of a project on Temporal: that of a saga, under a type of its own by which operators find projects."""

from __future__ import annotations

from temporalio import workflow

from orchestration.workers.temporal.saga_workflow import SagaWorkflow

with workflow.unsafe.imports_passed_through():
    from orchestration.engines.temporal.dto import WORKFLOWS, Start


@workflow.defn(name=WORKFLOWS["multi_agent_project"])
class MultiAgentProjectWorkflow(SagaWorkflow):
    """A project's outer saga. Its name is part of stored histories; it decides nothing that a saga does not."""

    @workflow.init
    def __init__(self, start: Start) -> None:
        super().__init__(start)

    @workflow.run
    async def run(self, start: Start) -> str:
        """Perform what the flow decides until the run ends, or continue as new; returns the end status."""
        return await super().run(start)

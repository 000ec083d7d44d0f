"""The orchestrator for Python code of this site, without a server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from foundation.errors import BadInput
from foundation.identity import permissions
from foundation.identity.permissions import account_called
from zen_project.mcp.bounds import bounded
from zen_project.mcp.identity import Caller, of_account, of_token
from zen_project.mcp.registry import Answer
from zen_project.mcp.threads import in_thread
from zen_project.mcp.tools.workflow_orchestrator.entry import ENTRY
from zen_project.mcp.waiting import Untold, waited


class WorkflowOrchestratorTool:
    """The MCP tool `workflow_orchestrator` as a Python object: the same arguments, answers, words and rights.

    Who calls is said once, and is an account or an API token: no argument of a call says otherwise.
    """

    name = ENTRY.name
    description = ENTRY.description
    input_schema = ENTRY.arguments.model_json_schema()
    output_schema = ENTRY.answers

    def __init__(self, *, user: Any = None, token: str = "") -> None:
        """`user`: an account, or its user name. `token`: the text of an API token, with its scopes; an agent's only
        proposes what people decide.

        Raises:
            BadInput: neither was given, or both.
        """
        if (user is None) == (not token):
            raise BadInput(
                "it has to be said who calls", field="user", remedy="give user= (an account) or token= (an API token)"
            )
        self._user, self._token = user, token

    async def execute(self, arguments: Mapping[str, Any]) -> Answer:
        """The answer to a call, as the tool's `structuredContent` has it.

        `arguments`: as of the tool (docs/howto/mcp.md).

        Raises:
            BadInput: with a problem for each argument that is wrong, missing or not known.
            NotAllowed: the account or its token may not, or somebody else is named as the approver.
            NotFound: there is no such run or approval.
            WrongState: it is not legal in the present state.
            Unreachable: an engine is away.
        """
        caller, answer = await in_thread(lambda: self._done(dict(arguments)))
        if ENTRY.again is not None and (seconds := arguments.get("wait_seconds")):
            answer = await waited(ENTRY.again, caller, answer, seconds, Untold())
        return await in_thread(lambda: bounded(answer))

    async def __call__(self, arguments: Mapping[str, Any] | None = None, /, **named: Any) -> Answer:
        """As `execute`: `arguments` of the tool, or `named` ones.

        Raises:
            ZenError: as `execute`.
        """
        return await self.execute({**(arguments or {}), **named})

    def _done(self, arguments: dict[str, Any]) -> tuple[Caller, Answer]:
        """The caller, and the answer to these `arguments`."""
        caller = self._caller()
        permissions.require(caller.actor, "view")
        return caller, ENTRY.do(caller, ENTRY.arguments.read(arguments))

    def _caller(self) -> Caller:
        if self._token:
            return of_token(self._token, remedy="give one of `manage.py token create USER`")
        user = account_called(self._user, field="user") if isinstance(self._user, str) else self._user
        return of_account(user)

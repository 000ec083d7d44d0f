"""One call of a tool, from its arguments to its answer or its refusal."""

from __future__ import annotations

import json
from typing import Any

import anyio
from mcp.server.mcpserver import Context
from mcp_types import CallToolResult, TextContent

from foundation.errors import BadInput, ZenError
from zen_project.mcp.bounds import MOST_REQUEST, SECONDS, bounded
from zen_project.mcp.identity import Caller, caller_now
from zen_project.mcp.registry import Answer, Entry
from zen_project.mcp.threads import in_thread
from zen_project.mcp.waiting import waited


async def answered(entry: Entry[Any], arguments: dict[str, Any], context: Context[Any, Any]) -> CallToolResult:
    """The result of a call: the tool's answer, or why it is refused."""
    try:
        return told(await performed(entry, arguments, context))
    except ZenError as error:
        return refused(error)
    except TimeoutError:
        late = f"{entry.name} was not done within {SECONDS:g} s, and may still be"
        return refused(ZenError(late, remedy="look at the run, then call it again"))


async def performed(entry: Entry[Any], arguments: dict[str, Any], context: Context[Any, Any]) -> Answer:
    """The tool's answer, bounded.

    Raises:
        ZenError: what its arguments, or its service, refuse.
        TimeoutError: it took too long; the service may go on.
    """
    with anyio.fail_after(SECONDS):
        caller, answer = await in_thread(lambda: _done(entry, arguments))
    if entry.again is not None and (seconds := arguments.get("wait_seconds")):
        late = await waited(entry.again, caller, answer, seconds, context)
        answer = await in_thread(lambda: bounded(late))
    return answer


def _done(entry: Entry[Any], arguments: dict[str, Any]) -> tuple[Caller, Answer]:
    caller = caller_now()
    if len(json.dumps(arguments)) > MOST_REQUEST:  # over stdio nothing else counts
        raise BadInput(f"the arguments have more than {MOST_REQUEST} bytes", field="body", remedy="send less")
    return caller, bounded(entry.do(caller, entry.arguments.read(arguments)))


def told(answer: Answer) -> CallToolResult:
    """An answer as the protocol has it: JSON, and the same as text."""
    text = json.dumps(answer, ensure_ascii=False)
    return CallToolResult(content=[TextContent(type="text", text=text)], structured_content=answer)


def refused(error: ZenError) -> CallToolResult:
    """A refusal as the protocol has it: the words for the model, and the same by field."""
    problems = problems_of(error)
    others = [f"{one['field']}: {one['problem']}" for one in problems if str(one["problem"]) not in error.message]
    return CallToolResult(
        content=[TextContent(type="text", text="\n".join([error.in_words(), *others]))],
        structured_content={"problems": problems},
        is_error=True,
    )


def problems_of(error: ZenError) -> list[dict[str, object]]:
    """A refusal by field: one object with the same four keys for each fault."""
    whole: dict[str, object] = {
        "field": error.field,
        "problem": error.message,
        "remedy": error.remedy,
        "value": error.value,
    }
    return [_told(one) for one in error.problems] or [whole]


def _told(problem: dict[str, object]) -> dict[str, object]:
    """With all four keys; a definition calls its problem a message, as REST shows it."""
    return {"field": "", "problem": problem.get("message", ""), "remedy": "", "value": "", **problem}

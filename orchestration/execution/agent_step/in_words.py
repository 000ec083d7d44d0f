"""Events of a session as lines of a log."""

from __future__ import annotations

import logging

from orchestration.core.agent import events


def lines_of(event: events.Event) -> list[tuple[int, str]]:
    """An event in words, with the level of its line; what is no news is none."""
    match event:
        case events.SessionStarted():
            again = " goes on" if event.resumed else ""
            return [
                (
                    logging.INFO,
                    f"session {event.session_id}{again}: {event.agent} {event.version} {event.model}".strip(),
                )
            ]
        case events.Message():
            return [(logging.INFO, event.text)]
        case events.Thought():
            return [(logging.DEBUG, event.text)]
        case events.ToolStarted():
            return [(logging.INFO, f"→ {event.name}: {event.title}".rstrip(": "))]
        case events.ToolDone():
            return [(logging.INFO, f"✓ {event.name}")] if event.succeeded else [(logging.WARNING, f"✗ {event.name}")]
        case events.PermissionNeeded() | events.QuestionAsked():
            return [(logging.WARNING, f"? {event.question.text}")]
        case events.PlanShown():
            return [(logging.INFO, f"plan: {'; '.join(f'{one.text} ({one.status})' for one in event.entries)}")]
        case events.Retrying():
            return [(logging.WARNING, f"tries its model again: {event.error}")]
        case events.Notice():
            return [(logging.WARNING, f"! {event.text}")]
        case events.TurnEnded():
            told = f": {event.error}" if event.error else ""
            return [(logging.INFO if not told else logging.WARNING, f"the session ended as {event.reason}{told}")]
        case _:
            return []

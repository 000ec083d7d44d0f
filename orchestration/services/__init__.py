"""Writes. Every door calls these; each is one transaction with its audit row, and effects come after the commit."""

from orchestration.services.acts import act, event_for, get_run, preview
from orchestration.services.definitions import check_definition, publish
from orchestration.services.start import start_run

__all__ = ["act", "check_definition", "event_for", "get_run", "preview", "publish", "start_run"]

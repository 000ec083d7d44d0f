"""Templates are plain look-ups (rule 3): `{user_id}`, `{create_account.user_id}`, `{items.0.sku}`.

No calls, attributes or format specs, and never `str.format`. `{{` and `}}` are literal braces; `{secret:NAME}` is left
for the action, which resolves it last. A value that is exactly one placeholder keeps its type; inside a longer text a
string is inserted unchanged and everything else as JSON writes it.

`lookup` finds values, `render` fills in actions, `urls` URLs, in which a value can never become more than its piece.
Imported by `core.definition` (checks), `actions`, `execution` and approvals.
"""

from orchestration.core.templates.budget import TooLarge
from orchestration.core.templates.lookup import (
    AmbiguousName,
    BadValue,
    MissingName,
    MissingOutput,
    OwnMissing,
    Scope,
    TemplateError,
    look_up,
)
from orchestration.core.templates.render import (
    action_placeholders,
    placeholders,
    problems_in,
    render,
    render_action,
    render_text,
    render_url,
    template_parts,
    url_problems,
)
from orchestration.core.templates.tokens import SECRET, text_of
from orchestration.core.templates.urls import route_of

__all__ = [
    "SECRET",
    "AmbiguousName",
    "BadValue",
    "MissingName",
    "MissingOutput",
    "OwnMissing",
    "Scope",
    "TemplateError",
    "TooLarge",
    "action_placeholders",
    "look_up",
    "placeholders",
    "problems_in",
    "render",
    "render_action",
    "render_text",
    "render_url",
    "route_of",
    "template_parts",
    "text_of",
    "url_problems",
]

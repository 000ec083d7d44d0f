"""Templates are plain look-ups (rule 3): `{user_id}`, `{create_account.user_id}`, `{items.0.sku}`.

No calls, attributes or format specs, and never `str.format`. `{{` and `}}` are literal braces; `{secret:NAME}` is left
for the effect, which resolves it last. A value that is exactly one placeholder keeps its type; inside a longer text a
string stands as it is and everything else as JSON writes it.
"""

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
from orchestration.core.templates.tokens import SECRET, TooLarge, text_of
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

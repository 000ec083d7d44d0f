"""Warnings about a definition that is valid, and probably not meant as it is."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

from orchestration.core.definition.actions import (
    MODELS,
    Action,
    Agent,
    ApiCall,
    Approval,
    ChildSaga,
    Script,
    Task,
    Wait,
)
from orchestration.core.definition.call_bodies import BODIES, FORM, media_type
from orchestration.core.definition.fillable import needs_of
from orchestration.core.definition.models import SagaDefinition, StepDefinition
from orchestration.core.definition.own import forward_names, own_names
from orchestration.core.definition.problems import short
from orchestration.core.likeness import bounded, nearest
from orchestration.core.templates import SECRET, action_placeholders, placeholders, template_parts
from orchestration.core.templates.names import parts_of
from orchestration.core.templates.tokens import texts_in, tokens_of

READING = frozenset({"GET", "HEAD", "OPTIONS"})
DOUBLED = re.compile(r"(?<!\{)\{\{(\s*[A-Za-z_][\w.-]*\s*)\}\}")
DOLLAR = re.compile(r"\$\{([A-Za-z_][\w.-]*)\}")
PLACEHOLDER = re.compile(r"(?<![$\w])\{([A-Za-z_][\w.-]*)\}")


@bounded
def warnings_of(definition: SagaDefinition) -> list[str]:
    """One sentence per doubt, in the order of the steps. Children written in place are looked at too."""
    found = [*_context(definition), *_keys(definition)]
    at_start = defaultdict[str, list[str]](list)
    for need in needs_of(definition):
        if parts_of(need.name)[0] not in definition.context and need.name not in at_start[need.step]:
            at_start[need.step].append(need.name)
    for step in definition.steps:
        doubts = [*_undo(step), *_unknown_own(definition, step), *_action(definition, step), *_settings(step)]
        doubts += [*_key_header(step), *_braces(step)]
        doubts += [f"{{{name}}} is not in the context: each start has to give it" for name in at_start[step.step_id]]
        found += [f"step '{step.step_id}': {doubt}" for doubt in doubts]
    return found


def _context(definition: SagaDefinition) -> Iterator[str]:
    for key, value in definition.context.items():
        if any(SECRET.search(text) for text in texts_in(value)):
            yield f"context.{key}: a secret reference in the context is refused when used; write it into the action"


def _keys(definition: SagaDefinition) -> Iterator[str]:
    """Own keys that hardly mean what they say."""
    steps_by_key = defaultdict[str, list[str]](list)
    for step in definition.steps:
        if step.idempotency_key:
            steps_by_key[step.idempotency_key].append(step.step_id)
    for key, steps in steps_by_key.items():
        if len(steps) > 1:
            named = f"steps {', '.join(map(repr, steps[:10]))}"
            yield f"{named} have one idempotency_key, {short(key)}: what each sends holds its step_id, so it is another"
    if definition.idempotency_scope != "business":
        return
    if not steps_by_key:
        yield "idempotency_scope: business has no effect: no step has an idempotency_key"
    for key, steps in steps_by_key.items():
        which = f"step '{steps[0]}': with idempotency_scope: business"
        if placeholders(key):
            yield f"{which} a restart sends the same key again, and a service that honours it does nothing"
        else:
            yield f"{which} the key {short(key)} is the same in every run: put in what the business knows it by"


def _key_header(step: StepDefinition) -> Iterator[str]:
    """A key that an author wrote as a header is sent in the place of the one that Zen makes."""
    fields = ("forward_action", "compensation_action", "probe_action")
    for field in fields:
        action = getattr(step, field)
        if isinstance(action, ApiCall) and any(name.lower() == "idempotency-key" for name in action.headers):
            yield (
                f"{field}.headers: its Idempotency-Key replaces Zen's, so whatever else sends that value, a restart "
                "or a rerun too, may be answered as if it had been done; write idempotency_key on the step instead"
            )


def _undo(step: StepDefinition) -> Iterator[str]:
    action = step.forward_action
    reads = isinstance(action, ApiCall) and action.method in READING
    harmless = reads or isinstance(action, Wait | ChildSaga | Approval | Agent)
    if step.compensation_action is None and step.probe_action is None and not harmless and not step.pivot:
        yield "has no compensation_action and no probe_action: what it did, or may have done, stands after a rollback"


def _unknown_own(definition: SagaDefinition, step: StepDefinition) -> Iterator[str]:
    """What only the step's own output can fill in, which an unknown outcome does not leave."""
    own = own_names(definition, step, step.compensation_action)
    if own and step.probe_action is None:
        yield (
            f"its compensation uses {_listed(own)}; if the outcome stays unknown there is no output to take that from,"
            " and a person has to undo it: give a probe_action, or use an id that is known beforehand"
        )
    if "id" not in definition.context and "id" in forward_names(step) & _undo_names(step):
        yield (
            "its forward action and its compensation both use {id}; after an unknown outcome the compensation gets the"
            f" forward action's: write {{{step.step_id}.id}} for the step's own, or name the other step"
        )
    asked = own_names(definition, step, step.probe_action)
    if asked:
        yield (
            f"its probe_action uses {_listed(asked)}, which neither its forward action nor the context has, so it"
            " cannot ask: use an id that is known beforehand, or write {step.name} for another step's output"
        )


def _undo_names(step: StepDefinition) -> frozenset[str]:
    return action_placeholders(step.compensation_action.plain()) if step.compensation_action else frozenset()


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"{{{name}}}" for name in names)


def _action(definition: SagaDefinition, step: StepDefinition) -> Iterator[str]:
    for field in ("forward_action", "compensation_action", "probe_action"):
        action = getattr(step, field)
        if action is None:
            continue
        yield from _unread(field, action)
        if isinstance(action, Task) and action.handler is None:
            yield f"{field} is a task without a handler: it needs a registered handler, or an agent"
        if isinstance(action, ApiCall):
            yield from _call(field, action)
        if isinstance(action, Script):
            yield from _script(definition, field, action)


def _unread(field: str, action: Action) -> Iterator[str]:
    """Keys that the action's model does not know: a task gets them, and nothing else does."""
    known = MODELS[action.type].model_fields
    for key in list(action.model_extra or {})[:50]:
        close = nearest(key, [name for name in known if name not in action.model_fields_set])
        hint = f"; did you mean '{close}'?" if close and close != "type" else ""
        if not isinstance(action, Task):
            if key != "expect" or field != "probe_action":
                yield f"{field}.{key}: nothing reads it{hint}"
        elif hint:
            yield f"{field}.{key} is passed on as it is{hint}"


def _call(field: str, action: ApiCall) -> Iterator[str]:
    written = action.plain()
    given = [key for key in BODIES if written.get(key) is not None]
    if action.method in READING and given:
        yield f"{field} sends a {given[0]} with {action.method}; most services ignore it"
    kind = media_type(written)
    for key in ("payload", "body"):
        text = written.get(key)
        if kind == FORM and isinstance(text, str) and _mixes(text):
            yield f"{field}.{key} is a form written as text: a value with & or = in it adds fields of its own; use form"
    if isinstance(action.payload, dict | list) and kind and "json" not in kind and kind not in (FORM, "text/plain"):
        yield f"{field}.payload is sent as JSON, though its Content-Type is {kind}"
    hidden = [action.auth.bearer, (action.auth.basic or ["", ""])[1]] if action.auth else []
    if any(text and not _is_reference(text) for text in hidden):
        yield f"{field}.auth holds a password as it is, for everybody who may read the definition; use {{secret:NAME}}"


def _mixes(text: str) -> bool:
    """Whether a template has a placeholder beside other text."""
    return bool(placeholders(text)) and len(tokens_of(text)) > 1


def _is_reference(text: str) -> bool:
    """Whether a password is a reference, or comes from the context or a step."""
    return bool(SECRET.search(text) or placeholders(text))


def _braces(step: StepDefinition) -> Iterator[str]:
    """What looks like a placeholder of another language, and is sent otherwise."""
    for field in ("forward_action", "compensation_action", "probe_action", "approval"):
        action = getattr(step, field)
        for text in texts_in(template_parts(action.plain())) if action is not None else ():
            for name in DOUBLED.findall(text):
                yield f"{field}: {{{{{name}}}}} is sent as a text in braces; a placeholder has single ones"
            for name in DOLLAR.findall(text):
                yield f"{field}: ${{{name}}} is sent as a dollar sign and the value; leave the $ out if it is not meant"


def _script(definition: SagaDefinition, field: str, action: Script) -> Iterable[str]:
    known = {*definition.context, *(step.step_id for step in definition.steps)}
    written = sorted({name for name in PLACEHOLDER.findall(action.script) if _head(name) in known})
    return [f"{field}.script holds {{{name}}}, but script text is no template; pass it by `env`" for name in written]


def _settings(step: StepDefinition) -> Iterator[str]:
    if step.critical and step.default_output is not None:
        yield "default_output is used only with critical: false"
    if isinstance(step.forward_action, Wait | ChildSaga):
        unused = {"timeout_seconds", "timeout_minutes", "retry_count"} & step.model_fields_set
        for name in sorted(unused):
            yield f"{name} has no effect on a step of type {step.forward_action.type}"


def _head(name: str) -> str:
    return name.partition(".")[0]

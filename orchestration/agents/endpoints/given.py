"""What a door gives for a new endpoint, judged: every fault is told with the field, the value and the remedy."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from foundation.errors import BadInput
from foundation.secrets.masking import is_sensitive
from foundation.secrets.store import REFERENCE
from orchestration.agents.process.allow_list import MOST_HOSTS, problem_of
from orchestration.core.agent.agent_type import AgentType, is_agent_type, unknown_type
from orchestration.core.agent.prices import prices
from orchestration.core.definition.actions import SAGA_ID, VARIABLE_NAME
from orchestration.core.likeness import nearest
from orchestration.models import AgentEndpoint

MOST_SESSIONS, MOST_ARGS, MOST_ENV, LONGEST = 100, 100, 100, 4000
MOST_STALL_SECONDS = 86_400
CREDENTIAL = re.compile(
    r"\bsk-[\w-]{3,}|(?:sk|pk|rk)(?:-|_live_|_test_)[\w-]{8,}|gh[pousr]_\w{8,}|github_pat_\w+|glpat-\w|xox[abp]-|hf_\w{8,}"
    r"|AKIA[0-9A-Z]{8,}|AIza[\w-]{8,}|eyJ[\w-]{8,}\.|://[^/\s:@]*:[^/\s@]+@|-----BEGIN"
)
"""How keys of well-known services begin, a password in an address, a key in a file."""
KEYS = re.compile(r"(?:^|_)(?:keys?|pass|pat|creds?)(?:_?\d+)?$", re.IGNORECASE)
"""How variables end whose value is a credential, besides those that say so anywhere: `OPENAI_KEY`, `KEY_2`."""
PLAIN_KEYS = re.compile(
    r"(?:^|_)(?:sort|partition|cache|primary|foreign|group|order|row|shard|range|routing|public|hot|arrow|lookup|map"
    r"|index|cluster|column|field|join|unique|natural|composite|message|event|config|feature|metric|label|json|yaml"
    r"|translation|context|state|dedup|idempotency|ordering|sorting|grouping)_?keys?(?:_?\d+)?$",
    re.IGNORECASE,
)
"""Keys that open nothing: a column, a place in a cache, a public one."""
PLAIN_ENDS = re.compile(
    r"_(?:file|path|dir|sock|socket|mode|url|uri|endpoint|host|port|helper|method|provider|name|timeout|seconds|enabled"
    r"|version|style)$",
    re.IGNORECASE,
)
"""How variables end that tell about a credential, and hold none: `AUTH_MODE`, `SSH_AUTH_SOCK`, `API_KEY_FILE`."""
PROGRAMS: Mapping[str, str] = {
    "CLAUDE": "claude", "CODEX": "codex", "AIDER": "aider", "GEMINI": "gemini", "OPENCODE": "opencode",
}  # fmt: skip
"""The program of each type that the driver cli knows how to run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """An endpoint as it was written."""

    name: str
    agent_type: str
    driver: str
    command: str = ""
    args: Sequence[str] = ()
    url: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    model: str = ""
    concurrency: int = 1
    prices: Mapping[str, object] = field(default_factory=dict)
    sandbox: str = "if_possible"
    network: str = "host"
    hosts: Sequence[str] = ()
    writable: Sequence[str] = ()
    stall_seconds: float | None = None


def checked(given: Given) -> AgentEndpoint:
    """The row, not stored. Raises BadInput with every fault in `problems`; its message is the first."""
    faults = [*_names(given), *_way(given), *_env(given), *_numbers(given), *_sandbox(given)]
    if faults:
        first = faults[0]
        problems: list[dict[str, object]] = [{"field": f.field, "problem": f.in_words()} for f in faults]
        raise BadInput(first.message, field=first.field, value=first.value, remedy=first.remedy, problems=problems)
    amounts = prices(given.prices)
    kept = {} if amounts is None else {kind: str(value).strip() for kind, value in given.prices.items()}
    kind = AgentType(given.agent_type)
    return AgentEndpoint(
        name=given.name, agent_type=kind.value, driver=given.driver,
        command=given.command or (PROGRAMS[kind.value] if given.driver == "cli" else ""),
        args=list(given.args), url=given.url, env=dict(given.env), model=given.model, concurrency=given.concurrency,
        prices=kept, sandbox=given.sandbox, network=given.network,
        hosts=list(dict.fromkeys(host.lower() for host in given.hosts)), writable=list(given.writable),
        stall_seconds=given.stall_seconds,
    )  # fmt: skip


def _fault(field: str, value: object, message: str, remedy: str) -> BadInput:
    shown = str(value)[:80]
    told = f"{field}: '{shown}' {message}" if shown else f"{field} {message}"
    return BadInput(told, field=field, value=shown, remedy=remedy)


def _names(given: Given) -> list[BadInput]:
    found = []
    if not re.fullmatch(SAGA_ID, given.name):
        remedy = "write letters, digits, . _ and -, at most 100, beginning with a letter or digit"
        found.append(_fault("name", given.name, "is not a name for an endpoint", remedy))
    if not is_agent_type(given.agent_type):
        found.append(_fault("agent_type", given.agent_type, *unknown_type(given.agent_type)))
    if given.driver not in AgentEndpoint.DRIVERS:
        near = nearest(given.driver.lower(), AgentEndpoint.DRIVERS)
        remedy = f"did you mean '{near}'?" if near else f"the drivers are: {', '.join(AgentEndpoint.DRIVERS)}"
        found.append(_fault("driver", given.driver, "is not a driver", remedy))
    if len(given.model) > 200:
        found.append(_fault("model", given.model, "is longer than 200 characters", "give the model's name"))
    return found


def _way(given: Given) -> list[BadInput]:
    """Whether the driver gets what it needs to reach the agent, and nothing that it would ignore."""
    found = []
    if given.url and given.driver != "agentapi":
        remedy = "leave it out, or take the driver agentapi"
        found.append(_fault("url", given.url, f"has no meaning for the driver {given.driver}", remedy))
    if given.url and not _is_address(given.url):
        remedy = "write http:// or https:// with a host, and no password"
        found.append(_fault("url", given.url, "is not an address of a server", remedy))
    if given.driver == "acp" and not given.command:
        remedy = "name the program that speaks ACP, such as opencode with the arg acp"
        found.append(_fault("command", "", "is missing", remedy))
    if given.driver == "agentapi" and bool(given.url) == bool(given.command):
        remedy = "give either the url of a server that runs, or the command that starts one"
        message = "is given beside a command" if given.url else "and command are missing"
        found.append(_fault("url", given.url, message, remedy))
    if given.driver == "cli" and is_agent_type(given.agent_type) and AgentType(given.agent_type) not in PROGRAMS:
        remedy = f"the driver cli knows {', '.join(PROGRAMS)}; take the driver acp"
        found.append(_fault("agent_type", given.agent_type, "has no command line that the driver cli knows", remedy))
    if len(given.command) > 1000 or "\x00" in given.command:
        found.append(_fault("command", given.command, "is not a program", "name one program, its arguments as args"))
    elif len(given.command.split()) > 1 and not given.command.startswith("/"):
        first, *others = given.command.split()
        remedy = f"give '{first}' as command, and of its arguments each as an arg: {', '.join(others[:10])}"
        found.append(_fault("command", given.command, "is more than the name of a program", remedy))
    if len(given.args) > MOST_ARGS or any(len(one) > LONGEST or "\x00" in one for one in given.args):
        found.append(_fault("args", "", f"has more than {MOST_ARGS} arguments, or too long ones", "give fewer"))
    if any(CREDENTIAL.search(one) for one in (given.command, *given.args)):
        remedy = "give it by env, as a reference such as ANTHROPIC_API_KEY={secret:ANTHROPIC_API_KEY}"
        found.append(_fault("args", "", "hold what looks like a key, which would be shown to everybody", remedy))
    return found


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        is_whole = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return is_whole and "@" not in parts.netloc and len(url) <= 1000


def _env(given: Given) -> list[BadInput]:
    found = []
    if len(given.env) > MOST_ENV:
        found.append(_fault("env", "", f"has more than {MOST_ENV} variables", "give fewer"))
    for name, value in list(given.env.items())[:MOST_ENV]:
        if not re.fullmatch(VARIABLE_NAME, name) or len(name) > 200:
            remedy = "write letters, digits and _, not beginning with a digit"
            found.append(_fault("env", name, "is not a name of a variable", remedy))
        elif len(value) > LONGEST or "\x00" in value:
            found.append(_fault("env", name, "has too long a value", f"give at most {LONGEST} characters"))
        elif _is_open_credential(name, value):
            remedy = f"set ZEN_SECRET_{name.upper()} for the workers, and write {name}={{secret:{name.upper()}}}"
            found.append(_fault("env", name, "is a credential, which is never stored itself", remedy))
    return found


def _is_open_credential(name: str, value: str) -> bool:
    """Whether a value is a credential by its name or its look, and not only a reference to a secret."""
    rest = REFERENCE.sub("", value).strip()
    named = is_sensitive(name) or KEYS.search(name) is not None
    named = named and not PLAIN_KEYS.search(name) and not PLAIN_ENDS.search(name)
    return bool(rest) and (named or CREDENTIAL.search(rest) is not None)


def _numbers(given: Given) -> list[BadInput]:
    found = []
    if not 1 <= given.concurrency <= MOST_SESSIONS:
        remedy = f"give a whole number from 1 to {MOST_SESSIONS}"
        found.append(_fault("concurrency", given.concurrency, "is no number of sessions at once", remedy))
    if given.stall_seconds is not None and not 1 <= given.stall_seconds <= MOST_STALL_SECONDS:
        remedy = f"give seconds from 1 to {MOST_STALL_SECONDS}"
        found.append(_fault("stall_seconds", given.stall_seconds, "is no time to wait for an event", remedy))
    try:
        prices(given.prices)
    except ValueError as error:
        message, _, remedy = str(error).partition("; ")
        found.append(BadInput(message, field="prices", remedy=remedy))
    return found


def _sandbox(given: Given) -> list[BadInput]:
    found = []
    if given.sandbox not in AgentEndpoint.SANDBOXES:
        remedy = "if_possible: with bubblewrap where it is installed; required: refused without it; off: none"
        found.append(_fault("sandbox", given.sandbox, "is no way to confine an agent", remedy))
    if given.network not in AgentEndpoint.NETWORKS:
        remedy = "host: it connects as the worker does; none: to nothing but itself; hosts: to those of a list"
        found.append(_fault("network", given.network, "is no network of a sandbox", remedy))
    found += _hosts(given)
    if len(given.writable) > MOST_ARGS:
        found.append(_fault("writable", "", f"has more than {MOST_ARGS} folders", "give fewer"))
    wrong = [path for path in given.writable if not PurePosixPath(path).is_absolute() or len(path) > LONGEST]
    return [*found, *(_fault("writable", path, "is not an absolute path", "write it from /") for path in wrong[:20])]


def _hosts(given: Given) -> list[BadInput]:
    """Faults of the list, and of a sandbox that could not keep it: none is dropped silently."""
    if given.network != "hosts":
        told, remedy = ", ".join(given.hosts), "leave the hosts out, or take network hosts"
        return [_fault("hosts", told, "has no meaning without network hosts", remedy)] if given.hosts else []
    found = []
    if not given.hosts:
        remedy = "name at least one, such as api.openai.com or *.pypi.org:443; for none at all network none"
        found.append(_fault("hosts", "", "is missing", remedy))
    if len(given.hosts) > MOST_HOSTS:
        found.append(_fault("hosts", "", f"has more than {MOST_HOSTS} hosts", "give fewer; *.domain stands for many"))
    if given.sandbox == "off":
        remedy = "take sandbox required or if_possible: the list is kept in bubblewrap alone"
        found.append(_fault("sandbox", given.sandbox, "cannot keep a list of hosts", remedy))
    if given.driver == "agentapi":
        remedy = "take the driver acp or cli, or network host: its worker talks to it over the network"
        found.append(_fault("network", given.network, "cannot be kept with the driver agentapi", remedy))
    for host in given.hosts[:MOST_HOSTS]:
        problem = problem_of(host)
        if problem is not None:
            found.append(_fault("hosts", host, *problem))
    return found[:20]

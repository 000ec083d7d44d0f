"""Real coding agents, as their makers ship them, against a model on loopback: no key, no network, no cost.

Those that are on PATH, or in the folders that ZEN_TEST_AGENTS names, are tried; the others are skipped, but in CI there
has to be Codex. Each writes a file by its own tool, in our sandbox, and goes on in the same session.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from orchestration.agents.base import Answer, EndReason, Sandbox, SessionSpec, Usage
from orchestration.agents.drivers.choose import driver_for
from orchestration.core.agent.events import Event, Notice, SessionStarted, ToolDone
from tests.support.model_server import ModelServer, Script
from tests.support.servers.fixtures import missing

WHERE = os.pathsep.join((os.environ.get("ZEN_TEST_AGENTS", ""), os.environ.get("PATH", "")))
TEXT = "greets the moon\n"


@dataclass(frozen=True)
class Real:
    """How an agent is pointed at a model of ours: its environment, after `home` was furnished."""

    program: str
    driver: str
    furnish: Callable[[Path, str], dict[str, str]]
    args: tuple[str, ...] = ()
    model: str = ""
    says: str = "Done: the files are written."


def claude(home: Path, url: str) -> dict[str, str]:
    quiet = {"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "DISABLE_TELEMETRY": "1"}
    return {"ANTHROPIC_API_KEY": "not-a-real-one", "ANTHROPIC_BASE_URL": url, **quiet}


def codex(home: Path, url: str) -> dict[str, str]:
    provider = f'name="x"\nbase_url="{url}/v1"\nwire_api="responses"\nenv_key="X_KEY"\n'
    place = home / ".codex" / "config.toml"
    place.parent.mkdir()
    place.write_text(f'model="fake"\nmodel_provider="x"\n[model_providers.x]\n{provider}')
    return {"X_KEY": "not-a-real-one"}


def gemini(home: Path, url: str) -> dict[str, str]:
    place = home / ".gemini" / "settings.json"
    place.parent.mkdir()
    auth = {"security": {"auth": {"selectedType": "gemini-api-key"}}, "privacy": {"usageStatisticsEnabled": False}}
    place.write_text(json.dumps(auth))
    return {"GEMINI_API_KEY": "not-a-real-one", "GOOGLE_GEMINI_BASE_URL": url}


def opencode(home: Path, url: str) -> dict[str, str]:
    options = {"baseURL": f"{url}/v1", "apiKey": "not-a-real-one"}
    provider = {"npm": "@ai-sdk/openai-compatible", "options": options, "models": {"fake": {"name": "fake"}}}
    place = home / ".config" / "opencode" / "opencode.json"
    place.parent.mkdir(parents=True)
    place.write_text(json.dumps({"model": "x/fake", "provider": {"x": provider}, "autoupdate": False}))
    return {"OPENCODE_DISABLE_MODELS_FETCH": "1"}


def aider(home: Path, url: str) -> dict[str, str]:
    return {"OPENAI_API_KEY": "not-a-real-one", "OPENAI_API_BASE": f"{url}/v1"}


AGENTS = (
    Real("claude", "cli", claude),
    Real("codex", "cli", codex),
    Real("opencode", "cli", opencode, model="x/fake"),
    Real("opencode", "acp", opencode, args=("acp",)),
    Real("gemini", "cli", gemini, model="gemini-2.5-flash"),  # a name, so that no other model chooses one
    Real("aider", "cli", aider, ("--edit-format", "whole"), "openai/fake", f"a.txt\n```\n{TEXT}```\n"),
)


@pytest.fixture(params=AGENTS, ids=lambda one: f"{one.program}-{one.driver}")
def real(request: pytest.FixtureRequest) -> Real:
    found: Real = request.param
    if shutil.which(found.program, path=WHERE) is None:
        if found.program == "codex":
            missing("Codex", ".ci/run installs it; or name its folder in ZEN_TEST_AGENTS")
        pytest.skip(f"{found.program} is not installed")
    return found


@pytest.fixture
def spec(real: Real, worktree: Path, tmp_path: Path) -> Iterator[SessionSpec]:
    script = Script(files={str(worktree / "a.txt"): TEXT}, last=real.says)
    home = tmp_path / "home"
    home.mkdir()
    with ModelServer(script) as model:
        env = {"HOME": str(home), **real.furnish(home, model.url)}
        program = shutil.which(real.program, path=WHERE) or real.program
        yield SessionSpec(
            cwd=worktree,
            prompt="Write a.txt that greets the moon.",
            command=(program, *real.args),
            env=env,
            model=real.model,
            stall_seconds=120,
            deadline_seconds=300,
        )


@pytest.mark.slow
def test_it_writes_what_its_model_says_and_goes_on_in_the_same_session(
    real: Real, spec: SessionSpec, worktree: Path
) -> None:
    driver, events = driver_for(real.driver, real.program), list[Event]()

    used: list[Usage] = []

    def hold(spec: SessionSpec) -> tuple[EndReason, str]:
        ended = driver.run(spec, on_event=events.append, ask=lambda _: Answer(), cancelled=threading.Event())
        used.append(ended.usage)
        return ended.reason, ended.error

    health = driver.check(spec)
    assert health.usable and health.version, health
    assert hold(spec) == (EndReason.END_TURN, "")
    assert (worktree / "a.txt").read_text().strip() == TEXT.strip()
    assert any(isinstance(event, ToolDone) and event.succeeded for event in events)
    first = next(event for event in events if isinstance(event, SessionStarted))
    if real.program != "aider":
        events.clear()
        goes_on = replace(spec, session_id=first.session_id, used_before=used[0], prompt="Again.")
        assert hold(goes_on) == (EndReason.END_TURN, "")
        again = next(event for event in events if isinstance(event, SessionStarted))
        assert again.resumed and again.session_id == first.session_id
        assert real.driver != "cli" or used[1].total <= used[0].total / 2 + 1, "one call of its model, after two"


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch) -> str:
    """A host that the worker's resolver alone knows: whoever does not go by the proxy does not find it."""
    real = socket.getaddrinfo

    def look_up(host: Any, *more: Any, **given: Any) -> Any:
        return real("127.0.0.1" if host == "models.test" else host, *more, **given)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return "models.test"


@pytest.mark.slow
@pytest.mark.parametrize("host", ["127.0.0.1", "models.test"])
def test_its_model_is_all_that_it_reaches_where_its_list_names_nothing_else(
    real: Real, worktree: Path, tmp_path: Path, bubblewrap: None, named: str, host: str
) -> None:
    home, events = tmp_path / "home", list[Event]()
    home.mkdir()
    with ModelServer(Script(files={str(worktree / "a.txt"): TEXT}, last=real.says)) as model:
        where = f"{host}:{model.server_port}"
        spec = SessionSpec(
            cwd=worktree, prompt="Write a.txt that greets the moon.", stall_seconds=120, deadline_seconds=300,
            command=(shutil.which(real.program, path=WHERE) or real.program, *real.args), model=real.model,
            env={"HOME": str(home), **real.furnish(home, f"http://{where}")},
            sandbox=Sandbox(mode="required", network="hosts", hosts=(where,)),
        )  # fmt: skip
        driver = driver_for(real.driver, real.program)
        ended = driver.run(spec, on_event=events.append, ask=lambda _: Answer(), cancelled=threading.Event())
    print(*(event.text for event in events if isinstance(event, Notice)), sep="\n")
    assert (ended.reason, ended.error) == (EndReason.END_TURN, "")
    assert (worktree / "a.txt").read_text().strip() == TEXT.strip() and model.script.asked

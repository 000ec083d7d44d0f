"""The drivers api and script: services and programs of the author's own, judged and taken back by Zen."""

from __future__ import annotations

import json
import subprocess
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core import serializers
from pytest_django import Settings

from orchestration.core.deployment import DeploymentSpec, compile_deployment, validate_deployment
from orchestration.core.enums import Verb
from orchestration.models import Run
from orchestration.runs import act, start_run
from orchestration.runs.queries import run_view
from tests.support.peer import Peer
from tests.support.waiting import wait_until
from tests.system.contract.hosts import until
from tests.system.contract.sagas import ADA

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]
QUICK = {"window_seconds": 0.4, "interval_seconds": 0.1}
TOKEN = "tK9vQ7Zw3Hj5pLx2"


def begun(engine: str, strategy: str, commit: str, config: dict[str, Any]) -> Run:
    spec = DeploymentSpec(name="far", strategy=strategy, config=validate_deployment(config, strategy), commit=commit)
    definition = compile_deployment(spec)
    assert definition is not None
    handle = f"far.{uuid.uuid4().hex[:8]}"  # the servers that tests share remember names
    return start_run(definition=definition, actor=ADA, engine=engine, workflow_id=handle, compiled=True)[0]


def deployed(engine: str, strategy: str, commit: str, config: dict[str, Any]) -> Run:
    return until(begun(engine, strategy, commit, config))


def error(run: Run, step: str, purpose: str = "forward") -> str:
    return str(run.commands.filter(step_id=step, purpose=purpose).latest("id").error)


def api(peer: Peer, **more: Any) -> dict[str, Any]:
    """As in the guide: services of the author's own, the way back with the version before."""
    calls = {
        name: {
            "do": {
                "type": "api_call", "method": "POST", "url": f"{peer.url}/things/{name}",
                "payload": {"version": "{version}", "weight": "{weight}"},
            },
            "undo": {
                "type": "api_call", "method": "PUT", "url": f"{peer.url}/things/{name}",
                "payload": {"version": "{previous_version}"},
            },
        }
        for name in ("start", "switch")
    }  # fmt: skip
    return {"driver": "api", **calls, "health": f"{peer.url}/health", **QUICK, **more}


def sent(peer: Peer, method: str) -> list[tuple[str, Any]]:
    return [(call.path, json.loads(call.body)) for call in peer.seen if call.method == method]


def test_the_driver_api_calls_what_it_was_given_and_takes_it_back(engine: str, peer: Peer) -> None:
    peer.say("/health", 200)
    config = api(peer, previous_version="v0")
    assert deployed(engine, "canary", "v1", config | {"canary_weights": [20]}).status == "completed"
    assert sent(peer, "POST") == [
        ("/things/start", {"version": "v1", "weight": 100}),
        ("/things/switch", {"version": "v1", "weight": 20}),
        ("/things/switch", {"version": "v1", "weight": 100}),
    ]
    peer.say("/health", 503)
    run = deployed(engine, "blue_green", "v2", api(peer))
    row = run.commands.get(step_id="health", purpose="forward")
    assert run.status == "rolled_back" and row.detail["evidence"]["statuses"] == {"503": 1}
    assert sent(peer, "PUT") == [("/things/start", {"version": "v1"})]  # what the deployment before had deployed


def test_a_service_that_is_unwell_once_it_serves_has_the_traffic_taken_back(engine: str, peer: Peer) -> None:
    peer.say("/health", 200)
    config = api(peer, previous_version="v0", healthy_share=0.9) | {"window_seconds": 4}
    run = begun(engine, "blue_green", "v1", config)
    wait_until(lambda: "/things/switch" in peer.methods("POST"), "the switch")
    peer.say("/health", 500, {}, b"no database")
    assert until(run).status == "rolled_back", run_view(run)["error"]
    assert sent(peer, "PUT") == [(f"/things/{name}", {"version": "v0"}) for name in ("switch", "start")]
    evidence: Any = run.commands.get(step_id="watch", purpose="forward").detail["evidence"]
    assert evidence["healthy"] is False and evidence["statuses"]["500"] >= 1
    assert evidence["first_failure"]["excerpt"] == "no database" and evidence["window_began"] < evidence["window_ended"]
    assert "the new release is not healthy" in error(run, "watch") and "500" in error(run, "watch")


def test_a_version_before_that_nobody_knows_is_refused_at_once(engine: str, peer: Peer) -> None:
    run = deployed(engine, "blue_green", "v1", api(peer))
    assert run.status == "rolled_back" and peer.calls == []
    assert "say it in config.deployment.previous_version" in error(run, "release")


class Place:
    """Where the scripts of an author do their work: what is live, and the lines that they wrote."""

    def __init__(self, folder: Path, peer: Peer) -> None:
        self.folder, self.peer = folder, peer
        self.file("live").write_text("v0\n")
        peer.say("/health", 200)

    def file(self, name: str) -> Path:
        return self.folder / name

    @property
    def live(self) -> str:
        return self.file("live").read_text().strip()

    @property
    def lines(self) -> list[str]:
        return self.file("log").read_text().splitlines() if self.file("log").exists() else []

    def config(self, timeout_seconds: float = 720, **texts: str) -> dict[str, Any]:
        """`texts`: what the script of a change does instead, by `start`, `start_undo`, `switch`, `switch_undo`."""
        usual = {
            "start": 'echo "start $VERSION" >> log',
            "start_undo": 'echo "end $VERSION" >> log',
            "switch": 'echo "$VERSION" > live; echo "to $VERSION" >> log',
            "switch_undo": 'echo "$PREVIOUS" > live; echo "back to $PREVIOUS" >> log',
        }
        env = {"VERSION": "{version}", "PREVIOUS": "{previous_version}", "PLACE": str(self.folder),
               "TOKEN": "{secret:DEPLOY_TOKEN}"}  # fmt: skip

        def script(name: str) -> dict[str, Any]:
            return {"type": "script", "script": f'cd "$PLACE"\n{texts.get(name) or usual[name]}', "env": env}

        changes = {
            name: {"do": script(name), "undo": script(f"{name}_undo"), "timeout_seconds": timeout_seconds}
            for name in ("start", "switch")
        }
        return {"driver": "script", **changes, "health": f"{self.peer.url}/health", "previous_version": "v0", **QUICK}


@pytest.fixture
def place(tmp_path: Path, peer: Peer, settings: Settings) -> Place:
    settings.ZEN_SCRIPTS, settings.ZEN_SECRETS = "unsafe", {"DEPLOY_TOKEN": TOKEN}
    folder = tmp_path / "place"
    folder.mkdir()
    return Place(folder, peer)


def all_rows() -> str:
    """Everything that the database holds of ours."""
    models = [model for name in ("orchestration", "approvals", "monitoring", "notifications")
              for model in apps.get_app_config(name).get_models()]  # fmt: skip
    return "".join(serializers.serialize("json", model._default_manager.all()) for model in models)


def test_scripts_deploy_and_a_secret_is_with_them_alone(engine: str, place: Place) -> None:
    told = 'printf %s "$TOKEN" > token; echo "the token is $TOKEN"; echo "start $VERSION" >> log'
    run = deployed(engine, "blue_green", "v1", place.config(start=told))
    assert run.status == "completed", run_view(run)["error"]
    assert place.live == "v1" and place.lines == ["start v1", "to v1"]
    assert place.file("token").read_text() == TOKEN
    rows = all_rows()
    assert TOKEN not in rows and "the token is" in rows and "{secret:DEPLOY_TOKEN}" in rows


@pytest.mark.parametrize("step", ["start", "switch"])
def test_a_script_that_fails_takes_the_deployment_back_with_its_last_words(
    engine: str, place: Place, step: str
) -> None:
    run = deployed(engine, "blue_green", "v1", place.config(720, **{step: "echo out of disk >&2; exit 3"}))
    assert run.status == "rolled_back" and place.live == "v0"
    assert "the script ended with 3: out of disk" in error(run, step)
    assert place.lines == ([] if step == "start" else ["start v1", "end v1"])


def test_a_script_that_could_not_now_is_tried_again(engine: str, place: Place) -> None:
    text = '[ -e tried ] || { touch tried; exit 75; }; echo "$VERSION" > live'
    run = deployed(engine, "blue_green", "v1", place.config(switch=text))
    assert run.status == "completed" and place.live == "v1"
    assert run.commands.filter(step_id="switch", purpose="forward", kind="run_action").count() == 2


def test_a_script_that_takes_too_long_is_ended_and_what_it_did_is_taken_back(engine: str, place: Place) -> None:
    text = 'echo "$VERSION" > live; echo $$ > pid; sleep 98764 & sleep 98764'
    run = deployed(engine, "blue_green", "v1", place.config(timeout_seconds=3, switch=text))
    assert run.status == "rolled_back" and place.live == "v0", run_view(run)["error"]
    assert place.lines == ["start v1", "back to v0", "end v1"] and not alive(place)
    assert "time" in error(run, "switch")


def test_an_abort_in_the_middle_of_a_script_ends_it_and_takes_it_back(engine: str, place: Place) -> None:
    text = 'echo "$VERSION" > live; echo $$ > pid; sleep 98764 & sleep 98764'
    run = begun(engine, "blue_green", "v1", place.config(switch=text))
    wait_until(lambda: place.file("pid").exists() and place.file("pid").read_text().strip(), "the script")
    act(workflow_id=run.workflow_id, verb=Verb.ABORT, actor=ADA)
    assert until(run).status == "rolled_back" and place.live == "v0", run_view(run)["error"]
    assert place.lines == ["start v1", "back to v0", "end v1"] and not alive(place)


def alive(place: Place) -> bool:
    """Whether anything of the script is left: it, or what it had left behind."""
    group = place.file("pid").read_text().strip()
    found = subprocess.run(["pgrep", "-f", "sleep 98764"], capture_output=True, check=False).stdout
    return Path(f"/proc/{group}").exists() or bool(found.strip())


def test_scripts_that_are_off_deploy_nothing(engine: str, place: Place, settings: Settings) -> None:
    settings.ZEN_SCRIPTS = "off"
    run = deployed(engine, "blue_green", "v1", place.config())
    assert run.status == "rolled_back" and "ZEN_SCRIPTS=sandboxed" in error(run, "start") and place.lines == []

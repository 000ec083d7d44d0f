"""What is refused before it does harm, and where a person is asked."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from foundation.machine import tcp_ports
from orchestration.actions.task import TaskContext, find
from orchestration.core.enums import Verb
from orchestration.models import Run
from orchestration.projects.deployment.local import ports, processes
from orchestration.projects.deployment.local.folder import folder_of
from orchestration.runs import act
from orchestration.runs.queries import run_view
from tests.orchestration.projects.deployment.shop import Shop, answered, asking, faults
from tests.support.waiting import wait_until
from tests.system.contract.hosts import until
from tests.system.contract.sagas import ADA

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def stranger() -> Iterator[int]:
    """A port that somebody else has."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def error(run: Run, step: str, purpose: str = "forward") -> str:
    return run.commands.filter(step_id=step, purpose=purpose).latest("id").error


def test_a_port_that_somebody_has_is_refused_with_who(shop: Shop, stranger: int) -> None:
    run = until(shop.deploy(shop.commit("x"), port=stranger))
    assert run.status == "rolled_back"
    assert f"port {stranger} cannot be had (Address already in use; process " in error(run, "release")
    assert "give another port in config.deployment" in error(run, "release")
    assert shop.record.releases == {} and ports.leases() == {} and shop.processes() == []


def test_a_port_that_somebody_has_leaves_what_serves_alone(shop: Shop, stranger: int) -> None:
    until(shop.deploy(shop.commit("old")))
    assert until(shop.deploy(shop.commit("new"), port=stranger)).status == "rolled_back"
    assert shop.version() == "old"


def test_a_port_of_another_deployment_is_refused(shop: Shop) -> None:
    until(shop.deploy(shop.commit("x")))
    port = shop.record.port
    shop.name = "other"
    run = until(shop.deploy(shop.commit("x"), port=port))
    assert f"port {port} belongs to the deployment shop" in error(run, "release")


def test_a_process_whose_port_is_taken_meanwhile_gets_another(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[socket.socket] = []
    begin = processes.start

    def late(folder: Path, command: object, *, files: Path, port: int) -> None:
        if not taken:
            taken.append(socket.create_server(("127.0.0.1", port)))
        begin(folder, command, files=files, port=port)  # type: ignore[arg-type]

    monkeypatch.setattr(processes, "start", late)
    run = until(shop.deploy(shop.commit("x")))
    assert run.status == "completed", run_view(run)["error"]
    assert shop.version() == "x" and taken[0].getsockname()[1] not in {one.port for one in shop.record.backends()}
    taken[0].close()


def test_another_port_moves_the_deployment_there(shop: Shop) -> None:
    until(shop.deploy(shop.commit("old")))
    before = shop.record.port
    other = ports.lease(str(folder_of("shop").path))
    ports.give_back(other, str(folder_of("shop").path))
    assert until(shop.deploy(shop.commit("new"), port=other)).status == "completed"
    assert shop.record.port == other != before and shop.version() == "new" and not tcp_ports.holders_of(before)


def test_a_deployment_that_is_taken_back_gives_users_their_port_back(shop: Shop) -> None:
    until(shop.deploy(shop.commit("old")))
    before = shop.record.port
    other = ports.lease(str(folder_of("shop").path))
    ports.give_back(other, str(folder_of("shop").path))
    run = until(shop.deploy(shop.commit("new", sick_after=2), port=other, window_seconds=10))
    assert run.status == "rolled_back"
    assert shop.record.port == before and shop.version() == "old" and not tcp_ports.holders_of(other)
    assert other not in ports.leases()


def test_of_two_deployments_at_once_one_goes_on(shop: Shop) -> None:
    until(shop.deploy(shop.commit("old")))
    commit = shop.commit("new")
    first, second = shop.deploy(commit), shop.deploy(commit)
    assert {until(first).status, until(second).status} == {"completed", "rolled_back"}
    assert first.status == "completed" and shop.version() == "new"
    assert f"run '{first.workflow_id}' deploys 'shop' and is" in error(second, "release")


def test_a_way_back_that_fails_holds_the_run_for_a_person_and_a_retry_brings_blue_back(shop: Shop) -> None:

    until(shop.deploy(shop.commit("blue")))
    (blue,) = shop.record.routing
    app = folder_of("shop").files(blue.release) / "app.py"
    text = app.read_text()
    run = shop.deploy(shop.commit("green"), window_seconds=20)
    until(run, lambda r: shop.is_at(r, "watch"))
    (green,) = shop.record.routing
    app.write_text("import sys; sys.exit(9)")
    processes.stop(folder_of("shop").replica(blue.release, blue.replica))
    (folder_of("shop").files(green.release) / "sick").touch()
    assert until(run).status == "needs_attention"
    assert "cannot be started again" in error(run, "switch", "undo") and shop.version() == "green"
    app.write_text(text)
    act(workflow_id=run.workflow_id, verb=Verb.RESOLVE, actor=ADA, step_id="switch", answer="retry", note="mended")
    until(run, lambda r: r.status == "rolled_back")
    assert shop.version() == "blue"


def test_a_deployment_taken_back_after_a_newer_one_leaves_that_alone(shop: Shop) -> None:

    first = until(shop.deploy(shop.commit("one")))
    until(shop.deploy(shop.commit("two")))
    handler = find("zen.deploy.switch_back")
    assert handler is not None
    context = TaskContext(
        workflow_id=first.workflow_id, step_id="switch", purpose="undo",
        idempotency_key=f"{first.workflow_id}:switch:undo:1", cancelled=threading.Event(),
    )  # fmt: skip
    told = handler({"project": "shop", "deployment": {}}, context)
    assert isinstance(told, dict) and told["changed"] is False and "shop." in str(told["superseded_by"])
    assert shop.version() == "two"


def test_a_repository_elsewhere_and_a_commit_that_is_none_are_refused(shop: Shop, data: Path) -> None:
    shop.commit("x")
    run = until(shop.deploy("main"))
    assert "is no full commit id" in error(run, "release")
    run = until(shop.deploy("f" * 40))
    assert "git cannot make the files" in error(run, "release")
    shop.repository = shop.work
    run = until(shop.deploy("f" * 40))
    assert "is not one of a project; it has to be below" in error(run, "release") and shop.processes() == []


def test_a_release_sees_none_of_zens_data(shop: Shop, data: Path, settings: Settings) -> None:
    (data / "secret_key").write_text("hidden")
    snoop = f"import os; print('sees', os.listdir({str(data)!r}), os.environ.get('ZEN_SECRET_KEY'), flush=True)\n"
    run = until(shop.deploy(shop.commit("x", {"app.py": snoop + (shop.work / "app.py").read_text()})))
    assert run.status == "completed", run_view(run)["error"]
    (place,) = shop.record.routing
    log = processes.tail(folder_of("shop").replica(place.release, place.replica), 100_000)
    assert "sees ['deployments'] None" in log and "secret_key" not in log


def test_a_talkative_release_keeps_a_bounded_log(shop: Shop) -> None:
    flood = "print('x' * 200_000, flush=True)\n" * 30
    run = until(shop.deploy(shop.commit("x", {"app.py": flood + (shop.work / "app.py").read_text()})))
    assert run.status == "completed", run_view(run)["error"]
    (place,) = shop.record.routing
    folder = folder_of("shop").replica(place.release, place.replica)
    assert sum(file.stat().st_size for file in folder.glob("log*")) <= 2 * processes.LOG_BYTES


def test_open_requests_are_waited_for_and_those_that_last_too_long_are_cut(shop: Shop) -> None:
    until(shop.deploy(shop.commit("blue")))
    with asking(shop.url, "/slow=2") as clients:
        wait_until(lambda: sum(answered(clients).values()) > 0, "slow answers")
        assert until(shop.deploy(shop.commit("green"))).status == "completed"
    assert faults(clients) == []
    with asking(shop.url, "/slow=30"):
        run = shop.deploy(shop.commit("red"), drain_seconds=0.5)
        until(run)
    cut = run.commands.get(step_id="drain", purpose="forward").output
    assert isinstance(cut, dict) and cut["open_requests_cut"] == 4 and shop.version() == "red"


def test_an_old_release_is_asked_to_end_before_it_is_made_to(shop: Shop) -> None:
    polite = (
        "import signal\nsignal.signal(signal.SIGTERM, lambda *_: (print('says goodbye', flush=True), sys.exit(0)))\n"
    )
    app = (shop.work / "app.py").read_text()
    until(shop.deploy(shop.commit("old", {"app.py": app.replace("told =", f"{polite}told =", 1)})))
    (old,) = shop.record.routing
    assert until(shop.deploy(shop.commit("new", {"app.py": app}))).status == "completed"
    where = folder_of("shop").replica(old.release, old.replica)
    assert "says goodbye" in processes.tail(where) and processes.ended_with(where) == 0

"""`agent`: one attempt of a coding agent, from its lease to the verdict and the result that follows from it."""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from foundation.errors import ZenError
from foundation.secrets.store import MissingSecret
from orchestration.actions.base import Call, Result
from orchestration.agents import claims
from orchestration.agents.endpoints import check, health, lease
from orchestration.agents.endpoints.session import sandbox_of, spec_of
from orchestration.agents.process.private import sandbox_of_commands
from orchestration.agents.workspace.checks.judge import CannotCheck, Evidence
from orchestration.agents.workspace.repository import Repository
from orchestration.agents.workspace.worktree import Lost
from orchestration.attempt_log import current
from orchestration.core.agent.brief import brief
from orchestration.core.agent.session import Answer, Ended, EndReason, Question, Usage
from orchestration.core.agent.verdict import JUDGED, Next, Then, Verdict, facts_of, verdict_of
from orchestration.core.enums import Outcome
from orchestration.execution.agent_step import follows, forecast, money, questions, record, rework
from orchestration.execution.agent_step.asking import Asking, asked_for
from orchestration.execution.agent_step.holding import BY, Stop, held, well
from orchestration.execution.agent_step.record import Record
from orchestration.execution.agent_step.result import detail_of, result_of
from orchestration.execution.agent_step.work import Work, branch_of, home_of, repository_of
from orchestration.execution.claim_check import TakenOver
from orchestration.models import AgentAttempt, AgentEndpoint, Command, Run

FOR_CHECKS = 0.1
"""The share of an attempt's time that is kept for the checks."""
LEAST_CHECK_SECONDS = 60.0
PAID = (EndReason.END_TURN, EndReason.MAX_TURNS)
"""Ends of sessions whose work is judged, also by the worker after a lost one."""
TAKEN = "another worker has the attempt by now"
ASKED = (Verdict.DENIED, Verdict.BLOCKED)
"""Verdicts of attempts that asked people: these find no fault with the work."""


def agent(call: Call) -> Result:
    """One attempt. Failed: nothing was accepted, and why. Parked: no endpoint can be had now.

    Raises for faults of the machinery: git, the database, no room for processes; TakenOver once another worker performs
    the attempt.
    """
    try:
        asking = asked_for(call.action)
    except ValueError as error:
        return Result(outcome=Outcome.FAILED, error=str(error))
    return attempted(call, asking)


def attempted(call: Call, asking: Asking) -> Result:
    """The same, for what was asked."""
    try:
        claims.require_current()
        return _attempted(call, asking)
    except (Lost, claims.Superseded) as taken:
        raise TakenOver(str(taken)) from None


def _attempted(call: Call, asking: Asking) -> Result:
    run = Run.objects.select_related("parent").get(workflow_id=call.workflow_id)
    attempt = record.attempt_of(call, run.pk, _claim(run, call))
    earlier = record.before(attempt)
    if (accepted := _accepted(earlier, attempt)) is not None:
        lease.give_back_earlier(attempt)
        return result_of(Next(then=Then.MERGE), accepted, (), acts_outside=False)
    begin = questions.beginning(call, run, earlier, asking.budget)
    if isinstance(begin, Result):
        return begin
    left = None if begin.budget is None else begin.budget - record.spent(attempt)
    if left is not None and left <= 0:
        error = f"the budget of the step, {asking.budget:f}, is spent; raise it in a new version of the saga"
        return Result(outcome=Outcome.FAILED, error=error, detail={"verdict": Verdict.OVER_BUDGET.value})
    short = forecast.asked_first(call, run) or money.asked_first(call, run, begin)
    if short is not None:
        return short
    try:
        taken = well(asking.agent_type, attempt, begin.avoid)
    except lease.NoEndpoint as none:
        return Result(outcome=Outcome.FAILED, error=str(none))
    if isinstance(taken, lease.NoneFree):
        return Result(outcome=Outcome.PARKED, error=taken.why, retry_after=taken.wait_seconds)
    with held(taken, attempt, call.cancelled) as stop:
        doing = _Doing(
            call=call, asking=asking, run=run, attempt=attempt, endpoint=taken.endpoint, earlier=tuple(earlier),
            begin=begin, left=left, stop=stop, deadline=time.monotonic() + call.timeout_seconds,
        )  # fmt: skip
        return doing.result()


def _accepted(earlier: list[AgentAttempt], attempt: lease.Attempt) -> AgentAttempt | None:
    """What a lost worker had accepted of this very attempt, and could not store: its session is paid for."""
    return next((row for row in earlier if row.attempt == attempt.attempt and row.verdict == Verdict.DONE), None)


def _claim(run: Run, call: Call) -> int:
    """The epoch of the attempt's claim: the one under which this thread performs it, not that of whoever may have taken
    it over since.
    """
    mine = current.current()
    if mine is not None:
        return mine.claim
    rows = Command.objects.filter(
        run=run, kind="run_action", step_id=call.step_id, purpose=call.purpose, iteration=call.iteration,
        attempt=call.attempt,
    )  # fmt: skip
    return rows.values_list("epoch", flat=True).first() or 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Doing:
    """The attempt while its endpoint is held."""

    call: Call
    asking: Asking
    run: Run
    attempt: lease.Attempt
    endpoint: AgentEndpoint
    earlier: tuple[AgentAttempt, ...]
    begin: questions.GoOn
    left: Decimal | None
    stop: Stop
    deadline: float

    def result(self) -> Result:
        """Do it, and say what came of it."""
        home = home_of(self.run)
        branch = self.asking.branch or branch_of(home, self.call.step_id)
        paid = next((row for row in reversed(self.earlier) if self._is_paid(row)), None)
        try:
            repository = repository_of(home, self.asking.repository)
            work = Work.found(repository, home, branch) if paid is not None else None
            if paid is not None and work is not None:
                return self._judged(work, Record(paid, self.endpoint), record.ended_of(paid))
            if paid is not None:
                Record(paid, self.endpoint).judged(Verdict.CRASHED, ["its worktree is gone"])
            work = Work.found(repository, home, branch) if self.begin.resume is not None else None
            work = work or self._fresh(repository, home, branch)
        except ZenError as error:
            return Result(outcome=Outcome.FAILED, error=error.in_words())
        with money.reserved(self.run, self.call.step_id, self.left) as amount:
            kept = money.is_enough(amount) and Record.begun(
                self.attempt, self.endpoint, branch=branch, base=work.base, reserved=amount
            )
        if not kept:  # another attempt took the last of it
            return Result(outcome=Outcome.PARKED, error=money.TAKEN, retry_after=0.0)
        ended = self._session(work, kept)
        kept.session_ended(ended)
        health.note_end(self.endpoint.pk, ended, by=BY)
        return self._given_up(work, kept) if ended.reason is EndReason.CANCELLED else self._judged(work, kept, ended)

    def _fresh(self, repository: Repository, home: Run, branch: str) -> Work:
        """A rework of what was accepted before begins with it, where nothing else was merged since."""
        if self.asking.merges:
            return Work.merging(repository, home, branch, self.asking.merges)
        work = Work.begun(repository, home, branch)
        made = rework.accepted_before(self.run, self.call)
        if made is not None and made.base == work.base:
            work.laid_over(made.commit)
        return work

    def _is_paid(self, row: AgentAttempt) -> bool:
        """Whether a lost worker had held this very attempt's session to its end: then it is only judged."""
        is_this = row.attempt == self.attempt.attempt
        return is_this and not row.verdict and row.ended in PAID

    def _session(self, work: Work, kept: Record) -> Ended:
        asking, told = self.asking, self.begin.told or rework.wanted(self.run, self.call)
        facts = [fact for row in self.earlier for fact in row.facts if row.verdict not in ASKED]
        prompt = brief(
            asking.prompt, context_files=asking.context_files, files=asking.files, checks=asking.checks, facts=facts,
            changes=asking.changes, told=told, goes_on=self.begin.resume is not None,
        )  # fmt: skip
        seconds = max(1.0, (self.deadline - time.monotonic()) * (1 - FOR_CHECKS if asking.checks else 1))
        about = {
            "ZEN_ATTEMPT": str(1 + len({row.attempt for row in self.earlier} - {self.call.attempt})),
            "ZEN_TASK_ID": self.call.step_id,
        }
        env = {**work.worktree.env, **about}
        try:
            spec = spec_of(
                self.endpoint, cwd=work.worktree.path, prompt=prompt, env=env, max_turns=asking.max_turns,
                deadline_seconds=seconds, stall_seconds=asking.stall_seconds,
                max_cost_usd=self.left if kept.row.reserved is None else kept.row.reserved,
                **self._session_before(),
            )  # fmt: skip
        except MissingSecret as error:
            return Ended(reason=EndReason.AUTH, error=str(error))
        spec = dataclasses.replace(spec, sandbox=work.repository.layout.sandboxed(spec.sandbox))
        return check.driver_of(self.endpoint).run(spec, on_event=kept.tell, ask=self._known, cancelled=self.stop)

    def _session_before(self) -> dict[str, Any]:
        """The session that goes on, and what it has used; nothing for a new one. Another endpoint does not have it."""
        before = self.begin.resume
        if before is None or not before.session_id or before.endpoint_id != self.endpoint.pk:
            return {}
        here = [row for row in self.earlier if row.endpoint_id == before.endpoint_id]
        rows = [row for row in here if row.session_id == before.session_id]
        return {
            "session_id": before.session_id,
            "used_before": sum((record.usage_of(row) for row in rows), Usage()),
            "cost_before": sum((row.cost or Decimal(0) for row in rows), Decimal(0)),
        }

    def _known(self, question: Question) -> Answer | None:
        """What people have said to this before; nobody can answer while an attempt runs."""
        return questions.known_answer(self.run, self.call, question)

    def _given_up(self, work: Work, kept: Record) -> Result:
        is_wanted = not self.call.cancelled.is_set()
        if is_wanted and kept.row.ended in PAID:  # whoever has the claim judges what is paid for
            raise TakenOver(TAKEN)
        kept.judged(Verdict.CRASHED, [TAKEN if is_wanted else "the run gave the attempt up"])
        if is_wanted:
            raise TakenOver(TAKEN)
        work.worktree.remove()
        why, acts = "the agent was stopped, as the run no longer wants its result", self.asking.acts_outside
        outcome = Outcome.UNKNOWN if acts else Outcome.FAILED
        return Result(outcome=outcome, maybe=acts, error=why, detail=detail_of(kept.row))

    def _judged(self, work: Work, kept: Record, ended: Ended) -> Result:
        asking, row, of_agent = self.asking, kept.row, sandbox_of(self.endpoint)
        sha, notes = work.committed(self._title(ended), task=self.call.step_id, requirements=asking.requirements)
        row.commit = sha or ""
        checks = asking.checks if ended.reason in JUDGED else ()
        try:
            evidence = work.examined(
                sha, checks, notes=notes, changes=asking.changes,
                sandbox=sandbox_of_commands(of_agent.network, of_agent.hosts),
                seconds=max(LEAST_CHECK_SECONDS, self.deadline - time.monotonic()), cancelled=self.stop,
            )  # fmt: skip
            left = work.left_of_conflict(sha) if asking.merges and sha else None
            evidence = dataclasses.replace(evidence, checks=(*evidence.checks, left)) if left else evidence
        except CannotCheck as error:
            kept.judged(Verdict.BLOCKED, [str(error)])
            return Result(outcome=Outcome.FAILED, error=str(error), detail=detail_of(row))
        if self.stop.is_set():
            return self._given_up(work, kept)
        verdict = verdict_of(ended, evidence.diff, evidence.checks, evidence.tampering, diff_due=asking.changes)
        facts = facts_of(ended, evidence.diff, evidence.checks, evidence.tampering)
        _keep(row, evidence)
        kept.judged(verdict, facts)
        rows = [one for one in self.earlier if one.verdict and one.pk != row.pk] + [row]
        then = follows.follows(self.run, self.call.step_id, rows, retry_at=ended.retry_at)
        if not then.resume:
            work.worktree.remove()
        if follows.goes_on_with_the_pool(rows, self.begin.budget):
            return Result(outcome=Outcome.PARKED, error=money.MORE, retry_after=0.0, detail=detail_of(row))
        if follows.is_put_to_people(self.call, self.run, then):
            return questions.put(self.call, self.run, rows, then)
        return result_of(then, row, facts, acts_outside=asking.acts_outside)

    def _title(self, ended: Ended) -> str:
        title = self.call.title or self.call.step_id
        said = next((line.strip() for line in ended.text.splitlines() if line.strip()), "")
        return f"{title}\n\n{said[:500]}" if said else title


def _keep(row: AgentAttempt, evidence: Evidence) -> None:
    row.diff = evidence.diff.to_json()
    row.checks = [one.to_json() for one in evidence.checks]
    row.tampering = list(evidence.tampering)[:100]
    row.evidence = {one.command[:200]: one.digest for one in evidence.checks}

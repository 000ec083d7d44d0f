"""The figures as plain values, and as a table for people."""

from __future__ import annotations

from typing import Any

from tools.chaos.judge import GOAL_SECONDS, Figures, percentile

FAULTY = ("lost", "stuck", "ended_otherwise", "doubled", "effects_missing", "undo_missing", "undo_out_of_order")
EXAMPLES = 20


def shown(found: Figures) -> dict[str, Any]:
    """Counts, and of what must be none up to 20 examples."""
    faults: dict[str, list[str]] = {name: getattr(found, name) for name in FAULTY}
    return {
        "started": found.started,
        "ended": found.ended,
        **{name: len(cases) for name, cases in faults.items()},
        "repeated_after_a_fault": found.repeated_after_a_fault,
        "recovery_seconds": {
            "samples": len(found.recovery),
            **{f"p{percent}": round(percentile(found.recovery, percent), 2) for percent in (50, 95)},
            "max": round(max(found.recovery, default=0.0), 2),
            "slowest": found.slowest,
        },
        "examples": {name: cases[:EXAMPLES] for name, cases in faults.items() if cases},
    }


def printed(told: dict[str, Any]) -> str:
    engines = told["engines"]
    rows = [("", *engines)]
    for name in ("started", "ended", *FAULTY, "repeated_after_a_fault"):
        rows.append((name.replace("_", " "), *(str(engine[name]) for engine in engines.values())))
    for name in ("p50", "p95", "max"):
        rows.append((f"recovery {name}, s", *(str(engine["recovery_seconds"][name]) for engine in engines.values())))
    lines = ["  ".join([f"{row[0]:<26}", *(f"{cell:>9}" for cell in row[1:])]) for row in rows]
    faults = ", ".join(f"{number} {kind}" for kind, number in told["faults"].items())
    whole = "whole" if told["audit_whole"] else "NOT WHOLE"
    speed = "in time" if told["recovers_in_time"] else "TOO SLOW"
    command = f"make chaos SEED={told['seed']} SECONDS={told['seconds']:g}"
    lines += [
        f"faults: {faults}; {told['lost_commits']} answers to COMMIT lost",
        f"audit {whole}; processes left behind: {told['left_behind']}; goal of recovery p95: under {GOAL_SECONDS:g} s",
        f"{'clean' if told['clean'] else 'NOT CLEAN'}, {speed}; again: {command}",
    ]
    return "\n".join(lines)

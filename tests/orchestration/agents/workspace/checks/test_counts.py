"""What runners print and what it counts to. Go, Cargo, node and pytest were tried for real; the others were not."""

from __future__ import annotations

import time

import pytest

from orchestration.agents.workspace.checks.counts import counts_of

CARGO = """
running 4 tests
test tests::a ... ok
test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s

   Doc-tests a
test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 2 filtered out; finished in 0.00s
"""
GO = """
=== RUN   TestA
--- PASS: TestA (0.00s)
=== RUN   TestB
    a_test.go:5: later
--- SKIP: TestB (0.00s)
=== RUN   TestC/one
    --- FAIL: TestC/one (0.00s)
FAIL
ok  \texample.com/a\t0.002s
"""


@pytest.mark.parametrize(
    ("output", "counts"),
    [
        ("..\n2 passed in 0.01s\n", (2, 0, 0)),
        ("\x1b[32m===== \x1b[32m\x1b[1m2 passed\x1b[0m, 1 skipped\x1b[32m in 0.01s\x1b[0m =====\n", (2, 0, 1)),
        ("==== 1 failed, 2 passed, 3 skipped, 1 deselected, 1 xfailed, 2 warnings, 1 error in 1.02s ====\n", (2, 2, 5)),
        ("==== 2 passed in 61.02s (0:01:01) ====\n", (2, 0, 0)),
        ("1 passed in 0.1s\n4 passed in 0.2s\n", (5, 0, 0)),
        ("no tests ran in 0.00s\n", (0, 0, 0)),
        ("Ran 3 tests in 0.001s\n\nOK (skipped=1, expected failures=1)\n", (1, 0, 2)),
        ("Ran 3 tests in 0.001s\n\nFAILED (failures=1, errors=1)\n", (1, 2, 0)),
        ("Ran 0 tests in 0.000s\n\nNO TESTS RAN\n", (0, 0, 0)),
        ("Tests:       1 failed, 1 skipped, 1 todo, 2 passed, 5 total\n", (2, 1, 2)),
        ("      Tests  2 passed | 1 skipped (3)\n", (2, 0, 1)),
        ("  3 passing (5ms)\n  1 pending\n  2 failing\n", (3, 2, 1)),
        ("# tests 4\n# pass 2\n# fail 1\n# cancelled 0\n# skipped 1\n# todo 0\n", (2, 1, 1)),
        ("\u2139 tests 1\n\u2139 pass 1\n\u2139 fail 0\n\u2139 skipped 0\n", (1, 0, 0)),
        (CARGO, (3, 0, 3)),
        (GO, (1, 1, 1)),
        ("ok  \texample.com/a\t0.002s\nok  \texample.com/b\t0.002s [no tests to run]\n", (1, 0, 0)),
        ("?   \texample.com/a\t[no test files]\n", (0, 0, 0)),
        ("OK\n", None),
        ("in 3 seconds 2 passed by\n", None),
        ("", None),
    ],
)
def test_counts(output: str, counts: tuple[int, int, int] | None) -> None:
    found = counts_of(output)
    assert (found and (found.passed, found.failed, found.skipped)) == counts


@pytest.mark.parametrize(
    "output",
    [
        "\n" * 64_000, " \n" * 32_000, f"Tests:{' ' * 64_000}", f"Ran 1 test in 1s{chr(10) * 64_000}", "1" * 64_000,
        f"{'1' * 60_000} a in 1s", "1 a" * 21_000, f"{'=' * 64_000} ", "Tests: " * 9_000,
        f"Ran 1 test in 1s\n\nOK ({'a' * 60_000})", "ok a " * 12_000, "ok\n" * 20_000,
    ],
    ids=lambda text: text[:20],
)  # fmt: skip
def test_whatever_is_printed_is_read_at_once(output: str) -> None:
    """Of what the code under test prints; while a pattern is searched, no other thread of the worker goes on."""
    began = time.thread_time()
    counts_of(output)
    assert time.thread_time() - began < 5


def test_a_number_that_is_none_breaks_nothing() -> None:
    assert counts_of(f"{'1' * 5000} passed in 1s") is None

"""What is tampering with tests, and what is not: each case is a repository before and after."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import pytest

from orchestration.agents.workspace.checks.tampering import LARGEST, tampering
from orchestration.agents.workspace.commit import Trailers, commit
from orchestration.agents.workspace.git import Git
from orchestration.agents.workspace.repository import Repository
from orchestration.agents.workspace.worktree import Worktree
from tests.orchestration.agents.workspace.work import task

BEFORE = """\
import pytest
from shop import price

def check(value):
    assert value > 0
    assert value < 10

def test_price():
    assert price() == 3
    assert price(tax=True) == 4

def test_range():
    check(price())

@pytest.mark.parametrize("count", [1, 2, 3])
def test_many(count):
    assert price(count) == 3 * count

class TestShop:
    def test_open(self):
        with pytest.raises(ValueError):
            price(-1)
"""
UNIT = """\
import unittest
class ShopTest(unittest.TestCase):
    def test_a(self):
        self.assertEqual(1, 1 + 0)
        self.assertTrue(shop())
"""
SCRIPT = """\
describe('shop', () => {
  it('opens', () => { expect(open()).toBe(true); expect(open()).toBeDefined(); });
  test("closes", () => { expect(close()).toBe(true); });
});
"""
GO = 'package a\nfunc TestA(t *testing.T) {\n\tif a() != 1 {\n\t\tt.Fatal("a")\n\t}\n}\n'
RUST = "fn a() {}\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn adds() {\n        assert_eq!(2, 1 + 1);\n    }\n}\n"
JAVA = "class ATest {\n  @Test\n  void adds() { assertEquals(2, 1 + 1); }\n}\n"
RUBY = "describe 'a' do\n  it 'adds' do\n    expect(1 + 1).to eq 2\n  end\nend\n"
PYPROJECT = """\
[project]
name = "shop"
[tool.pytest.ini_options]
addopts = "-q --strict-markers"
testpaths = ["tests", "more"]
[tool.coverage.report]
fail_under = 90
omit = ["a.py"]
"""
MAKEFILE = "all: build\n\ntest: build\n\tpytest -q\n\nbuild:\n\ttrue\n"
PACKAGE = '{"name": "a", "scripts": {"test": "jest", "build": "tsc"}, "jest": {"testMatch": ["**/a"]}}'

SHOP, WEB = "tests/test_shop.py", "web/shop.test.ts"
FILES = {
    "tests/test_shop.py": BEFORE,
    "tests/test_unit.py": UNIT,
    "web/shop.test.ts": SCRIPT,
    "a_test.go": GO,
    "src/lib.rs": RUST,
    "src/ATest.java": JAVA,
    "spec/a_spec.rb": RUBY,
    "pyproject.toml": PYPROJECT,
    "Makefile": MAKEFILE,
    "package.json": PACKAGE,
    "setup.cfg": "[metadata]\nname = a\n[tool:pytest]\naddopts = -q\n",
    ".coveragerc": "[run]\nomit =\n    a.py\n",
    "tests/conftest.py": "import pytest\n",
}


def found(repository: Repository, files: dict[str, str | None]) -> list[str]:
    base = task(repository, "t0", FILES)
    return tampering(repository.git, base, task(repository, "t1", files, at=base))


def changed(name: str, old: str, new: str) -> dict[str, str | None]:
    assert old in FILES[name]
    return {name: FILES[name].replace(old, new)}


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"tests/test_unit.py": None}, "tests/test_unit.py: ShopTest.test_a was deleted"),
        (changed(SHOP, "def test_range():\n    check(price())\n", ""), "test_range was deleted"),
        (changed(SHOP, "def test_range", "def range"), "test_range was deleted"),
        (changed(SHOP, "def test_price", "@pytest.mark.skip\ndef test_price"), "test_price is skipped"),
        (
            changed(SHOP, "def test_price", "@pytest.mark.xfail(strict=False)\ndef test_price"),
            "test_price is skipped",
        ),
        (changed(SHOP, "    assert price() == 3", "    pytest.skip('later')\n    assert price() == 3"), "skipped"),
        (changed(SHOP, "    assert price() == 3", "    return\n    assert price() == 3"), "does nothing"),
        (changed(SHOP, "import pytest\n", "import pytest\npytestmark = pytest.mark.skip\n"), "test_price is"),
        (
            changed(SHOP, "import pytest\n", "import pytest\npytest.skip('x', allow_module_level=True)\n"),
            "test_price is skipped",
        ),
        (changed(SHOP, "class TestShop:\n", "class TestShop:\n    __test__ = False\n"), "test_open is"),
        (changed(SHOP, "    assert price(tax=True) == 4\n", ""), "asserts less: 1 times instead of 2"),
        (changed(SHOP, "assert price(tax=True) == 4", "assert True"), "asserts less"),
        (changed(SHOP, "price(tax=True) == 4", "price(tax=True) == 4 or True"), "asserts less"),
        (changed(SHOP, "price(tax=True) == 4", "price() == price()"), "asserts less"),
        (changed(SHOP, "    assert value < 10\n", ""), "test_range asserts less: 1 times instead of 2"),
        (changed(SHOP, "[1, 2, 3]", "[1]"), "test_many runs with fewer values: 1 instead of 3"),
        (
            changed(SHOP, "        with pytest.raises(ValueError):\n            price(-1)", "        pass"),
            "TestShop.test_open is skipped, or does nothing any more",
        ),
        (changed(SHOP, "def test_price():", "def test_price(:"), "4 tests cannot be read"),
        (changed("tests/test_unit.py", "    def test_a", "    @unittest.skipIf(1, '')\n    def test_a"), "is skipped"),
        (changed("tests/test_unit.py", "        self.assertTrue(shop())\n", ""), "ShopTest.test_a asserts less"),
        (changed(WEB, "it('opens'", "it.skip('opens'"), "web/shop.test.ts: opens is skipped"),
        (changed(WEB, "describe('shop'", "describe.skip('shop'"), "closes is skipped"),
        (changed(WEB, 'test("closes"', 'xtest("closes"'), "closes is skipped"),
        (changed(WEB, "it('opens'", "it.only('opens'"), "opens is skipped"),
        (changed(WEB, " expect(open()).toBeDefined();", ""), "opens asserts less"),
        (changed(WEB, "expect(close())", "// expect(close())"), "closes asserts less"),
        (changed("a_test.go", "\tif a()", "\tt.Skip()\n\tif a()"), "a_test.go: TestA is skipped"),
        (changed("a_test.go", "package a", "//go:build ignore\n\npackage a"), "TestA is skipped"),
        ({"a_test.go": None}, "TestA was deleted"),
        (changed("src/lib.rs", "#[test]", "#[test]\n    #[ignore]"), "adds is skipped"),
        (changed("src/lib.rs", "assert_eq!(2, 1 + 1);", ""), "adds asserts less"),
        (changed("src/ATest.java", "@Test\n", "@Test\n  @Disabled\n"), "adds is skipped"),
        (changed("spec/a_spec.rb", "  it 'adds'", "  xit 'adds'"), "adds is skipped"),
        (changed("pyproject.toml", '-q --strict-markers"', '-q --strict-markers -k price"'), "leaves out tests: -k"),
        (changed("pyproject.toml", '"tests", "more"', '"tests"'), "testpaths leaves out: more"),
        (changed("pyproject.toml", "fail_under = 90", "fail_under = 10"), "fail_under was 90 and is 10"),
        (changed("pyproject.toml", "fail_under = 90\n", ""), "fail_under was 90 and is gone"),
        (changed("pyproject.toml", '["a.py"]', '["a.py", "shop.py"]'), "omit leaves out more: shop.py"),
        (changed("Makefile", "\tpytest -q", "\ttrue"), "Makefile: recipe.test was"),
        (changed("Makefile", "\tpytest -q", "\tpytest -q || true"), "Makefile: recipe.test was"),
        (changed("package.json", '"jest"', '"true"'), "package.json: scripts.test was 'jest' and is 'true'"),
        (changed("setup.cfg", "-q", "-q --deselect tests/test_shop.py::test_price"), "leaves out tests: --deselect"),
        (changed(".coveragerc", "    a.py\n", "    a.py\n    shop.py\n"), "leaves out more: shop.py"),
        ({"pytest.ini": "[pytest]\naddopts = --ignore=tests\n"}, "pytest.addopts leaves out tests: --ignore"),
        ({"conftest.py": "def pytest_collection_modifyitems(items):\n    items.clear()\n"}, "decides which tests run"),
        ({"tests/conftest.py": "collect_ignore = ['test_shop.py']\n"}, "'collect_ignore' decides which tests run"),
        ({"pytest.py": "print('1 passed in 0.1s')\n"}, "pytest.py: takes the place of the test runner"),
        ({"sitecustomize.py": "import os\n"}, "sitecustomize.py: takes the place of"),
    ],
)  # fmt: skip
def test_what_weakens_tests_is_named(repository: Repository, files: dict[str, str | None], told: str) -> None:
    lines = found(repository, files)
    assert any(told in line for line in lines), lines


@pytest.mark.parametrize(
    "files",
    [
        {"shop.py": "def price(): ...\n", "README.md": "x"},
        {"tests/test_new.py": "import pytest\n@pytest.mark.skipif(True, reason='')\ndef test_new(): ...\n"},
        {"tests/test_new.py": "def test_new():\n    assert 1 + 1 == 2\n"},
        {"tests/conftest.py": "import pytest\n@pytest.fixture\ndef shop():\n    return 1\n"},
        {"tests/test_shop.py": None, "tests/shop/test_shop.py": BEFORE},
        {"tests/test_shop.py": BEFORE + "\ndef test_more():\n    assert price()\n"},
        changed(SHOP, "def test_price", "def test_price_and_tax"),
        changed(SHOP, "def check(value):\n", "def check(value):\n    assert value\n"),
        changed(SHOP, "[1, 2, 3]", "[1, 2, 3, 4]"),
        changed(SHOP, "    check(price())", "    value = price()\n    assert value > 0\n    assert value < 10"),
        changed("tests/test_unit.py", "self.assertEqual(1, 1 + 0)", "self.assertEqual(1 + 0, 1, 'one')"),
        changed(WEB, "it('opens'", "it('shuts', () => { expect(1).toBe(1); });\n  it('opens'"),
        {"web/more.spec.ts": "it.skip('later', () => {});\n"},
        changed("a_test.go", "func TestA", "func TestB(t *testing.T) { t.Skip() }\n\nfunc TestA"),
        changed("src/lib.rs", "fn a() {}", "fn a() { let b = 1; }"),
        changed("src/lib.rs", "    #[test]\n", "    #[test]\n    #[allow(unused)]\n"),
        changed("pyproject.toml", 'name = "shop"', 'name = "shop"\ndependencies = ["requests"]'),
        changed("pyproject.toml", '-q --strict-markers"', '-q --strict-markers --durations=5"'),
        changed("pyproject.toml", '"tests", "more"', '"tests", "more", "new"'),
        changed("pyproject.toml", "fail_under = 90", "fail_under = 95"),
        changed("pyproject.toml", "[tool.coverage", 'markers = ["slow"]\nasyncio_mode = "auto"\n[tool.coverage'),
        changed("Makefile", "build:\n\ttrue", "build:\n\techo build\n\nlint:\n\truff check"),
        changed("package.json", '"build": "tsc"', '"build": "tsc -b", "dev": "vite"'),
        {"pytest.ini": "[pytest]\naddopts = -q\n"},
        {"src/shop/pytest_plugin.py": "def helper(): ...\n", "tests/data/pytest.py": "x = 1\n"},
        {"coverage/index.html": "<html>"},
    ],
)  # fmt: skip
def test_what_adds_moves_or_renames_is_no_tampering(repository: Repository, files: dict[str, str | None]) -> None:
    assert found(repository, files) == []


def test_many_files_of_tests_are_read_by_few_calls_of_git(repository: Repository) -> None:
    """Also those whose names are no text, links, and files that are no text or too large."""
    names = [f"tests/test_{number}.py" for number in range(90)] + ["tests/test_new\nline.py", "tests/test_\udce9.py"]
    base = task(
        repository, "t0", {name: f"def test_it():\n    assert {index} < 999\n" for index, name in enumerate(names)}
    )
    worktree = Worktree.add(repository, "zen/shop/t1", base)
    for name in names:
        (worktree.path / name).write_text("def test_it():\n    assert True\n")
    (worktree.path / names[0]).write_bytes(b"\0")
    (worktree.path / names[1]).write_text("#" * LARGEST + "\ndef test_it(): ...\n")
    (worktree.path / names[2]).unlink()
    (worktree.path / names[2]).symlink_to("test_3.py")
    head = str(commit(worktree, "Weaken", Trailers(run="shop", task="t1")).sha)
    calls: list[tuple[str, ...]] = []
    counted = Counted(git_dir=repository.git.git_dir, calls=calls)
    found = tampering(counted, base, head)
    assert len(calls) == 3 and len(found) == 92
    assert sum("was deleted" in line for line in found) == 3
    assert sum("asserts less" in line for line in found) == 89


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted(Git):
    calls: list[tuple[str, ...]]

    def run(self, *arguments: str, **more: Any) -> tuple[int, bytes]:
        self.calls.append(arguments)
        return Git.run(self, *arguments, **more)


HOSTILE = {
    "tests/test_helpers.py": "".join(f"def h{n}():\n    h{n + 1}(); h{n + 1}()\n" for n in range(40))
    + "def h40():\n    assert x\ndef test_a():\n    h0()\n",
    "tests/test_deep.py": f"x = {'-' * 100_000}1\n",
    "a.test.js": "/*" * 100_000,
    "ATest.java": "@Test " * 30_000,
    "tests/a.rs": "#[test " * 50_000,
    "b.test.js": "describe.skip('x', () => {}); it('a', () => {expect(1)});\n" * 10_000,
}
"""By file, what some reader of it would take years for, or break at."""


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_costs_a_bounded_time(repository: Repository, name: str) -> None:
    """Told, where it cannot be judged; the worker and its other threads go on meanwhile."""
    base, began = repository.base(), time.monotonic()
    found = tampering(repository.git, base, task(repository, "t1", {name: HOSTILE[name]}), seconds=3)
    assert time.monotonic() - began < 120
    assert found in ([], [f"{name}: what was done to its tests cannot be judged within 3 s"])


def test_tests_by_the_hundred_that_all_have_other_names_are_judged(repository: Repository) -> None:
    def tests(stem: str, word: str) -> str:
        lines = "".join(f"    x{n} = {word}_{n}(value)\n" for n in range(40))
        return "".join(f"def test_{stem}{n}():\n{lines}    assert {word}({n})\n" for n in range(200))

    base = task(repository, "t1", {"tests/test_shop.py": tests("a", "price")})
    same = task(repository, "t2", {"tests/test_shop.py": tests("b", "price")}, at=base)
    assert tampering(repository.git, base, same) == []
    other = task(repository, "t3", {"tests/test_shop.py": tests("b", "qqqzzz")}, at=base)
    assert tampering(repository.git, base, other, seconds=3)

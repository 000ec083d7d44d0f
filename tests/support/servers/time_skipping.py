"""Temporal's test server with a clock that skips: a Java program from Maven Central, kept in .cache."""

import shutil
import subprocess
from pathlib import Path

from zen_project.embedded.find import Found

VERSION = "1.31.0"
POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>zen</groupId><artifactId>test-server</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>io.temporal</groupId><artifactId>temporal-test-server</artifactId><version>{VERSION}</version></dependency>
    <dependency><groupId>ch.qos.logback</groupId><artifactId>logback-classic</artifactId><version>1.3.14</version></dependency>
  </dependencies>
</project>
"""
LOGBACK = '<configuration><root level="ERROR"/></configuration>\n'
WRAPPER = """#!/bin/sh
here=$(dirname "$0")
exec java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$here:$here/jars/*" io.temporal.testserver.TestServer "$@"
"""
CACHE = Path(__file__).parents[3] / ".cache" / f"temporal-test-server-{VERSION}"
REMEDY = "install a Java runtime and Maven (Debian: apt-get install default-jre-headless maven)"


class Missing(Exception):
    pass


def program() -> Path:
    """A path for `WorkflowEnvironment.start_time_skipping(test_server_existing_path=…)`; made on the first call."""
    found = available()
    if found.path is None:
        raise Missing(found.how)
    if not found.path.exists():
        _fetch(found.path)
    return found.path


def available() -> Found:
    wrapper = CACHE / "temporal-test-server"
    runs = shutil.which("java") and (wrapper.exists() or shutil.which("mvn"))
    return Found(server="time-skipping", path=wrapper if runs else None, how="Maven Central" if runs else REMEDY)


def _fetch(wrapper: Path) -> None:
    CACHE.mkdir(parents=True, exist_ok=True)
    (CACHE / "pom.xml").write_text(POM)
    (CACHE / "logback.xml").write_text(LOGBACK)
    goal = ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={CACHE / 'jars'}"]
    fetched = subprocess.run(
        ["mvn", "--batch-mode", "--quiet", "-f", str(CACHE / "pom.xml"), *goal],
        capture_output=True,
        text=True,
        check=False,
    )
    if fetched.returncode:
        raise Missing(f"Maven could not fetch it: {fetched.stdout[-500:]}{fetched.stderr[-500:]}")
    draft = wrapper.with_suffix(".draft")
    draft.write_text(WRAPPER)
    draft.chmod(0o755)
    draft.rename(wrapper)

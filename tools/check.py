"""`make check`: every check runs, also after one has failed, and the last lines say which did."""

import os
import secrets
import subprocess
import sys
import tempfile

PYTHON = sys.executable
CHECKS = {
    "ruff": [PYTHON, "-m", "ruff", "check", "."],
    "format": [PYTHON, "-m", "ruff", "format", "--check", "."],
    "types": [PYTHON, "-m", "mypy"],
    "imports": [PYTHON, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"],
    "django": [PYTHON, "manage.py", "check", "--fail-level", "WARNING"],
    "deploy": [PYTHON, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
    "migrations": [PYTHON, "manage.py", "makemigrations", "--check", "--dry-run"],
}


def production(folder: str) -> dict[str, str]:
    """The environment of a site behind a proxy with TLS that owns its domain: no check is silenced for it."""
    own = ("ZEN_", "SECRET_KEY", "DATABASE_URL", "DJANGO_SETTINGS_MODULE")
    return {name: value for name, value in os.environ.items() if not name.startswith(own)} | {
        "ZEN_DATA_DIR": folder,
        "ZEN_SECRET_KEY": secrets.token_hex(32),
        "ZEN_ALLOWED_HOSTS": "zen.example.com",
        "ZEN_TRUSTED_ORIGINS": "https://zen.example.com",
        "ZEN_PUBLIC_URL": "https://zen.example.com",
        "ZEN_HTTPS": "on",
        "ZEN_HSTS_SUBDOMAINS": "on",
    }


def main() -> int:
    failed = []
    for name, command in CHECKS.items():
        print(f"== {name}", flush=True)
        with tempfile.TemporaryDirectory(prefix="zen-check-") as folder:
            env = production(folder) if name == "deploy" else None
            if subprocess.run(command, check=False, env=env).returncode:
                failed.append(name)
    print(f"FAILED: {', '.join(failed)}" if failed else "all checks passed")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())

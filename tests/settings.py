"""Django's settings for a test run: the real ones, read from an environment that the run has tidied first."""

from tests.support.servers import environment

environment.prepare()

from zen_project.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
DATABASES["default"]["TEST"] = environment.test_database()  # noqa: F405

ZEN_WORKER_LEASE_SECONDS = 120  # a thread that waits for the machine has not died; tests of dead workers set their own
ZEN_API_RATE_PER_TOKEN = ZEN_MCP_RATE_PER_TOKEN = ZEN_API_RATE_PER_ADDRESS = ZEN_API_BAD_TOKENS_PER_ADDRESS = (
    1_000_000  # tests of the limits set their own
)
ZEN_METRICS_SINK = ""  # tests bring what they have measured themselves
AXES_FAILURE_LIMIT = 1_000_000
ZEN_RECOVERY = "off"  # a run that a test leaves in trouble stays so; tests of recovery switch it on

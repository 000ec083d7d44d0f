"""Django's settings, all from the environment through config/env.py. Nothing else in Zen reads os.environ."""

import logging
import warnings
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

from zen_project.config.broker import broker_url, transport_options
from zen_project.config.data_folder import data_folder
from zen_project.config.databases import database
from zen_project.config.env import Env
from zen_project.config.mail import mail_server, public_url, sender_address, slack_api
from zen_project.config.secret_key import given_secret_key, signing_key, stored_secret_key
from zen_project.config.temporal_server import codec_keys, temporal_server
from zen_project.config.tracing import tracing
from zen_project.embedded import instance_lock

env = Env()
BASE_DIR = Path(__file__).resolve().parent.parent
IS_CHECKOUT = (BASE_DIR / "manage.py").is_file()
HOME_DIR = BASE_DIR if IS_CHECKOUT else Path.cwd()
"""What paths in settings are relative to: a checkout, or where an installed Zen was started."""


# What runs, and where its files are
ZEN_DATA_DIR = data_folder(HOME_DIR, env.text("ZEN_DATA_DIR"), is_checkout=IS_CHECKOUT)
ZEN_ENGINE = env.choice("ZEN_ENGINE", "auto", ("auto", "temporal", "celery"))
ZEN_WHEN_TEMPORAL_IS_DOWN = env.choice("ZEN_WHEN_TEMPORAL_IS_DOWN", "fallback", ("fallback", "queue", "refuse"))
ZEN_WORKER_LEASE_SECONDS = env.seconds("ZEN_WORKER_LEASE_SECONDS", 6)
ZEN_SWEEP_SECONDS = env.seconds("ZEN_SWEEP_SECONDS", 1)
ZEN_HANDLER_GRACE_SECONDS = env.seconds("ZEN_HANDLER_GRACE_SECONDS", 300, least=0)  # after its timeout
ZEN_WORKER_THREADS = env.integer("ZEN_WORKER_THREADS", 8, most=256)
ZEN_WORKER_QUEUES = env.queues(
    "ZEN_WORKER_QUEUES", {"default": ZEN_WORKER_THREADS, "agents": 4}
)  # queue → threads for its actions
TEMPORAL_WORKER_QUEUES = env.queues("ZEN_WORKER_QUEUES", {"default": 32, "agents": 4})  # of the temporal worker
ZEN_EMBEDDED = False  # embedded.configure() says so in a process that hosts the workers itself

# What a running `manage.py up` on the same data folder offers to a command in another terminal
_neighbour = instance_lock.read(ZEN_DATA_DIR)

TEMPORAL_ADDRESS = env.address("TEMPORAL_ADDRESS", _neighbour.temporal_address)
TEMPORAL_NAMESPACE = env.text("TEMPORAL_NAMESPACE", "default")
TEMPORAL_TASK_QUEUE = env.text("TEMPORAL_TASK_QUEUE", "zen-workflows")
_temporal = temporal_server(env)  # TLS, mTLS, an API key (docs/howto/temporal.md)
TEMPORAL_TLS, TEMPORAL_TLS_SERVER_NAME, TEMPORAL_API_KEY = _temporal.tls, _temporal.server_name, _temporal.api_key
TEMPORAL_TLS_CA, TEMPORAL_TLS_CERT, TEMPORAL_TLS_KEY = _temporal.ca, _temporal.cert, _temporal.key
ZEN_TEMPORAL_CODEC_KEYS = codec_keys(env)  # none: payloads are stored as they are
TEMPORAL_DEPLOYMENT = env.text("TEMPORAL_DEPLOYMENT")  # none: any worker goes on with any run (docs/howto/upgrading.md)
TEMPORAL_BUILD_ID = env.text("TEMPORAL_BUILD_ID")
TEMPORAL_HISTORY_LIMIT = env.integer("TEMPORAL_HISTORY_LIMIT", 0, least=0)  # events; 0: as the server suggests

# What actions may do
ZEN_OUTBOUND_ALLOW = env.outbound("ZEN_OUTBOUND_ALLOW")
ZEN_SCRIPTS = env.choice("ZEN_SCRIPTS", "off", ("off", "sandboxed", "unsafe"))
ZEN_MAX_OUTPUT_BYTES = env.integer("ZEN_MAX_OUTPUT_BYTES", 10 * 1024**2, least=1024, most=200 * 1024**2)
ZEN_AGENT_STALL_SECONDS = env.seconds("ZEN_AGENT_STALL_SECONDS", 300, least=1, most=86400)
ZEN_AGENT_MEMORY_MB = env.integer("ZEN_AGENT_MEMORY_MB", 4096, least=0, most=1024**2)
ZEN_AGENT_PROCESSES = env.integer("ZEN_AGENT_PROCESSES", 1024, least=0, most=100_000)
ZEN_AGENT_NICE = env.integer("ZEN_AGENT_NICE", 10, least=0, most=19)
ZEN_MAX_CHILD_DEPTH = env.integer("ZEN_MAX_CHILD_DEPTH", 8, most=100)
ZEN_SECRETS_DIR = env.text("ZEN_SECRETS_DIR")
ZEN_SECRETS = env.action_secrets()

# Where events go
REDIS_HOST = env.text("REDIS_HOST")
REDIS_PORT = env.integer("REDIS_PORT", 6379, most=65_535)
REDIS_DB_CONVERSATIONS = env.integer("REDIS_DB_CONVERSATIONS", 0, least=0)
NATS_URL = env.secret("NATS_URL")
KAFKA_BOOTSTRAP_SERVERS = env.text("KAFKA_BOOTSTRAP_SERVERS")

# Who is told (docs/reference/notifications.md)
_mail = mail_server(env)
EMAIL_HOST, EMAIL_PORT, EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _mail.host, _mail.port, _mail.user, _mail.password
EMAIL_USE_TLS, EMAIL_USE_SSL, EMAIL_TIMEOUT = _mail.tls == "starttls", _mail.tls == "ssl", 15
DEFAULT_FROM_EMAIL = SERVER_EMAIL = sender_address(env)
ZEN_PUBLIC_URL = public_url(env, _neighbour.site)
ZEN_SLACK_SIGNING_SECRET = env.secret("ZEN_SLACK_SIGNING_SECRET")  # none: no button in Slack is heard
ZEN_SLACK_TEAM = env.text("ZEN_SLACK_TEAM")
ZEN_NOTIFY_ATTEMPTS = env.integer("ZEN_NOTIFY_ATTEMPTS", 8, most=50)
ZEN_NOTIFY_CAP = env.integer("ZEN_NOTIFY_CAP", 20, most=1000)
ZEN_NOTIFY_COALESCE_SECONDS = env.seconds("ZEN_NOTIFY_COALESCE_SECONDS", 20, least=0, most=3600)
ZEN_NOTIFY_DIGEST_HOUR = env.integer("ZEN_NOTIFY_DIGEST_HOUR", 8, least=0, most=23)
ZEN_NOTIFY_SLACK_URL = slack_api(env)

WORKFLOW_MONITORING_ENABLED = env.boolean("WORKFLOW_MONITORING_ENABLED", True)
ZEN_RECOVERY = env.choice("ZEN_RECOVERY", "on", ("on", "off"))
ZEN_RECOVERY_PER_HOUR = env.integer("ZEN_RECOVERY_PER_HOUR", 200)
WORKFLOW_HEALTH_CHECK_INTERVAL = env.integer("WORKFLOW_HEALTH_CHECK_INTERVAL", 300)
ZEN_HEARTBEAT_URL = env.secret("ZEN_HEARTBEAT_URL")  # called each minute while somebody watches; a URL of http(s)
ZEN_PRUNE = env.boolean("ZEN_PRUNE", True)  # workers take away what is older than this (docs/howto/retention.md)
ZEN_KEEP_LINES_DAYS = env.integer("ZEN_KEEP_LINES_DAYS", 14, least=0)  # after the run's end; 0: for ever
ZEN_KEEP_DETAIL_DAYS = env.integer("ZEN_KEEP_DETAIL_DAYS", 90, least=0)
ZEN_KEEP_RUNS_DAYS = env.integer("ZEN_KEEP_RUNS_DAYS", 400, least=0)
ZEN_ARCHIVE_DIR = str(HOME_DIR / env.text("ZEN_ARCHIVE_DIR")) if env.text("ZEN_ARCHIVE_DIR") else ""
WORKFLOW_METRICS_INTERVAL = env.integer("WORKFLOW_METRICS_INTERVAL", 60)
ZEN_METRICS_SINK = "monitoring.metrics.store.add"  # where processes bring what they have measured; "": nowhere
ZEN_METRICS_ALLOW = env.networks("ZEN_METRICS_ALLOW")  # peers that may read /metrics without a token
ZEN_METRIC_SERIES_MOST = env.integer("ZEN_METRIC_SERIES_MOST", 5000, least=100, most=100_000)

# Django
DEBUG = env.boolean("ZEN_DEBUG", False)
_given_key = given_secret_key(env.secret("ZEN_SECRET_KEY") or env.secret("SECRET_KEY"), debug=DEBUG)
SECRET_KEY = _given_key or stored_secret_key(ZEN_DATA_DIR)
SECRET_KEY_FALLBACKS = env.secret("ZEN_SECRET_KEY_FALLBACKS").replace(",", " ").split()  # still read, no longer used
ZEN_SIGNING_KEY = signing_key(env.secret("ZEN_SIGNING_KEY"), ZEN_DATA_DIR)  # ed25519 seed: seals of the audit
ALLOWED_HOSTS = list(env.words("ZEN_ALLOWED_HOSTS", ("localhost", "127.0.0.1", "[::1]")))
CSRF_TRUSTED_ORIGINS = list(env.words("ZEN_TRUSTED_ORIGINS"))

INSTALLED_APPS = [
    "axes",
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_filters",
    "django_typer",
    "drf_spectacular",
    "rest_framework",
    "zen_project",
    "monitoring",
    "approvals",
    "orchestration",
    "notifications",
    "foundation",
]

MIDDLEWARE = [
    "zen_project.web.measured.measured",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "zen_project.web.headers.ContentSecurityPolicy",
    "axes.middleware.AxesMiddleware",
]

# Guesses (docs/explanation/security.md): django-axes at the login, limits of the API in foundation.api.limits
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
ZEN_TRUSTED_PROXIES = env.networks("ZEN_TRUSTED_PROXIES")
AXES_FAILURE_LIMIT = env.integer("ZEN_LOGIN_FAILURES", 10, most=1000)
AXES_COOLOFF_TIME = timedelta(seconds=env.seconds("ZEN_LOGIN_PAUSE_SECONDS", 600, least=1))
AXES_LOCKOUT_PARAMETERS = ["username", "ip_address"]  # either alone: one account from everywhere, all from one address
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # further guesses do not lengthen the lock-out
AXES_CLIENT_IP_CALLABLE = "zen_project.web.addresses.for_login"
AXES_LOCKOUT_CALLABLE = "zen_project.web.logins.locked"
AXES_HTTP_RESPONSE_CODE = 429
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False
ZEN_STREAMS_PER_USER = env.integer("ZEN_STREAMS_PER_USER", 20)  # streams of events at once, in each web process
ZEN_STREAMS = env.integer("ZEN_STREAMS", 500)
ZEN_API_RATE_PER_TOKEN = env.integer("ZEN_API_RATE_PER_TOKEN", 1200)  # requests a minute
ZEN_API_RATE_PER_ADDRESS = env.integer("ZEN_API_RATE_PER_ADDRESS", 2400)
ZEN_MCP_RATE_PER_TOKEN = env.integer("ZEN_MCP_RATE_PER_TOKEN", 600)  # of them over MCP, where programs call
ZEN_MCP_TOKEN = env.secret("ZEN_MCP_TOKEN")  # whom `manage.py mcp` acts for; none: the console's roles and no person
ZEN_MCP_PROPOSE = env.boolean("ZEN_MCP_PROPOSE", True)  # what cannot be taken back an agent proposes, and people decide
ZEN_MCP_PROPOSE_POLICY = env.text("ZEN_MCP_PROPOSE_POLICY")  # who decides; '': the standard policy
ZEN_API_BAD_TOKENS_PER_ADDRESS = env.integer("ZEN_API_BAD_TOKENS_PER_ADDRESS", 20)

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

ROOT_URLCONF = "zen_project.urls"
ASGI_APPLICATION = "zen_project.asgi.application"
WSGI_APPLICATION = "zen_project.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {
    "default": database(
        env.secret("DATABASE_URL", f"sqlite:///{quote(str(ZEN_DATA_DIR / 'zen.sqlite3'))}"), base_dir=HOME_DIR
    ),
}

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
FORMAT_MODULE_PATH = "zen_project.formats"

# Behind a proxy that ends TLS and sets X-Forwarded-Proto
if env.boolean("ZEN_HTTPS", False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SECURE_HSTS_SECONDS = 31_536_000
    # for sites that own all of the domain: it binds every host below it, for a year and in browsers' own lists
    SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = env.boolean("ZEN_HSTS_SUBDOMAINS", False)
    SECURE_REDIRECT_EXEMPT = [r"^(livez|readyz|startupz|metrics)$"]

# Static files come from the apps themselves until collectstatic has run (as it has in the container image)
STATIC_URL = "static/"
STATIC_ROOT = (BASE_DIR if IS_CHECKOUT else ZEN_DATA_DIR) / "staticfiles"  # never one of where Zen was started
WHITENOISE_USE_FINDERS = not STATIC_ROOT.is_dir()
warnings.filterwarnings("ignore", message="No directory at", category=UserWarning)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}

# What orchestration leaves to the rooms above it, by kind of run (docs/adr/0006)
ZEN_FLOWS = {"approval": "approvals.external_flow.APPROVAL"}
ZEN_APPROVAL_GATE = "approvals.gate.GATE"
ZEN_INQUIRIES = "approvals.inquiries.INQUIRIES"
ZEN_RUN_HEALTH = "monitoring.run_page.HEALTH"
ZEN_APPROVERS_BY_ADDRESS = env.boolean("ZEN_APPROVERS_BY_ADDRESS", False)
"""Whether a request, and not only a published policy, may let an address decide that belongs to no account."""

ZEN_RESCUE_GRACE_SECONDS = env.seconds("ZEN_RESCUE_GRACE_SECONDS", 300, least=0, most=86400)
"""How long those are waited for who have left, before others are asked and administrators called."""

ZEN_LINK_DAYS = env.integer("ZEN_LINK_DAYS", 14, least=1, most=365)
"""How long a link of one's own is good, if its stage does not end before."""

ZEN_ON_CALL: dict[str, str] = {}
"""Look-ups of who is on call: a name for policies, and the path of a function that gives user names."""

ZEN_RESERVED_TASKS = ("orchestration.projects.deployment.handlers.TASKS", "orchestration.projects.phases.TASKS")
"""Tables of the handlers that Zen itself registers, under names that begin with `zen.`."""

# What notifications borrows from the rooms above it
ZEN_DELIVERY_LISTENERS = ["approvals.requests.state.delivery_listener.on_delivery_ended"]
ZEN_LINK_SIGNER = "approvals.requests.messages.links.signed"
ZEN_INTERACTION_HANDLER = "approvals.slack.interactions.INTERACTIONS"

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "foundation.identity.authentication.BearerAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "EXCEPTION_HANDLER": "foundation.api.errors.handle",
    "DEFAULT_THROTTLE_CLASSES": ["foundation.api.limits.PerTokenAndAddress"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "URL_FORMAT_OVERRIDE": None,  # ?format= is a parameter like any other
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Zen",
    "DESCRIPTION": "Runs sagas durably, on Temporal or on its own engine.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "ENFORCE_NON_BLANK_FIELDS": True,
    "ENUM_NAME_OVERRIDES": {
        "EndpointHealthEnum": "orchestration.models.AgentEndpoint.HEALTH",
        "HealthEnum": "monitoring.core.enums.HealthStatus",
        "StatusEnum": "approvals.api.serializers.STATUSES",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "orchestration.api.document.complete",
    ],
}
UNFOLD = {
    "SITE_TITLE": "Zen",
    "SITE_HEADER": "Zen",
    "SITE_SUBHEADER": "Sagas, approvals, runs",
    "SITE_SYMBOL": "hub",
    "SIDEBAR": {"navigation": "monitoring.admin.sidebar.navigation"},
    "ENVIRONMENT": "monitoring.admin.banner.stopped",
}

# Celery: the database row is the truth, a message only makes workers look at once (orchestration/engines)
CELERY_BROKER_URL = broker_url(env, _neighbour.broker_url)
CELERY_BROKER_TRANSPORT_OPTIONS = transport_options(CELERY_BROKER_URL)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
CELERY_TIMEZONE = TIME_ZONE
CELERY_TASK_ACKS_LATE = False  # a message is done with once it was received: the rows say what there is to do
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 3, "interval_start": 0, "interval_step": 0.2, "interval_max": 0.5}
# The pool runs the doors only (orchestration/tasks.py); steps and services have threads of their own.
CELERY_WORKER_POOL = "threads"
CELERY_WORKER_CONCURRENCY = ZEN_WORKER_THREADS
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_DISABLE_PREFETCH = not CELERY_BROKER_URL.startswith("memory:")  # a feature of Redis, warned of elsewhere
CELERY_WORKER_ETA_TASK_LIMIT = 1000
CELERY_WORKER_MAX_TASKS_PER_CHILD = 500
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 25
CELERY_WORKER_ENABLE_SOFT_SHUTDOWN_ON_IDLE = True
# A lost broker must not kill the step that a worker performs: its row is leased, so no other worker performs it.
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_DB_REUSE_MAX = 1_000_000  # else Celery's Django fixup reconnects around every task: 80 instead of 273 steps/s
# What was once beat's: a worker does it in threads of its own, each second or so, and at once when it is told.
# {Celery's task: (what does it once, seconds between)}
ZEN_WORKER_SERVICES = {
    "orchestration.relay": ("orchestration.runs.relay.relay", ZEN_SWEEP_SECONDS),
    "notifications.deliver": ("notifications.delivery.worker.deliver_due", ZEN_SWEEP_SECONDS),
    "approvals.callbacks": ("notifications.webhooks.deliver_due", ZEN_SWEEP_SECONDS),
    "approvals.presses": ("notifications.slack.worker.work_presses", ZEN_SWEEP_SECONDS),
    "approvals.reconcile": ("approvals.requests.state.reconcile.reconcile", 30.0),
    # asked for each hour, so that a worker that was away at one of them is no loss; done once a day
    "orchestration.audit_seal": ("foundation.audit.seal.seal_of_the_day", 3600.0),
}
# The same for every worker, of either engine: whoever is alive watches; who else does makes no difference.
ZEN_EVERY_WORKER_SERVICES = {
    "deployments.keep": ("orchestration.projects.deployment.local.keep.keep_running", 2.0),
    "projects.folders": ("orchestration.projects.folders.clear_old", 3600.0),
    "monitoring.watch": ("monitoring.watch.sweep.watch", 1.0),
    "monitoring.recover": ("monitoring.performing.tick.recover", 1.0),
    "monitoring.site": ("monitoring.watch.site.look", 10.0),
    "monitoring.sagas": ("monitoring.watch.seldom.sagas.look", 60.0),
    "monitoring.heartbeat": ("monitoring.watch.seldom.heartbeat.beat", 60.0),
    "monitoring.workflows": ("monitoring.watch.seldom.workflows.look", 10.0),
    "monitoring.round": ("monitoring.watch.round.walk", 30.0),
    "monitoring.metrics": ("monitoring.watch.metrics.keep", 15.0),
    "monitoring.jobs": ("monitoring.trials.jobs.perform_some", 1.0),
    "monitoring.prune": ("monitoring.retention.beat.prune_a_little", 60.0),
}
CELERY_BEAT_SCHEDULE: dict[str, object] = {}  # so `worker -B` starts no beat
CELERY_BEAT_SCHEDULER = "celery.beat:Scheduler"

QUIET = (
    "celery.app.trace",
    "celery.beat",
    "celery.worker.strategy",
    "httpx2",
    "mcp",
    "axes",
)  # each says a line per tick or call
SHOW_PATHS = ("django.request", "django.security.csrf", "django.server", "uvicorn.access")
LOG_LEVEL = env.choice("ZEN_LOG_LEVEL", "info", ("debug", "info", "warning", "error")).upper()
RUN_LOG_LEVEL = env.choice("ZEN_RUN_LOG_LEVEL", "info", ("debug", "info", "warning", "error")).upper()
ZEN_TRACING = tracing(env)  # the extra otel (docs/howto/observability.md)
ZEN_TRACE_BAGGAGE_HOSTS = tuple(host.lower() for host in env.words("ZEN_TRACE_BAGGAGE_HOSTS"))
LOG_FORMAT = env.choice("ZEN_LOG_FORMAT", "line", ("line", "json"))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"},
        "json": {"()": "foundation.telemetry.JsonFormatter"},
    },
    "filters": {
        "redact": {"()": "foundation.secrets.redaction.RedactingFilter"},
        "links": {"()": "approvals.web.masking.LinkFilter", "loggers": SHOW_PATHS},
    },
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "level": LOG_LEVEL,
            "formatter": LOG_FORMAT,
            "filters": ["redact", "links"],
        },
        "attempts": {"class": "orchestration.attempt_log.handler.AttemptHandler", "level": RUN_LOG_LEVEL},
        "nowhere": {"class": "logging.NullHandler"},
    },
    "root": {
        "handlers": ["stderr", "attempts"],
        "level": min(LOG_LEVEL, RUN_LOG_LEVEL, key=logging.getLevelNamesMapping().__getitem__),
    },
    "loggers": {name: {"level": "WARNING"} for name in QUIET}
    # uvicorn has handlers of its own, which a logger that is named here loses
    | {name: {"handlers": [], "propagate": True} for name in ("uvicorn", "uvicorn.access") if LOG_FORMAT == "json"}
    | {
        "kombu.connection": {"level": "ERROR"},
        # what it says goes into the delivery's row; the lines themselves would name targets
        "apprise": {"level": "WARNING", "handlers": ["nowhere"], "propagate": False},
    },
}

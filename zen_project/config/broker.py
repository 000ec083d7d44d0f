"""Which transport carries Celery's messages, and what it needs."""

from urllib.parse import urlsplit

from zen_project.config.env import Env, refuse

EXAMPLE = "redis://localhost:6379/0"
REDIS = ("redis", "rediss", "redis+socket", "unix", "sentinel", "valkey", "valkeys")

# Each of these loses messages, splits them over nodes, or is read half-written.
REFUSED = {
    "redis+cluster": "is a Redis Cluster, which Celery cannot use as a broker (one server or Sentinel works)",
    "rediss+cluster": "is a Redis Cluster, which Celery cannot use as a broker (one server or Sentinel works)",
    "filesystem": "loses messages when a worker is killed",
    "sqla": "loses messages when a worker is killed",
    "sqlalchemy": "loses messages when a worker is killed",
}


def broker_url(env: Env, neighbour: str = "") -> str:
    """CELERY_BROKER_URL, else the Redis that REDIS_HOST names, else a running `up`'s, else memory:// (one process)."""
    url = env.secret("CELERY_BROKER_URL")
    if not url:
        host = env.text("REDIS_HOST")
        redis = f"redis://{host}:{env.integer('REDIS_PORT', 6379, most=65_535)}/0"
        return redis if host else neighbour or "memory://"
    scheme = urlsplit(url).scheme
    kind = "sqla" if scheme.startswith("sqla+") else scheme
    if kind in REFUSED:
        raise refuse("CELERY_BROKER_URL", url, REFUSED[kind], EXAMPLE)
    if not scheme or "://" not in url:
        raise refuse("CELERY_BROKER_URL", url, "is not a URL", EXAMPLE)
    return url


def transport_options(url: str) -> dict[str, object]:
    scheme = urlsplit(url).scheme
    if scheme == "memory":
        return {"polling_interval": 0.01}  # the default sleeps a whole second once the prefetch window is full
    if scheme in REDIS:
        # Messages are bells, so none is kept for a redelivery. A worker that holds one when its broker dies would try
        # to give it back over the dead connection, and end of that.
        return {"ack_emulation": False, "global_keyprefix": "zen:", "health_check_interval": 25}
    return {}

# One image for web, Temporal worker and Celery worker; docker-compose.yml says which one a container is.
FROM python:3.12.12-slim-bookworm@sha256:593bd06efe90efa80dc4eee3948be7c0fde4134606dd40d8dd8dbcade98e669c AS build
WORKDIR /srv/zen
RUN python -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH
COPY requirements.txt ./
RUN pip install --no-cache-dir --disable-pip-version-check -r requirements.txt

FROM python:3.12.12-slim-bookworm@sha256:593bd06efe90efa80dc4eee3948be7c0fde4134606dd40d8dd8dbcade98e669c
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    DJANGO_SETTINGS_MODULE=zen_project.settings \
    ZEN_DATA_DIR=/var/lib/zen
RUN useradd --system --uid 10001 --home-dir /var/lib/zen --create-home zen
WORKDIR /srv/zen
COPY --from=build /opt/venv /opt/venv
COPY manage.py ./
COPY zen_project ./zen_project
COPY monitoring ./monitoring
COPY approvals ./approvals
COPY orchestration ./orchestration
COPY notifications ./notifications
COPY foundation ./foundation
# The keys that this one command makes stay out of the image.
RUN ZEN_DATA_DIR=/tmp/zen \
    python manage.py collectstatic --no-input --verbosity 0 && rm -rf /tmp/zen
USER zen
VOLUME /var/lib/zen
EXPOSE 8000
STOPSIGNAL SIGTERM
CMD ["uvicorn", "zen_project.asgi:application", "--host", "0.0.0.0", "--port", "8000", "--no-proxy-headers"]

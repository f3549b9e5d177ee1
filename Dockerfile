# The image of every process: docker-compose.yml says which does what; docs/operations.md how to run it.
FROM python:3.11-slim-trixie AS build

WORKDIR /build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1

COPY requirements.txt requirements-dev.txt ./
RUN python -m venv /opt/pollwire \
    && /opt/pollwire/bin/pip install --require-hashes --only-binary :all: -r requirements.txt

# What builds the wheel, also from the lock file: nothing unlocked comes in.
RUN python -m venv /build/venv \
    && awk '/^[a-z]/ { kept = /^(hatchling|packaging|pathspec|pluggy|tomlkit|trove-classifiers)==/ } kept' \
        requirements-dev.txt > requirements-build.txt \
    && venv/bin/pip install --require-hashes --only-binary :all: -r requirements-build.txt

COPY pyproject.toml README.md ./
COPY service service
COPY webhooks webhooks
COPY emulator emulator
RUN venv/bin/pip wheel --no-deps --no-build-isolation --wheel-dir dist . \
    && /opt/pollwire/bin/pip install --no-deps --no-index dist/*.whl \
    && /opt/pollwire/bin/python -m pip uninstall --yes pip setuptools


FROM python:3.11-slim-trixie

# pg_dump and pg_restore for `pollwire backup` and `restore`, of the version of the Compose file's
# server: an older pg_dump refuses a newer server, and Debian's own is 17.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates postgresql-common \
    && /usr/share/postgresql-common/pgdg/apt.postgresql.org.sh -y \
    && apt-get install --yes --no-install-recommends postgresql-client-18 \
    && rm -rf /var/lib/apt/lists/*

RUN useradd --uid 10001 --user-group --no-create-home --home-dir /var/lib/pollwire \
        --shell /usr/sbin/nologin pollwire \
    && install --directory --owner=pollwire --group=pollwire --mode=0700 /var/lib/pollwire

COPY --from=build /opt/pollwire /opt/pollwire

ENV PATH=/opt/pollwire/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    DATA_DIR=/var/lib/pollwire \
    HOST=0.0.0.0 \
    PORT=8000 \
    LOG_FORMAT=json

# pollwire, by number, so that it can be seen not to be root without looking inside.
USER 10001:10001
WORKDIR /var/lib/pollwire
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen('http://127.0.0.1:' + os.environ['PORT'] + '/healthz', timeout=4)"]
ENTRYPOINT ["pollwire"]
CMD ["serve"]

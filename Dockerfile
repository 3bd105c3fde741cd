# Tertulia as an image: `docker build -t tertulia .`, then `docker run -p 8000:8000 -v tertulia:/data tertulia`.
# compose.yml runs it with PostgreSQL, Redis and a reverse proxy; docs/deployment.md explains both.

FROM python:3.13-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
# Filled by the pip beside it, so that the image itself has none in there.
RUN python -m venv --without-pip /opt/tertulia
WORKDIR /source
# First what seldom changes: its layer is kept until the lock changes. No compiler is needed, and none is there.
COPY requirements.lock ./
RUN pip --python /opt/tertulia install --only-binary :all: --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY src ./src
RUN pip --python /opt/tertulia wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
    && pip --python /opt/tertulia install --no-deps /wheels/*.whl

FROM python:3.13-slim
# The number is fixed, for those who mount a folder of the host. Volumes take over the owner of these folders.
RUN useradd --system --uid 10001 --user-group --home-dir /data --no-create-home tertulia \
    && install --directory --owner=tertulia --group=tertulia --mode=0700 /data /secrets
COPY --from=build /opt/tertulia /opt/tertulia
ENV PATH=/opt/tertulia/bin:$PATH PYTHONUNBUFFERED=1 TERTULIA_DATA=/data
USER tertulia
WORKDIR /data
VOLUME /data
EXPOSE 8000
# Whether the process lives. It says nothing of the database: starting anew would not bring that back.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-I", "-c", "import http.client; c = http.client.HTTPConnection('127.0.0.1', 8000, timeout=4); c.request('GET', '/healthz'); raise SystemExit(c.getresponse().status != 200)"]
# No shell between: SIGTERM reaches the server, which tells its sockets to come back and ends within seconds.
ENTRYPOINT ["tertulia"]
CMD ["serve", "--host", "0.0.0.0"]

# Two stages: the first installs from the lock, the second runs what came of it, not as root.
FROM python:3.11-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/tocsin
ENV PATH=/opt/tocsin/bin:$PATH
WORKDIR /src
COPY requirements.lock ./
RUN pip install --require-hashes -r requirements.lock
COPY pyproject.toml hatch_build.py LICENSE README.md ./
COPY runbooks runbooks
COPY templates templates
COPY migrations migrations
COPY bot bot
RUN pip install --no-deps --no-build-isolation . \
    && pip uninstall --yes hatchling pluggy pathspec trove-classifiers pip

FROM python:3.11-slim
ENV PATH=/opt/tocsin/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    TOCSIN_HOST=0.0.0.0 \
    TOCSIN_PORT=8080 \
    TOCSIN_LOG_FORMAT=json
RUN useradd --system --uid 10001 --home-dir /data --create-home tocsin
COPY --from=build /opt/tocsin /opt/tocsin
USER 10001
# tocsin.yaml, a runbooks folder of yours, and tocsin.db if you use SQLite.
WORKDIR /data
VOLUME /data
EXPOSE 8080
# Live, not ready: a database that is away must not restart the bot.
HEALTHCHECK --interval=15s --timeout=4s --start-period=20s --retries=4 CMD ["python", "-c", \
  "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ['TOCSIN_PORT'] + '/health/live', timeout=3)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["tocsin"]
CMD ["serve"]

# syntax=docker/dockerfile:1

# A licence note for whoever publishes this image: the source of videogen is Apache-2.0, but the av wheel
# installed below bundles FFmpeg built with x264 and x265, which are GPL. Handing the built image to others
# carries the duties of the GPL for those parts (offer their source, pass the licence on). Building and
# running it for yourself does not.

FROM python:3.13-slim AS build

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_ROOT_USER_ACTION=ignore

RUN python -m venv /opt/videogen
WORKDIR /src

# The dependencies change seldom, so they have a layer of their own. LOCK=requirements-distributed.lock adds what
# several machines need (docs/scaling.md).
ARG LOCK=requirements.lock
COPY ${LOCK} ./
RUN /opt/videogen/bin/python -m pip install --require-hashes -r ${LOCK}

COPY pyproject.toml README.md LICENSE ./
COPY videogen ./videogen
# Installed, not editable; then the tools that were only needed to build go.
RUN /opt/videogen/bin/python -m pip install --no-deps --no-build-isolation . \
    && /opt/videogen/bin/python -m pip uninstall --yes hatchling trove-classifiers pip


FROM python:3.13-slim

# tini is process 1: it passes signals on and reaps the workers' children.
RUN apt-get update \
    && apt-get install -y --no-install-recommends tini \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 1000 --shell /usr/sbin/nologin videogen \
    && install -d -o 1000 -g 1000 /data

COPY --from=build /opt/videogen /opt/videogen
WORKDIR /app
COPY app.py LICENSE ./

ENV PATH=/opt/videogen/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    VIDEOGEN_HOST=0.0.0.0 \
    VIDEOGEN_PORT=7860 \
    VIDEOGEN_DATA_DIR=/data

USER 1000:1000
VOLUME /data
EXPOSE 7860
STOPSIGNAL SIGTERM

HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen('http://127.0.0.1:' + os.environ['VIDEOGEN_PORT'] + '/healthz', timeout=4)"]

ENTRYPOINT ["tini", "--"]
CMD ["python", "app.py"]

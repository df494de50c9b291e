# One image for all contexts; its argument says what to run:
#   docker build -t unora .
#   docker run unora unora_streak --role worker
#   docker run unora unora_streak migrate
# Another base image needs glibc, and Python 3.11 or newer at the same path in both stages.
ARG BASE=python:3.11.14-slim-trixie

FROM ${BASE} AS build
ENV UV_LINK_MODE=copy
WORKDIR /src
COPY requirements-setup.txt ./
RUN python3 -m pip install --no-cache-dir --require-hashes -r requirements-setup.txt
COPY requirements.txt requirements-build.txt deploy/image/build.sh ./
RUN ./build.sh dependencies /opt/unora
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY protos protos
COPY libs/common libs/common
COPY libs/sdk libs/sdk
COPY libs/text libs/text
COPY services services
RUN ./build.sh unora /opt/unora

FROM ${BASE}
LABEL org.opencontainers.image.title="unora" \
      org.opencontainers.image.description="The services of Unora: python -m unora_<context>" \
      org.opencontainers.image.licenses="Apache-2.0"
# A running container never installs anything.
RUN python3 -m pip uninstall --yes --quiet --root-user-action=ignore pip
COPY --from=build /opt/unora /opt/unora
# Modules are compiled when the image is built. A container cannot write here, so it must not try to write bytecode.
ENV PATH=/opt/unora/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /tmp
# gRPC over mutual TLS, health for probes, metrics; unora_common/config.py has the variables that set these ports.
EXPOSE 8443 8081 9090
STOPSIGNAL SIGTERM
ENTRYPOINT ["python", "-m"]

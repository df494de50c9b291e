# Two images with the same code: `identity` also has the packages for photos and phone numbers, which it alone needs;
# `services`, without them, runs the six other contexts, and all commands that prepare Postgres and NATS.
#   docker build --target services -t unora .
#   docker build --target identity -t unora-identity .
#   docker run unora unora_streak --role worker
#   docker run unora unora_streak migrate
# `make image` builds both, with labels that say from what; docs/image.md has the details.
# Another base image needs glibc, and Python 3.11 or newer with venv at the same path in all stages.
ARG BASE=python:3.11.14-slim-trixie

FROM ${BASE} AS tools
ENV UV_LINK_MODE=copy \
    PATH=/opt/setup/bin:$PATH
WORKDIR /src
COPY requirements-setup.txt ./
RUN python3 -m venv /opt/setup && \
    python -m pip install --no-cache-dir --require-hashes -r requirements-setup.txt
COPY deploy/image/build.sh ./

FROM tools AS wheel
COPY requirements-build.txt ./
RUN ./build.sh tools /opt/unora
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY protos protos
COPY libs/common libs/common
COPY libs/sdk libs/sdk
COPY libs/text libs/text
COPY services services
RUN ./build.sh wheel /opt/unora

FROM tools AS services-build
COPY requirements.txt ./
RUN ./build.sh packages /opt/unora requirements.txt
COPY --from=wheel /opt/unora.tools/dist /opt/unora.tools/dist
RUN ./build.sh unora /opt/unora

FROM tools AS identity-build
COPY requirements-identity.txt ./
RUN ./build.sh packages /opt/unora requirements-identity.txt
COPY --from=wheel /opt/unora.tools/dist /opt/unora.tools/dist
RUN ./build.sh unora /opt/unora

FROM ${BASE} AS runtime
# A running container never installs anything, and no file gives the rights of its owner to whoever runs it.
RUN if python3 -m pip --version >/dev/null 2>&1; then \
        python3 -m pip uninstall --yes --quiet --root-user-action=ignore pip; \
    fi && \
    find / -xdev -type f -perm /6000 -exec chmod a-s {} +
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
LABEL org.opencontainers.image.licenses="Apache-2.0"

FROM runtime AS identity
LABEL org.opencontainers.image.title="unora-identity" \
      org.opencontainers.image.description="The identity service of Unora: python -m unora_identity" \
      unora.lock="requirements-identity.txt"
COPY --from=identity-build /opt/unora /opt/unora

FROM runtime AS services
LABEL org.opencontainers.image.title="unora" \
      org.opencontainers.image.description="The services of Unora but identity, and its jobs: python -m unora_<context>" \
      unora.lock="requirements.txt"
COPY --from=services-build /opt/unora /opt/unora

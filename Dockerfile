# The controller's image: docs/image.md says what is in it, how that is proved, and how the two bases are renewed.
# Both digests name an index of all platforms. The tests of this repository build on look-alikes of both, see tests/bed/image.
ARG BUILD_BASE=docker.io/library/python:3.13-slim-trixie@sha256:9d2e5553305c7c7b0097999bb17187c69b921ccd6bc9d40e4bb5ebe652c00285
ARG RUNTIME_BASE=gcr.io/distroless/python3-debian13:nonroot@sha256:f3d5ddc6c64a019fe520e7f005f2880be21e6afc461b10a3c15ef2e4edc71e33

FROM ${RUNTIME_BASE} AS runtime

FROM ${BUILD_BASE} AS build
# The system's certificates are trusted, so that those of a company's proxy can be lent to the build by a volume.
ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt PIP_CERT=/etc/ssl/certs/ca-certificates.crt UV_NATIVE_TLS=1 \
    PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONDONTWRITEBYTECODE=1 PYTHONHASHSEED=0
# Only if given: a mirror of PyPI.
ARG PIP_INDEX_URL
ARG UV_DEFAULT_INDEX
WORKDIR /build
COPY image/tools.txt image/
RUN python3 -m venv /tools && /tools/bin/pip install --quiet --require-hashes --only-binary :all: --requirement image/tools.txt
COPY image/dependencies.sh image/
COPY pyproject.toml uv.lock ./
RUN image/dependencies.sh
COPY --from=runtime /usr/lib/python3.13 /stdlib
COPY image/program.sh image/
COPY LICENSE README.md docs/reference/third-party.md ./
COPY operator operator
ARG SOURCE_DATE_EPOCH=1767225600
# Another value builds all that follows again, to compare.
ARG AGAIN
RUN image/program.sh /image

FROM runtime
ARG RUNTIME_BASE
ARG VERSION
ARG REVISION
ARG SOURCE
LABEL org.opencontainers.image.title="Fairlead" \
      org.opencontainers.image.description="Runs jobs on remote Slurm clusters and bare hosts over nothing but SSH" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.base.name="${RUNTIME_BASE}"
COPY --from=build /image/ /
ENV PATH=/opt/fairlead/bin:/usr/bin PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 65532:65532
WORKDIR /
ENTRYPOINT ["/opt/fairlead/bin/fairlead"]
CMD ["--help"]

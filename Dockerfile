# Parley's image: three stages, of which only the last is shipped. It holds no compiler and no speech model.
#
#   make image                                                   # docker where there is one, else buildah
#   make image GPU_BACKEND_PACKAGE=libggml0-backend-vulkan       # with a GPU backend
#
# Run it with a folder for models and a key, and nothing else writable:
#
#   docker run --read-only --cap-drop ALL -p 8080:8080 -v parley-models:/models -e PARLEY_API_KEYS=… parley

ARG BASE=docker.io/library/debian:forky-slim

# onnxruntime comes from npm; its tools stay in this stage. curl is enough where the registry is named.
FROM ${BASE} AS onnxruntime
ARG APT_OPTS=
ARG NPM_REGISTRY=
RUN apt-get ${APT_OPTS} update -qq && \
    apt-get ${APT_OPTS} install -y -qq --no-install-recommends ca-certificates \
        $(if [ -n "${NPM_REGISTRY}" ]; then echo curl; else echo npm; fi)
COPY deploy/setup/lib.sh deploy/setup/onnxruntime.sh /src/deploy/setup/
RUN --mount=type=secret,id=ca,target=/etc/ssl/certs/ca-certificates.crt \
    npm_config_cafile=/etc/ssl/certs/ca-certificates.crt /src/deploy/setup/onnxruntime.sh

FROM ${BASE} AS build
ARG APT_OPTS=
ARG GOPROXY=
ARG GOSUMDB=
RUN apt-get ${APT_OPTS} update -qq && \
    apt-get ${APT_OPTS} install -y -qq --no-install-recommends ca-certificates gcc g++ libc6-dev pkg-config \
        golang-1.26-go libwhisper-dev libggml-dev libopus-dev libopusfile-dev flite1-dev
ENV PATH=/usr/lib/go-1.26/bin:$PATH GOTOOLCHAIN=local GOFLAGS=-buildvcs=false
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=secret,id=ca,target=/etc/ssl/certs/ca-certificates.crt \
    if [ -z "${GOPROXY}" ]; then unset GOPROXY; fi; if [ -z "${GOSUMDB}" ]; then unset GOSUMDB; fi; \
    go mod download
COPY deploy/setup/ deploy/setup/
COPY --from=onnxruntime /src/.native/ .native/
RUN deploy/setup/env.sh
COPY . .
RUN deploy/setup/with-env.sh go build -trimpath -ldflags='-s -w' -o /opt/parley/bin/parley ./cmd/parley && \
    deploy/setup/with-env.sh deploy/image/licences.sh /opt/parley/licences && \
    mkdir -p /opt/parley/.native && \
    cp -a .native/lib /opt/parley/.native/lib

FROM ${BASE}
ARG APT_OPTS=
# A GPU backend is a plug-in: libggml0-backend-vulkan (NVIDIA, AMD, Intel) or libggml0-backend-hip (AMD).
ARG GPU_BACKEND_PACKAGE=
RUN apt-get ${APT_OPTS} update -qq && \
    apt-get ${APT_OPTS} install -y -qq --no-install-recommends ca-certificates espeak-ng \
        libwhisper1 libggml0 libopus0 libopusfile0 libflite1 ${GPU_BACKEND_PACKAGE} && \
    rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/log/*
COPY LICENSE deploy/image/NOTICE /opt/parley/
COPY --from=build /opt/parley/ /opt/parley/
# The models' folder belongs to the server's user, so that a fresh volume does too.
RUN install -d -o 65532 -g 65532 /models && ln -s /opt/parley/bin/parley /usr/local/bin/parley

# Beyond this machine parley refuses to listen without keys: give PARLEY_API_KEYS, or PARLEY_INSECURE=true.
ENV PARLEY_LISTEN=0.0.0.0:8080 \
    PARLEY_MODELS_DIR=/models \
    PARLEY_NATIVE_DIR=/opt/parley/.native \
    ORT_DISABLE_TELEMETRY=1 \
    HOME=/models
USER 65532:65532
WORKDIR /models
VOLUME /models
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 CMD ["/opt/parley/bin/parley", "healthcheck"]
ENTRYPOINT ["/opt/parley/bin/parley"]
CMD ["serve"]

LABEL org.opencontainers.image.title="Parley" \
      org.opencontainers.image.description="Real-time speech server: hear, understand and speak on one socket" \
      org.opencontainers.image.licenses="Apache-2.0"

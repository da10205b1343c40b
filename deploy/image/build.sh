#!/usr/bin/env bash
# Builds the container image.
# usage: build.sh NAME
# Handed to the build where set: GPU_BACKEND_PACKAGE, APT_OPTS, NPM_REGISTRY; GOPROXY and GOSUMDB as go has them.
set -euo pipefail
# shellcheck source=deploy/image/engine.sh
. "$(dirname "$0")/engine.sh"
name=$1
base=docker.io/library/debian:forky-slim
engine=$(image_engine)

# apt_opts carries over what the host's apt was told about frozen mirrors, whose release files look expired.
apt_opts() {
	local off
	if [ -n "${APT_OPTS:-}" ]; then
		echo "$APT_OPTS"
		return
	fi
	for off in Acquire::Check-Valid-Until Acquire::Check-Date; do
		if [ "$(apt-config shell value $off/b 2>/dev/null)" = "value='false'" ]; then printf -- '-o%s=false ' "$off"; fi
	done
}

args=(--build-arg "BASE=$base" --build-arg "APT_OPTS=$(apt_opts)")
goproxy=$(go env GOPROXY 2>/dev/null || true)
gosumdb=$(go env GOSUMDB 2>/dev/null || true)
registry=${NPM_REGISTRY:-$(npm config get registry 2>/dev/null || true)}
for pair in "GOPROXY=$goproxy" "GOSUMDB=$gosumdb" "NPM_REGISTRY=$registry" \
	"GPU_BACKEND_PACKAGE=${GPU_BACKEND_PACKAGE:-}"; do
	if [ -n "${pair#*=}" ]; then args+=(--build-arg "$pair"); fi
done
# Behind a proxy with a certificate of its own the downloads need the host's certificates; they do not stay in the image.
for certificates in "${SSL_CERT_FILE:-}" /etc/ssl/certs/ca-certificates.crt; do
	if [ -n "$certificates" ] && [ -e "$certificates" ]; then
		args+=(--secret "id=ca,src=$certificates")
		break
	fi
done

cd "$PARLEY_ROOT"
say "building $name with $engine"
if [ "$engine" = docker ]; then
	DOCKER_BUILDKIT=1 docker build "${args[@]}" -t "$name" .
else
	deploy/image/base.sh "$base" forky
	# The docker format keeps the health check.
	buildah bud --format docker --pull-never "${args[@]}" -t "$name" .
fi
say "built $name"

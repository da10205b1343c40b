#!/usr/bin/env bash
# Runs a command with the native libraries' build flags set.
# usage: with-env.sh COMMAND [ARGUMENT...]
set -euo pipefail
env=$(dirname "$0")/../../.native/env
if [ ! -e "$env" ]; then
	echo "the native libraries are missing: run make setup first" >&2
	exit 1
fi
# shellcheck source=/dev/null
. "$env"
exec "$@"

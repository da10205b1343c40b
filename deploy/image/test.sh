#!/usr/bin/env bash
# Boots the image as its users would, with the bundled model mounted and nothing else, waits until it is healthy, and
# has it speak and transcribe.
# usage: test.sh NAME
set -euo pipefail
# shellcheck source=deploy/image/engine.sh
. "$(dirname "$0")/engine.sh"
name=$1
engine=$(image_engine)
models=$PARLEY_ROOT/engine/whisper/tinymodel
port=${PARLEY_IMAGE_PORT:-18080}
log=$(mktemp)
started=$(mktemp)
settings=(
	--env PARLEY_INSECURE=true --env PARLEY_PULL=never --env PARLEY_MODEL=/bundled/commands.en-q5_0.bin
)
container='' server=''

finish() {
	local code=$?
	if [ $code -ne 0 ]; then
		say "the image's log:"
		cat "$log" >&2
	fi
	if [ "$engine" = docker ]; then
		[ -z "$container" ] || docker rm -f "$container" >/dev/null
	else
		[ -z "$server" ] || kill -- "-$server" 2>/dev/null || true
		[ -z "$server" ] || wait "$server" 2>/dev/null || true
		[ -z "$container" ] || buildah rm "$container" >/dev/null
	fi
	rm -f "$log" "$started"
	exit $code
}
trap finish EXIT

# inside runs a command in the running image.
inside() {
	if [ "$engine" = docker ]; then
		docker exec "$container" "$@"
	else
		buildah run "${settings[@]}" "$container" -- "$@"
	fi
}

boot_docker() {
	container=$(docker run -d --read-only --cap-drop ALL --security-opt no-new-privileges \
		-v "$models:/bundled:ro" -p "127.0.0.1:$port:8080" "${settings[@]}" "$name")
	docker logs -f "$container" >"$log" 2>&1 &
}

# boot_buildah shares the host's network, so the port is told to the server itself.
boot_buildah() {
	local entrypoint
	container=$(buildah from --pull-never "$name")
	settings+=(--env "PARLEY_LISTEN=127.0.0.1:$port" --volume "$models:/bundled:ro")
	entrypoint=$(buildah inspect --type image --format '{{index .OCIv1.Config.Entrypoint 0}} {{index .OCIv1.Config.Cmd 0}}' "$name")
	set -m
	# shellcheck disable=SC2086 # a program and its subcommand
	buildah run --cap-drop ALL "${settings[@]}" "$container" -- $entrypoint >"$log" 2>&1 &
	server=$!
	set +m
}

# contents checks what must not be in the image, and who runs it.
contents() {
	local found
	[ "$(inside id -u)" = 65532 ] || die "the image runs as user $(inside id -u)"
	# shellcheck disable=SC2016 # the shell inside expands it
	found=$(inside sh -c 'for p in gcc cc g++ ld go node npm; do command -v $p; done; find / -xdev \( -name "ggml-*.bin" -o -name "commands*.bin" \) -not -path "/bundled/*" 2>/dev/null' 2>/dev/null || true)
	[ -z "$found" ] || die "the image contains what it should not: $found"
	inside sh -c 'test -s /opt/parley/NOTICE && ls /opt/parley/licences/go/* /opt/parley/licences/*/*/LICENSE*' >/dev/null ||
		die "the image lacks licences"
	if inside touch /opt/parley/written >/dev/null 2>&1; then die "the server's user can write outside its models' folder"; fi
}

"boot_$engine"
say "waiting until the image is healthy"
for ((i = 0; ; i++)); do
	if inside /opt/parley/bin/parley healthcheck >/dev/null 2>&1; then break; fi
	if [ $i -ge 60 ]; then die "the image is not healthy after a minute"; fi
	sleep 1
done
contents
say "speaking and transcribing through it"
cd "$PARLEY_ROOT"
PARLEY_URL=http://127.0.0.1:$port go test -count=1 -v -tags image ./deploy/image
if [ "$engine" = buildah ]; then
	# Nothing may have been written: the same image must run with a read-only root.
	root=$(buildah mount "$container")
	written=$(find "$root" -xdev -newer "$started" -type f -not -path "$root/proc/*" 2>/dev/null || true)
	[ -z "$written" ] || die "the server wrote into its root: $written"
fi
say "the image works"

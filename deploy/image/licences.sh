#!/usr/bin/env bash
# Copies the licences of all Go modules in the server, and of Go itself; fails where a module has none.
# usage: licences.sh FOLDER
set -euo pipefail
cd "$(dirname "$0")/../.."
out=$1

# keep NAME DIRECTORY copies the licences that lie in a directory.
keep() {
	local file found=no
	mkdir -p "$out/$1"
	for file in "$2"/LICEN[CS]E* "$2"/COPYING* "$2"/NOTICE* "$2"/AUTHORS* "$2"/PATENTS*; do
		[ -f "$file" ] || continue
		install -m 0644 "$file" "$out/$1/"
		case $file in */LICEN* | */COPYING*) found=yes ;; esac
	done
	if [ $found = no ]; then
		echo "licences: $1 has none in $2" >&2
		return 1
	fi
}

modules=$(go list -deps -f '{{with .Module}}{{if not .Main}}{{.Path}} {{.Dir}}{{end}}{{end}}' ./cmd/parley | sort -u)
while read -r name dir; do
	keep "$name" "$dir"
done <<<"$modules"
# Debian keeps Go's licence with the package's papers.
root=$(go env GOROOT)
if [ -f "$root/LICENSE" ]; then
	keep go "$root"
else
	mkdir -p "$out/go"
	install -m 0644 /usr/share/doc/golang-*-go/copyright "$out/go/"
fi

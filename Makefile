# Parley's everyday commands. `make help` lists them.

WITH_ENV := deploy/setup/with-env.sh
IMAGE    ?= parley:latest
# Arguments of `parley serve` for `make run`, and of `go test` for `make test` and `make bench`.
ARGS     ?=
SIZES    ?=
PKGS     ?= ./...

.DEFAULT_GOAL := help
.PHONY: help setup setup-test build run test lint bench bench-asr bench-gpu clean image image-test

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## bring the native libraries (done by build, run and test too)
	@deploy/setup/setup.sh

setup-test: setup ## bring what only the tests need: Chromium and playwright-core
	@deploy/setup/test-tools.sh

build: setup ## build bin/parley
	@$(WITH_ENV) go build -trimpath -o bin/parley ./cmd/parley

run: build ## serve the page and the protocol on 127.0.0.1:8080 (ARGS="--listen …")
	@bin/parley serve $(ARGS)

test: setup-test ## all tests with the race detector (PKGS=./codec/... ARGS="-run Name")
	@$(WITH_ENV) deploy/check/quick.sh
	$(WITH_ENV) go test -race -shuffle=on -timeout 15m $(PKGS) $(ARGS)

lint: setup ## gofmt, go vet, staticcheck, govulncheck, shellcheck
	@$(WITH_ENV) deploy/check/lint.sh

bench: setup ## benchmarks (PKGS=./codec/... ARGS="-benchtime 3s")
	$(WITH_ENV) go test -run '^$$' -bench . -benchmem $(PKGS) $(ARGS)

bench-asr: build ## the ratios of docs/recognition.md (MODEL=FILE, SIZES="tiny base")
	@deploy/bench/asr.sh $(SIZES)

bench-gpu: ## what decodes cost on this machine's graphics card (SIZES="small large-v3-turbo")
	@deploy/bench/gpu.sh $(SIZES)

clean: ## remove what was built; the native libraries stay (delete .native to fetch them anew)
	@rm -rf bin .artifacts

image: ## build the container image $(IMAGE), with docker or else buildah
	@deploy/image/build.sh $(IMAGE)

image-test: ## boot the image and transcribe a recording through it
	@deploy/image/test.sh $(IMAGE)

# starling: one static binary, no cgo.
GO      ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X main.version=$(VERSION)
export CGO_ENABLED ?= 0

GOLANGCI    := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
GOVULNCHECK := golang.org/x/vuln/cmd/govulncheck@v1.9.0

.PHONY: help
help: ## list what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

.PHONY: build
build: ## build bin/starling
	$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/starling ./cmd/starling

.PHONY: demo
demo: build ## see a stream being clustered
	bin/starling demo

.PHONY: test
test: ## run every test
	$(GO) test ./...

.PHONY: race
race: ## run every test under the race detector; needs a C compiler
	CGO_ENABLED=1 $(GO) test -race ./...

.PHONY: bench
bench: ## the whole path, and whether its cost grows
	$(GO) test -run '^$$' -bench . -benchtime 1x ./pipeline

.PHONY: check
check: ## formatting, vet, and that generated code is what the generator makes
	@test -z "$$(gofmt -l .)" || { echo "not formatted:"; gofmt -l .; exit 1; }
	$(GO) vet ./...
	$(GO) generate ./vec
	git diff --exit-code -- vec

.PHONY: lint
lint: ## golangci-lint
	$(GO) run $(GOLANGCI) run

.PHONY: vuln
vuln: ## known vulnerabilities; asks the vulnerability database
	$(GO) run $(GOVULNCHECK) ./...

.PHONY: clean
clean: ## remove what was built
	rm -rf bin

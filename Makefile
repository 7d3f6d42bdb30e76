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

.PHONY: beam
beam: ## build bin/starling-beam
	$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/starling-beam ./cmd/starling-beam

.PHONY: demo
demo: build ## see a stream being clustered
	bin/starling demo

.PHONY: test
test: ## run every test
	$(GO) test ./...

.PHONY: race
race: ## run every test under the race detector; needs a C compiler
	CGO_ENABLED=1 $(GO) test -race -timeout 30m ./...

# Every fuzz target is found by its name, and gets FUZZTIME.
FUZZTIME ?= 60s
.PHONY: soak
soak: ## the long tests: 200 kills, every call to the disk, 10,000 mutations each of messages, lines and requests, a million documents, FUZZTIME (60s) of every fuzz target
	STARLING_TEST_KILLS=200 $(GO) test -count=1 -timeout 90m -run Killed -v ./pipeline
	STARLING_TEST_SOAK=1 $(GO) test -count=1 -timeout 30m -run 'TestPowerCut|TestEveryCallThatFails|TestDamage$$' -v ./store
	STARLING_TEST_SOAK=1 $(GO) test -count=1 -timeout 30m -run 'TestMutated|TestAMillionDocuments' -v ./pipeline
	STARLING_TEST_SOAK=1 $(GO) test -count=1 -timeout 30m -run TestTheStateOfAMillionDocuments -v ./server
	@grep -rEo --include='*_test.go' '^func Fuzz[A-Za-z]+' . | sed 's/:func /:/' | while IFS=: read -r file target; do \
		echo "fuzzing $$target in $$(dirname $$file)"; \
		$(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x "$$(dirname $$file)" || exit 1; \
	done

.PHONY: bench
bench: ## the whole path, whether its cost grows, and the clustering against scikit-learn
	$(GO) test -run '^$$' -bench . -benchtime 1x -count 3 ./pipeline
	$(GO) run ./bench/clustering

# Texts of real lengths: tweets where they are at hand, else the shipped sample.
TWEETS      := ../shared/data/emotion/test.txt
VOCABULARY  := ../shared/tokenizer/vocab.txt
BENCH_TEXTS := $(if $(wildcard $(TWEETS)),--texts $(TWEETS)) $(if $(wildcard $(VOCABULARY)),--vocabulary $(VOCABULARY))

.PHONY: bench-embed
bench-embed: ## the encoder: products against the processor's limit, whole texts against ONNX Runtime and PyTorch
	$(GO) test -run '^$$' -bench ShareOfPeak -count 3 ./embed/transformer/kernel
	$(GO) test -run '^$$' -bench Encode -cpu 1 ./embed/wordpiece
	$(GO) run ./bench/encoder $(BENCH_TEXTS)

.PHONY: bench-peers
bench-peers: ## install ONNX Runtime for bench-embed; PyTorch and onnx are Debian's python3-torch and python3-onnx
	npm ci --ignore-scripts --prefix bench/encoder/peers

.PHONY: ui
ui: ## build the web page, server/ui/dist, from its sources; needs node and npm
	npm ci --ignore-scripts --prefix server/ui
	npm run build --prefix server/ui

.PHONY: check
check: ## formatting, vet, and that generated code is what the generators make
	@test -z "$$(gofmt -l .)" || { echo "not formatted:"; gofmt -l .; exit 1; }
	$(GO) vet ./...
	$(GO) generate ./vec ./embed/transformer/kernel
	git diff --exit-code -- vec embed/transformer/kernel

.PHONY: lint
lint: ## golangci-lint
	$(GO) run $(GOLANGCI) run

.PHONY: vuln
vuln: ## known vulnerabilities; asks the vulnerability database
	$(GO) run $(GOVULNCHECK) ./...

.PHONY: clean
clean: ## remove what was built
	rm -rf bin

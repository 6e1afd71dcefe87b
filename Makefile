# conclab: the commands. `make` alone lists them.
# What the lint step needs is pinned here and fetched by go run: nothing is
# installed by hand, and go.mod holds only what the lab itself needs.
GOFUMPT     := mvdan.cc/gofumpt@v0.12.0
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2

# The race detector needs cgo, and so a C compiler; go env knows whether it has one.
RACE := $(if $(filter 1,$(shell go env CGO_ENABLED)),-race)

# go vet compiles what a package imports. For a system on which nothing is run,
# the quickest code will do.
NEVER_RUN := -gcflags=all=-l

export GORACE := atexit_sleep_ms=0 $(GORACE)

.PHONY: help start test check attack bench

help:
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand -t 14

start: ## the map of the lessons, and what comes next
	@go run ./cmd/lab

# The exercises are for the learner to solve: their suites fail until then. The
# tests of solutions/ run them on the references, and on all else that is known
# to be right or wrong; alone, because they need the processors for themselves.
# Everything is vetted by check. Whatever starts goroutines is in internal/; the
# command, which the tests run hundreds of times, starts slowly with -race.
test: check ## everything but the untouched exercises: vet, lint, all tests
	go test -vet=off -timeout 30m ./lessons ./cmd/...
	go test $(RACE) -vet=off -timeout 30m ./internal/...
	go test -vet=off -timeout 40m ./solutions/...

check: ## formatting, go vet for three systems, staticcheck
	@files=$$(go run $(GOFUMPT) -l .); if [ -n "$$files" ]; then echo "not formatted, run go run $(GOFUMPT) -w .:"; echo "$$files"; exit 1; fi
	GOOS=linux go vet ./...
	GOOS=windows go vet $(NEVER_RUN) ./...
	GOOS=darwin go vet $(NEVER_RUN) ./...
	go run $(STATICCHECK) -checks all ./...

attack: ## what takes minutes more: cheats past the gate, a grader that is killed, the bank as lab grade runs it
	CONCLAB_ATTACK=1 go test -timeout 60m ./internal/cheats ./internal/grade
	go run ./cmd/lab verify --race

bench: ## the figures: suites, edit to verdict, save to screen, wrong answers, grading
	go test -run '^$$' -bench . -benchtime 1x -timeout 90m ./internal/bench

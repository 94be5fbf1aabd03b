# Zugzwang. `make demo` plays a proven game on a local chain, `make test` runs every test; `make help` lists the rest.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo demo-market demo-guard example-lending example-contest test test-contracts test-rust test-web servers browser bench gas gas-check audit fmt lint lint-contracts lint-web lint-deploy lint-rust lint-format lint-clippy verifiers fuzz fuzz-daemon chaos load soak sim sim-mutants clean check-node check-cargo

MODEL ?= chess-m
CARGO ?= cargo
ZUGZWANG := $(or $(CARGO_TARGET_DIR),target)/release/zugzwang
INSTALLED := contracts/node_modules/.installed
WEB_INSTALLED := daemon/web/node_modules/.installed
FUZZ_TARGETS := onnx keys proof ptau
FUZZ_SECONDS ?= 60
SIMULATION := sim::every_request_ends_and_none_is_answered_twice
TEST_LOGS := $(CURDIR)/.zugzwang/test-logs
NODE_TESTS := .zugzwang/onnx-node-tests
MODELS := $(sort $(patsubst models/%/model.toml,%,$(wildcard models/*/model.toml)))

# HUMAN counts as set unless it is empty, 0, n, no, f, false or off, as in the binary.
override human := $(filter-out 0 n no f false off,$(HUMAN))
demo_flags := --model models/$(MODEL) $(if $(human),--human) $(if $(MOVES),--moves $(MOVES)) $(if $(BLACK),--black) $(if $(SEED),--seed $(SEED))
# The flags above say it all; the binary must not read HUMAN again.
unexport HUMAN

help:
	@echo 'make demo [HUMAN=1] [MODEL=chess-s|chess-m|chess-l] [MOVES=n] [BLACK=1] [SEED=n]'
	@echo '                  play a game against the NPC on a local chain'
	@echo 'make demo WEB=1 [PORT=n] [SEED=n]  the same in the browser: chess, markets and a guarded vault at one address'
	@echo 'make demo-market [SEED=n]         a prediction market, from bets to payouts, decided by a signed result'
	@echo 'make demo-guard [SEED=n] [PRIVATE=1]   a vault that a fraud model guards'
	@echo 'make example-lending   a lending pool whose rate follows a proven model'
	@echo 'make example-contest   a contest between private models'
	@echo 'make test         forge tests, then cargo tests of all crates, then the pages in Chromium'
	@echo 'make test-web [ONLY=word]         the pages in Chromium; screenshots in .zugzwang/screenshots'
	@echo 'make bench [MODEL=...] [RUNS=n]   measure keys, proofs and gas, as JSON; all models without MODEL'
	@echo 'make gas          measure what the contracts cost, and write docs/gas.md'
	@echo 'make gas-check    measure it again; fails if a path costs over 3 % more than docs/gas.md says'
	@echo 'make audit        licences, bans and known vulnerabilities of what is linked (cargo-deny)'
	@echo 'make lint         formats, clippy, stale contract artifacts, threat lists'
	@echo 'make fmt          format Rust and Solidity'
	@echo 'make proofs [PROOFS=n]            a hundred positions and a hundred digits, proven and judged'
	@echo 'make fuzz [FUZZ_SECONDS=n]        run each fuzz target for a while (a minute); needs cargo-fuzz'
	@echo 'make fuzz-daemon [INPUTS=n] [SEED=n]   a million bad configurations, bulletins, events, answers of nodes and requests'
	@echo 'make chaos [KILLS=n] [ROUNDS=n] [SEED=n]   whole games with real proofs through kills, reorganisations, faults, a full disk'
	@echo 'make load [GAMES=n]   a thousand open games and ten thousand events at once, with stored proofs'
	@echo 'make soak [MINUTES=n]   games one after another with real proofs, for half an hour: does memory stay flat?'
	@echo 'make spectators [SPECTATORS=n]    500 people follow one game; each is told every move, and the memory is stated'
	@echo 'make fuzz-api [EXAMPLES=n] [SEED=n]   requests made of the API'\''s document against a demo; none may give a 5xx'
	@echo 'make sim [SEEDS=n] [FROM=n]       the daemon in simulated worlds where all goes wrong; SEED=n shows one (docs/simulation.md)'
	@echo 'make sim-mutants [SEEDS=n]        plant bugs in a copy of the sources; the simulation must find each'
	@echo 'make verifiers    make models/*/verifier.json again'
	@echo 'make clean        remove everything that was built, installed or cached here'

# With WEB everything at one address: the pages, their chain, and some life. WEB counts like HUMAN.
override web := $(filter-out 0 n no f false off,$(WEB))
web_flags := $(if $(PORT),--port $(PORT)) $(if $(SEED),--seed $(SEED))
ifneq ($(web),)
demo: check-node check-cargo $(INSTALLED)
	@echo '==> building zugzwang (release; minutes the first time, a second after that)'
	@$(CARGO) build --release --locked -p zugzwang
	@$(ZUGZWANG) demo-web $(strip $(web_flags))
else
demo: check-node check-cargo $(INSTALLED) model-$(MODEL)
	@echo '==> building zugzwang (release; minutes the first time, a second after that)'
	@$(CARGO) build --release --locked -p zugzwang
	@echo '==> zugzwang demo $(strip $(demo_flags))'
	@$(ZUGZWANG) demo $(demo_flags)
endif

demo-market: check-node check-cargo $(INSTALLED)
	@echo '==> building zugzwang (release; minutes the first time, a second after that)'
	@$(CARGO) build --release --locked -p zugzwang
	@$(ZUGZWANG) demo-market $(if $(SEED),--seed $(SEED))

demo-guard: check-node check-cargo $(INSTALLED)
	@echo '==> building zugzwang (release; minutes the first time, a second after that)'
	@$(CARGO) build --release --locked -p zugzwang
	@$(ZUGZWANG) demo-guard $(if $(SEED),--seed $(SEED)) $(if $(PRIVATE),--private)

# The examples' end-to-end tests, which tell what they do.
example-lending example-contest: check-node check-cargo $(INSTALLED)
	@echo '==> building the tests (minutes the first time)'
	@$(CARGO) test --workspace --locked --test it $(@:example-%=%):: -- --nocapture --test-threads 1

test: test-contracts test-rust test-web

test-contracts: check-node $(INSTALLED)
	@echo '==> forge tests'
	@cd contracts && node forge.mjs test

# One more than two cores: many tests wait for a chain.
TEST_THREADS ?= 3

test-rust: check-node check-cargo servers $(INSTALLED) $(NODE_TESTS)
	@echo '==> cargo tests of all crates'
	@rm -rf $(TEST_LOGS)
	@ended=0; RUST_TEST_THREADS=$(TEST_THREADS) ZUGZWANG_TEST_LOGS=$(TEST_LOGS) $(CARGO) test --workspace --locked --no-fail-fast || ended=$$?; \
	  echo '==> no key material in the logs of all these tests'; \
	  scripts/no-secrets $(TEST_LOGS) && exit $$ended

# The daemon as the tests above have built it. ONLY runs the scenarios whose name holds a word.
test-web: check-node check-cargo browser $(INSTALLED) $(WEB_INSTALLED)
	@echo '==> the pages in Chromium'
	@$(CARGO) test --workspace --locked --no-run
	@cd daemon/web && ZUGZWANG=$(abspath $(or $(CARGO_TARGET_DIR),target))/debug/zugzwang \
	  node --test-reporter=./test/reporter.mjs test/main.mjs $(ONLY)

bench: check-node check-cargo $(INSTALLED)
	@echo '==> building zugzwang (release)' >&2
	@$(CARGO) build --release --locked -p zugzwang
	@$(ZUGZWANG) bench --json $(if $(filter command line environment,$(origin MODEL)),--model models/$(MODEL)) $(if $(RUNS),--runs $(RUNS))

gas: check-node $(INSTALLED)
	@scripts/gas-table

gas-check: check-node $(INSTALLED)
	@scripts/gas-table --check

audit: check-cargo
	@scripts/audit

fmt: check-node check-cargo $(INSTALLED)
	$(CARGO) fmt --all
	cd contracts && node forge.mjs fmt

lint: lint-rust lint-contracts lint-web lint-deploy

lint-rust: lint-format lint-clippy

lint-format: check-cargo
	@echo '==> cargo fmt --check'
	@$(CARGO) fmt --all --check

lint-clippy: check-cargo
	@echo '==> cargo clippy, warnings denied'
	@$(CARGO) clippy --workspace --all-targets --locked -- -D warnings

# Needs Python with PyYAML.
lint-deploy:
	@echo '==> containers and the chart'
	@scripts/check-deploy

lint-contracts: check-node $(INSTALLED)
	@echo '==> forge fmt --check'
	@cd contracts && node forge.mjs fmt --check
	@echo '==> contract artifacts against their sources'
	@cd contracts && node build.mjs --check
	@echo '==> threat lists against the tests'
	@scripts/threat-lists

lint-web: check-node $(WEB_INSTALLED)
	@echo '==> types of the pages'
	@cd daemon/web && node node_modules/typescript/bin/tsc --noEmit
	@echo '==> the pages that the daemon embeds against their sources'
	@cd daemon/web && node build.mjs --check

verifiers: check-node check-cargo $(INSTALLED)
	@echo '==> building zugzwang (release)'
	@$(CARGO) build --release --locked -p zugzwang
	@set -e; for model in $(MODELS); do echo "==> $$model"; $(ZUGZWANG) model compile models/$$model; done

# What libFuzzer finds on its way stays out of the saved corpus. The stable compiler has what it needs but for a flag.
fuzz: check-cargo
	@$(CARGO) fuzz --version >/dev/null 2>&1 || { echo 'make: cargo-fuzz is missing; cargo install --locked cargo-fuzz@0.13.2' >&2; exit 1; }
	@set -e; cd circuits; for target in $(FUZZ_TARGETS); do \
	  echo "==> fuzzing $$target for $(FUZZ_SECONDS) s"; \
	  mkdir -p fuzz/target/found/$$target; \
	  RUSTC_BOOTSTRAP=1 $(CARGO) fuzz run --sanitizer none $$target fuzz/target/found/$$target fuzz/corpus/$$target -- \
	    -max_total_time=$(FUZZ_SECONDS) -timeout=20 -rss_limit_mb=4096 -len_control=0 -max_len=100000 -print_final_stats=1; \
	done

# Seeds and sizes of the daemon's trials under real conditions; docs/reliability.md has what they gave.
INPUTS ?= 1000000
KILLS ?= 120
ROUNDS ?= 3
GAMES ?= 1000
MINUTES ?= 30
trial = ZUGZWANG_SEED=$(SEED) $(1) $(CARGO) test --workspace --locked $(2) -- --nocapture --test-threads 1

# Labelled positions and digits held out, proven and judged; `make test` does so with 25 of each.
.PHONY: proofs
PROOFS ?= 100
proofs: check-node check-cargo $(INSTALLED)
	@ZUGZWANG_PROOFS=$(PROOFS) $(CARGO) test --workspace --locked --test it -- --nocapture \
	  --exact integers::what_the_integer_network_says_is_proven digits::digits_held_out_are_proven_on_chain

fuzz-daemon: check-cargo
	@$(call trial,ZUGZWANG_FUZZ=$(INPUTS),--lib fuzz::)

chaos: check-node check-cargo $(INSTALLED)
	@$(call trial,ZUGZWANG_KILLS=$(KILLS) ZUGZWANG_CHAOS=$(ROUNDS),--test it chaos::)

# Many people look at one game.
.PHONY: spectators fuzz-api
SPECTATORS ?= 500
spectators: check-node check-cargo $(INSTALLED)
	@ZUGZWANG_SPECTATORS=$(SPECTATORS) $(CARGO) test --workspace --locked --test it spectators:: -- --nocapture --test-threads 1

# Needs Python 3.10 or later, for schemathesis.
fuzz-api: check-node check-cargo $(INSTALLED)
	@echo '==> building zugzwang (release; minutes the first time, a second after that)'
	@$(CARGO) build --release --locked -p zugzwang
	@EXAMPLES=$(EXAMPLES) SEED=$(SEED) scripts/fuzz-api $(ZUGZWANG)

# One thread for each core; a seed takes a fraction of a second.
sim: check-node check-cargo $(INSTALLED)
	@echo '==> building the tests (minutes the first time)'
	@SIM_SEEDS=$(or $(SEEDS),500) SIM_FROM=$(FROM) SIM_SEED=$(SEED) \
	  $(CARGO) test --workspace --locked --test it $(SIMULATION) -- --exact --nocapture

sim-mutants: check-node check-cargo $(INSTALLED)
	@SEEDS=$(SEEDS) scripts/sim-mutants

# The daemon's own code is optimised as in a release, as this measures it.
load: check-cargo
	@$(call trial,CARGO_PROFILE_DEV_OPT_LEVEL=2 ZUGZWANG_LOAD=$(GAMES),--test it load::)

soak: check-node check-cargo $(INSTALLED)
	@$(call trial,ZUGZWANG_SOAK=$(MINUTES),--test it soak::)

clean:
	rm -rf target circuits/fuzz/target .zugzwang contracts/node_modules contracts/out contracts/cache daemon/web/node_modules

# npm packages at the versions of package-lock.json: anvil, forge, solc.
$(INSTALLED): contracts/package-lock.json contracts/package.json | check-node
	@echo '==> installing the local chain and the Solidity compiler (npm ci in contracts/)'
	@cd contracts && npm ci --no-audit --no-fund
	@touch $@

# npm packages at the versions of its package-lock.json: bundler, types, and what the pages' tests drive the browser with.
$(WEB_INSTALLED): daemon/web/package-lock.json daemon/web/package.json | check-node
	@echo '==> installing what the pages are built and tested with (npm ci in daemon/web/)'
	@cd daemon/web && npm ci --no-audit --no-fund
	@touch $@

# Chromium for the tests, the system's or the distribution's package unpacked here.
browser:
	@scripts/browser

# PostgreSQL and NATS for the tests, the system's or the distribution's packages unpacked here.
servers:
	@scripts/servers

# The ONNX project's test cases, from the package of its release.
$(NODE_TESTS):
	@scripts/onnx-node-tests

model-%:
	@test -f models/$*/model.toml || { echo 'make: there is no model $*; choose one of: $(MODELS)' >&2; exit 1; }

check-node:
	@command -v node >/dev/null || { echo 'make: node is missing; install Node.js 20 or later (nodejs.org or your package manager)' >&2; exit 1; }
	@node -e 'process.exit(+process.versions.node.split(".")[0] >= 20 ? 0 : 1)' || { echo "make: node is $$(node --version); Node.js 20 or later is needed" >&2; exit 1; }
	@command -v npm >/dev/null || { echo 'make: npm is missing; it comes with Node.js, or as a package of its own' >&2; exit 1; }

check-cargo:
	@command -v $(CARGO) >/dev/null || { echo 'make: cargo is missing; install Rust 1.95 or later (rustup.rs)' >&2; exit 1; }
	@$(CARGO) --version | awk '{ split($$2, v, "."); if (v[1] * 1000 + v[2] < 1095) { print "make: " $$0 " is too old; Rust 1.95 or later is needed (rustup update stable)" > "/dev/stderr"; exit 1 } }'
	@command -v cc >/dev/null || { echo 'make: a C compiler is missing (SQLite is compiled in); install gcc or clang' >&2; exit 1; }

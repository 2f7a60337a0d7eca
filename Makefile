# On a fresh machine: `make demo`, `make test`, and `make test-all`, as CI runs it. They need Node >= 20 with npm, and JDK 17 with Maven.
.PHONY: demo test test-all check site bench bench-peers setup

setup: node_modules/.package-lock.json

# The page that the dashboard serves.
PAGE := dashboard/web/dist/index.html
$(PAGE): node_modules/.package-lock.json $(shell find dashboard/web dashboard/contract proofs/page -type f -not -path '*/dist/*' 2>/dev/null)
	@echo 'Building the page …'
	@npm run --silent build:web -- --logLevel warn
	@touch $@

node_modules/.package-lock.json: package.json package-lock.json .npmrc
	@command -v npm >/dev/null || { echo 'make: npm is missing: install Node 20 or newer, which brings it.' >&2; exit 3; }
	@echo 'Installing the packages named in package-lock.json …'
	@npm ci

# The app for AWS is a package of its own: only the tests need it.
AWS := deploy/aws/node_modules/.package-lock.json
$(AWS): deploy/aws/package.json deploy/aws/package-lock.json
	@echo 'Installing the packages of deploy/aws …'
	@npm ci --prefix deploy/aws

# So is the tool that builds the site of docs.
SITE := site/node_modules/.package-lock.json
$(SITE): site/package.json site/package-lock.json
	@echo 'Installing the packages of site …'
	@npm ci --prefix site

# So is ccxt, which polls exchanges for those who install it.
CCXT := bench/peers/ccxt/node_modules/.package-lock.json
$(CCXT): bench/peers/ccxt/package.json bench/peers/ccxt/package-lock.json
	@echo 'Installing the packages of bench/peers/ccxt …'
	@npm ci --prefix bench/peers/ccxt --ignore-scripts

demo: setup $(PAGE)
	@node bin/tapeproof.js demo

# Outages, security, upgrades and the pages that are followed word for word take an hour: they are in `test-all`.
test: TESTS := test
test-all: TESTS := test:all
test test-all: setup $(PAGE) $(AWS) $(SITE) $(CCXT)
	@npm run --silent check:static
	@npm run --silent build:site
	@npm run --silent bench:guard
	@npm run --silent $(TESTS)

check: setup
	@npm run --silent check

site: setup $(SITE)
	@npm run --silent build:site

bench: setup
	@npm run --silent bench

bench-peers: setup
	@npm run --silent bench:peers

# Each target does all the set-up it needs; a second run of the set-up takes a second.

export PATH := $(CURDIR)/.venv/bin:$(PATH)

# Images of containers set it: then each process compiles all its modules, and each run of the tests their asserts.
unexport PYTHONDONTWRITEBYTECODE

# OTB=yes: with the Orfeo ToolBox. OTB=auto: where Debian has it. OTB=no: as it is found.
OTB := no

.PHONY: setup setup-otb demo wheel test test-cluster test-protections test-setup test-formats test-maps test-roads check lint docs lock clean

setup:
	@OTB=$(OTB) bash envs/setup.sh

# The same with the Orfeo ToolBox, for its learners.
setup-otb:
	@OTB=yes bash envs/setup.sh

# A simulated scene, the whole production on it, and where to look.
demo: setup
	iota2 demo

# For `pip install`; it holds the whole workflow.
wheel: setup
	rm -rf build dist
	python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .
	rm -rf build

# The fast loop: format, lint, types, contracts, quick unit tests; under a minute.
check: setup
	@bash .ci/check

# The Orfeo ToolBox is what our own sampling is compared with.
test: OTB := auto
test: setup
	python -m pytest -n 2
	@echo 'The tests on real schedulers are apart: make test-cluster'

# The set-up by its own script on a copy of the project: killed, repeated, without root, with modules.
test-setup: setup
	python -m pytest tests/setup

# A whole production for each format, on simulated scenes, and some on real data; some ten minutes.
test-formats: OTB := auto
test-formats: setup
	python -m pytest -n 2 tests/formats

# A small production with all that is made of maps: fused, smoothed, regularised, polygons; some ten minutes.
test-maps: setup
	python -m pytest -n 2 tests/maps

# The roads of installation in bare roots, by root. One of them: make test-roads ROADS=trixie
# The longest, two hours: make test-roads ROADS='bookworm-killed trixie-killed'
ROADS := bookworm trixie pip
test-roads: wheel
	bash tests/setup/roads.sh $(ROADS)

# The tests on real schedulers, or on those of one profile: make test-cluster PROFILE=gridengine
# With DRMAA_LIBRARY_PATH, on the site's own: make test-cluster PROFILE=slurm DRMAA_LIBRARY_PATH=...
test-cluster: setup
	@test -d profiles/$(PROFILE) || { echo 'there is no profile $(PROFILE)'; exit 2; }
	python -m pytest tests/cluster $(if $(PROFILE),-k "test_$(firstword $(subst -, ,$(PROFILE))) or test_site")

# Takes each protection of the fault tables away, and sees that its test fails; half an hour, by root.
# Some of them: make test-protections ONLY=orphan
test-protections: setup
	python tests/cluster/protections.py "$(ONLY)"

lint: setup
	ruff check .
	ruff format --check .
	snakefmt --check workflow rules tests/cluster
	mypy
	lint-imports
	snakemake --lint

# The pages of the configuration and of the formats, and the schemas.
docs: setup
	iota2 config-reference > docs/configuration.md
	iota2 config-reference --schema > workflow/schemas/config.schema.yaml
	iota2 config-reference --sensors > docs/sensors.md
	iota2 config-reference --site-schema > workflow/schemas/site.schema.yaml
	iota2 config-reference --lock-schema > workflow/schemas/lock.schema.yaml
	iota2 config-reference --report-schema > workflow/schemas/report.schema.yaml

# New versions of all Python packages, with their hashes.
lock:
	bash envs/lock.sh

clean:
	rm -rf demo dist build .snakemake .pytest_cache .ruff_cache

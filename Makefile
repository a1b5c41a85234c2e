# Each target does all the set-up it needs; a second run of the set-up takes a second.

export PATH := $(CURDIR)/.venv/bin:$(PATH)
DEMO := demo

.PHONY: setup demo test test-cluster test-protections test-setup lint docs lock clean

setup:
	@bash envs/setup.sh

# A simulated scene, the whole production on it, and where to look.
demo: setup
	iota2 simulate $(DEMO)/scene --size 400
	snakemake --profile local --quiet rules --configfile config/demo.yaml
	snakemake --profile local --quiet all --configfile config/demo.yaml --report $(DEMO)/results/final/report.html
	@echo; iota2 summary $(DEMO)/results

test: setup
	python -m pytest
	@echo 'The tests on real schedulers are apart: make test-cluster'

# The set-up itself on a bare Debian 12, half an hour, by root; needs debootstrap.
test-setup:
	bash tests/setup/bare_root.sh

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
	iota2 simulate $(DEMO)/scene --size 400
	python .ci/lint_workflow.py config/demo.yaml

# The configuration page, from the schema.
docs: setup
	iota2 config-reference > docs/configuration.md
	iota2 config-reference --schema > workflow/schemas/config.schema.yaml
	iota2 config-reference --site-schema > workflow/schemas/site.schema.yaml

# New versions of all Python packages, with their hashes.
lock:
	bash envs/lock.sh

clean:
	rm -rf $(DEMO) .snakemake .pytest_cache .ruff_cache

# Each target sets up what it needs. PYTHON=python3.12 make test takes another Python.

PYTHON ?= python3
BIN := .venv/bin
INSTALL := -m pip -qq --disable-pip-version-check install # errors only
# All that a lock names: nothing is looked for beside it, and what is imported is compiled then.
INSTALL_LOCKED := $(INSTALL) --require-hashes --no-deps --no-compile
# Once, into __pycache__: each process of a test would do it again for itself.
COMPILED_ONCE := PYTHONDONTWRITEBYTECODE=
# What a virtual environment belongs to; it is made anew when one of these is another.
IDENTITY := import sys; print(sys.version.split()[0], sys.base_prefix, "$(CURDIR)")

# A DuckDB client of the oldest version that must open a snapshot.
OLDEST := build/oldest-duckdb
# Of each package that we need the oldest version that we say is enough.
LEAST := build/oldest-dependencies
# Airflow has 190 packages of its own, 600 MB: only what needs them sets them up.
AIRFLOW := build/airflow
# What a user has who installs the project without any extra; `make bench` measures that.
PLAIN := build/plain
# What `make bench` compares with, a virtual environment each: 1.8 GB.
PEERS := $(notdir $(patsubst %/,%,$(wildcard benchmarks/peers/*/)))
# So has Spark: one package, 456 MB to fetch.
SPARK := build/spark
# So have Dagster and Prefect, 660 MB, and dbt, 480 MB.
ORCHESTRATORS := build/orchestrators
DBT := build/dbt
# And Superset: 170 packages, 900 MB. It pins SQLAlchemy below 2; and cryptography and pyarrow to
# versions with known weaknesses, which `make lock` overrides (pyarrow 25 wants another numpy).
SUPERSET := build/superset

.PHONY: help install demo notebook screens test test-airflow test-spark test-orchestrators test-dbt test-superset airflow superset \
	lint types package check views pages words faults bench honesty plain peers advisories lock clean FORCE

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-18s %s\n", $$1, $$2 }' Makefile

install: .venv/installed ## set up .venv, with what requirements.lock names and no other

demo: .venv/installed ## two months against a stand-in of the vendor, in a scratch folder
	@$(BIN)/wolkvox-billing demo

notebook: .venv/installed ## the reconciliation as a page on this machine: it prints the address
	@MARIMO_SKIP_UPDATE_CHECK=1 $(BIN)/marimo run notebooks/reconciliation.py \
		--host 127.0.0.1 --headless --no-token --no-sandbox

screens: .venv/installed ## the notebook's pictures in build/screens and in docs, from a real browser
	@WOLKVOX_TEST_SCREENS=yes $(BIN)/python -m pytest -q tests/verbs/test_notebook.py
	@cp build/screens/desktop.png docs/notebook.png
	@cp build/screens/phone.png docs/phone.png

test: .venv/installed $(OLDEST)/installed $(LEAST)/installed ## all tests; they start a PostgreSQL of their own
	@$(COMPILED_ONCE) $(BIN)/python -m pytest -n auto --dist worksteal

test-airflow: .venv/installed $(AIRFLOW)/installed ## the DAGs in an Airflow of their own
	@$(COMPILED_ONCE) $(BIN)/python -m pytest tests/in_airflow

test-superset: .venv/installed $(SUPERSET)/installed ## the dashboard in a Superset of its own, over the copy and PostgreSQL
	@$(COMPILED_ONCE) $(BIN)/python -m pytest tests/in_superset

superset: .venv/installed $(SUPERSET)/installed ## the dashboard over the demo's record, or COPY=usage.duckdb, to look at
	@PYTHONPATH=tests:pipelines $(BIN)/python tests/try_superset.py $(COPY)

test-spark: $(SPARK)/installed ## Delta tables and their marts in a Spark of their own; it needs Java 17
	@$(COMPILED_ONCE) $(SPARK)/bin/python -m pytest tests/in_spark

test-orchestrators: $(ORCHESTRATORS)/installed ## what docs/orchestrators.md says, in a Dagster and a Prefect
	@$(COMPILED_ONCE) $(ORCHESTRATORS)/bin/python -m pytest tests/in_orchestrators

test-dbt: $(DBT)/installed ## sources.yml in a dbt, on DuckDB and a PostgreSQL of its own
	@$(COMPILED_ONCE) $(DBT)/bin/python -m pytest tests/in_dbt

airflow: .venv/installed $(AIRFLOW)/installed ## the DAGs against a stand-in of the vendor, to look at
	@$(BIN)/python tests/try_airflow.py

lint: .venv/installed ## rules, format, and that imports run down
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports --no-cache

types: .venv/installed ## the types, strictly
	@$(BIN)/mypy

package: .venv/installed ## wheel and source archive in dist, and whether an index would take them
	@rm -rf dist
	@$(BIN)/hatchling build --target sdist --target wheel
	@$(BIN)/twine check --strict dist/*

check: lint types test ## lint, types and test

views: .venv/installed ## the marts' SQL as it is shipped, after a change of a view or table
	@$(BIN)/python -m wolkvox_billing.marts.rendered

pages: .venv/installed ## docs/settings.md, tables.md and json/*.json, after a change of what they say
	@PYTHONPATH=tests $(BIN)/python tests/builders/pages.py

# Where translators work; a wheel has it compiled: see hatch_build.py.
WORDS := pipelines/wolkvox_billing/locale
words: .venv/installed ## the Spanish catalogue, after a change of a text: what is new stands there untranslated
	@mkdir -p build && $(BIN)/pybabel -q extract --mapping pyproject.toml --no-default-keywords \
		--keywords 'N_ Plural:1,2 Column:1 _' --add-location file --sort-by-file --width 100 \
		--output build/words.pot pipelines/wolkvox_billing
	@$(BIN)/pybabel -q update --domain wolkvox_billing --locale es --output-dir $(WORDS) \
		--input-file build/words.pot --no-fuzzy-matching --ignore-obsolete \
		--ignore-pot-creation-date --width 100

# What `make faults` runs of the tests, longer than `make test` does.
FAULTS := $(addprefix tests/,claims/test_letter.py evidence/test_evidence.py house/test_killed.py house/test_secrets.py \
	house/test_fuzzing.py \
	house/test_hostile_names.py house/test_upgrade.py invoices/test_hostile_files.py invoices/test_workbooks.py marts/test_marts_properties.py \
	marts/test_marts_renames.py polling/test_sequences.py polling/test_spool.py polling/test_source.py \
	polling/test_at_once.py polling/test_clocks.py vendor/test_client.py vendor/test_large_answers.py \
	vendor/test_network.py verbs/test_poll.py reconciliation/test_copies_honesty.py \
	reconciliation/test_one_document.py reconciliation/test_price_files.py \
	reconciliation/test_reconcile.py reconciliation/test_tie_out.py reconciliation/test_unread.py \
	warehouse/test_address.py warehouse/test_configuration.py warehouse/test_destination.py \
	warehouse/test_files.py)
# KILLS at any moment on each engine, and FUZZ seconds of drawn input.
KILLS ?= 200
FUZZ ?= 600
faults: .venv/installed $(LEAST)/installed ## kill, cut, trickle, fuzz, many at once; writes docs/faults.md; half an hour
	@mkdir -p build && rm -f build/faults.txt build/faults.xml
	@WOLKVOX_TEST_KILLS=$(KILLS) WOLKVOX_TEST_FUZZ_SECONDS=$(FUZZ) \
		WOLKVOX_TEST_REPORT="$(CURDIR)/build/faults.txt" $(COMPILED_ONCE) $(BIN)/python -m pytest \
		-n auto --dist worksteal --junitxml build/faults.xml $(FAULTS) || true
	@$(BIN)/python benchmarks/faults.py build/faults.xml build/faults.txt docs/faults.md

bench: .venv/installed plain peers ## how fast all of it is, beside others; writes docs/bench.md; 2 hours or so
	@$(BIN)/python benchmarks/report.py

honesty: .venv/installed ## is anybody honest accused? writes docs/honesty.md; a quarter of an hour
	@$(BIN)/python benchmarks/honesty.py

# The wheel each time: what is measured is what stands here.
plain: $(PLAIN)/installed .venv/installed ## a plain install of this project, which `make bench` measures
	@rm -rf build/wheel
	@$(BIN)/python -m pip -qq --disable-pip-version-check wheel --no-deps --no-index \
		--no-build-isolation --wheel-dir build/wheel .
	@$(PLAIN)/bin/python $(INSTALL) --no-deps --no-index --force-reinstall build/wheel/*.whl

peers: $(PEERS:%=build/peers/%/installed) ## what `make bench` compares with

advisories: .venv/installed ## do the locks hold a version with a weakness that tests/advisories.csv knows?
	@$(BIN)/python tests/advisories.py

lock: ## requirements.lock from pyproject.toml; UPGRADE=1 takes the newest of everything
	@test -x build/lock/bin/uv || { $(PYTHON) -m venv build/lock && build/lock/bin/pip -qq install uv; }
	@build/lock/bin/uv pip compile --quiet --universal --python-version 3.10 --generate-hashes \
		--no-header --no-annotate --no-build $(if $(UPGRADE),--upgrade) \
		--extra bucket --extra postgres --extra notebook --group dev \
		--output-file requirements.lock pyproject.toml
	@build/lock/bin/uv pip compile --quiet --universal --python-version 3.10 --generate-hashes \
		--no-header --no-annotate --no-build --constraints requirements.lock \
		--output-file benchmarks/plain.lock pyproject.toml
	@printf 'duckdb==1.1.0 ; python_version < "3.13"\nduckdb==1.1.3 ; python_version >= "3.13"\n' \
		| build/lock/bin/uv pip compile --quiet --universal --python-version 3.10 \
		--generate-hashes --no-header --no-annotate --no-build \
		--output-file tests/oldest-duckdb.lock -
	@printf 'psycopg2-binary>=2.9.10\nlxml>=5.3.2 ; python_version >= "3.13"\n' \
		| build/lock/bin/uv pip compile --quiet --universal --python-version 3.10 \
		--generate-hashes --no-header --no-annotate --no-build --resolution lowest-direct \
		--output-file tests/oldest-dependencies.lock pyproject.toml -
	@build/lock/bin/uv pip compile --quiet --universal --python-version 3.10 --generate-hashes \
		--no-header --no-annotate --no-build $(if $(UPGRADE),--upgrade) \
		--extra postgres --group airflow --output-file tests/airflow.lock pyproject.toml
	@printf 'cryptography>=50\npyarrow>=23.0.1,<25\n' > build/superset-overrides.txt
	@build/lock/bin/uv pip compile --quiet --universal --python-version 3.10 --generate-hashes \
		--no-header --no-annotate $(if $(UPGRADE),--upgrade) \
		--override build/superset-overrides.txt --group superset --output-file tests/superset.lock
	@for group in orchestrators dbt; do build/lock/bin/uv pip compile --quiet --universal \
		--python-version 3.10 --generate-hashes --no-header --no-annotate --no-build \
		--no-strip-extras $(if $(UPGRADE),--upgrade) --extra postgres --group $$group \
		--output-file tests/$$group.lock pyproject.toml || exit; done
	@for peer in $(PEERS); do build/lock/bin/uv pip compile --quiet --universal \
		--python-version 3.10 --generate-hashes --no-header --no-annotate --no-build \
		--no-strip-extras $(if $(UPGRADE),--upgrade) \
		--output-file benchmarks/peers/$$peer/requirements.lock \
		benchmarks/peers/$$peer/requirements.in || exit; done
	@build/lock/bin/uv pip compile --quiet --universal --python-version 3.10 --generate-hashes \
		--no-header --no-annotate --only-binary :all: --no-binary pyspark $(if $(UPGRADE),--upgrade) \
		--extra lake --extra postgres --group spark --output-file tests/spark.lock pyproject.toml

clean: ## remove .venv, caches and what was built
	@rm -rf .venv build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/installed: .venv/python requirements.lock pyproject.toml
	@echo "setting up .venv"
	@$(BIN)/python $(INSTALL) --require-hashes -r requirements.lock
	@$(BIN)/python $(INSTALL) --no-deps --no-build-isolation -e .
	@touch $@

$(OLDEST)/installed $(LEAST)/installed: build/%/installed: .venv/python tests/%.lock
	@rm -rf $(@D) && "$(PYTHON)" -m venv $(@D)
	@$(@D)/bin/python $(INSTALL_LOCKED) --only-binary :all: -r tests/$*.lock
	@touch $@

$(AIRFLOW)/installed $(ORCHESTRATORS)/installed $(DBT)/installed: build/%/installed: \
		.venv/python tests/%.lock pyproject.toml
	@echo "setting up $(@D)"
	@rm -rf $(@D) && "$(PYTHON)" -m venv $(@D)
	@$(@D)/bin/python $(INSTALL_LOCKED) --only-binary :all: -r tests/$*.lock
	@$(@D)/bin/python $(INSTALL) --no-deps --no-build-isolation -e .
	@touch $@

$(SUPERSET)/installed: .venv/python tests/superset.lock
	@echo "setting up $(@D)"
	@rm -rf $(@D) && "$(PYTHON)" -m venv $(@D)
	@$(@D)/bin/python $(INSTALL_LOCKED) -r tests/superset.lock
	@touch $@

$(PLAIN)/installed: .venv/python benchmarks/plain.lock
	@echo "setting up $(PLAIN)"
	@rm -rf $(PLAIN) && "$(PYTHON)" -m venv $(PLAIN)
	@$(PLAIN)/bin/python $(INSTALL) --require-hashes --only-binary :all: -r benchmarks/plain.lock
	@touch $@

build/peers/%/installed: .venv/python benchmarks/peers/%/requirements.lock
	@echo "setting up build/peers/$*"
	@rm -rf build/peers/$* && "$(PYTHON)" -m venv build/peers/$*
	@build/peers/$*/bin/python $(INSTALL) --require-hashes --only-binary :all: \
		-r benchmarks/peers/$*/requirements.lock
	@touch $@

# PySpark is built here, and so by the setuptools that the lock names.
$(SPARK)/installed: .venv/python tests/spark.lock pyproject.toml
	@echo "setting up $(SPARK)"
	@rm -rf $(SPARK) && "$(PYTHON)" -m venv $(SPARK)
	@awk '/^[a-z]/ { is_builder = /^setuptools==/ } is_builder' tests/spark.lock > $(SPARK)/builder.txt
	@for lock in $(SPARK)/builder.txt tests/spark.lock; do \
		$(SPARK)/bin/python $(INSTALL_LOCKED) \
			--only-binary :all: --no-binary pyspark --no-build-isolation -r $$lock || exit; \
	done
	@$(SPARK)/bin/python $(INSTALL) --no-deps --no-build-isolation -e .
	@touch $@

# Runs each time and rewrites the file only when something is another, so that nothing is redone.
.venv/python: FORCE
	@command -v "$(PYTHON)" > /dev/null || { \
		echo "there is no $(PYTHON) here: install Python 3.10 or later, or name one: make PYTHON=..." >&2; \
		exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { \
		echo "$(PYTHON) is `"$(PYTHON)" -V 2>&1`: Python 3.10 or later is needed; name one: make PYTHON=..." >&2; \
		exit 1; }
	@identity=`"$(PYTHON)" -c '$(IDENTITY)'`; \
	if [ "`cat $@ 2> /dev/null`" != "$$identity" ]; then \
		rm -rf .venv && "$(PYTHON)" -m venv .venv && echo "$$identity" > $@; \
	fi

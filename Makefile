# make demo | test | lint | bench | lock | clean. Only PyPI is needed; everything lands in .venv.
PY ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: setup lint test demo bench lock clean
.DEFAULT_GOAL := help

help: ## Show what there is to make.
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

#!/usr/bin/env bash
# ruff, mypy and import-linter. The last two do not run streamstgs/__init__.py, so they see the
# package through links, laid out as a wheel has it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
bin="$(cd "${VENV:-.venv}/bin" && pwd)"

"$bin/ruff" check .
"$bin/ruff" format --check .

tree=build/checked
rm -rf "$tree"
mkdir -p "$tree/streamstgs"
for file in streamstgs/*.* streamstgs/api; do ln -s "../../../$file" "$tree/streamstgs/"; done
for folder in app assets cli codec renderer server trainer; do
  ln -s "../../../$folder" "$tree/streamstgs/"
done
MYPYPATH="$tree" "$bin/mypy"
cd "$tree"
PYTHONPATH=. "$bin/lint-imports" ../../pyproject.toml --no-cache

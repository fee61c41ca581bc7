#!/usr/bin/env bash
# Builds a release into dist/: wheel, source distribution, bill of materials, notes, hashes.
#   scripts/release.sh        refuses changes that are not committed, and versions without notes
# Nothing is published: docs/release.md has the steps before and after.
# Settings: VENV (an environment with the program and the tests; default .venv), DRAFT=1 (allows
# changes that are not committed and takes the notes of Unreleased), SKIP_TESTS=1 (only builds).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

venv="${VENV:-.venv}"
tools=build/release-tools
say() { printf '%s\n' "$@" >&2; }
die() { say "$@"; exit 1; }

version="$("$venv/bin/python" -c \
  'import tomllib; print(tomllib.load(open("pyproject.toml", "rb"))["project"]["version"])')"
section="$version"
if [ -n "${DRAFT:-}" ]; then section=Unreleased; fi
notes="$("$venv/bin/python" scripts/release_notes.py "$section")" || die "Nothing was built."
if [ -z "${DRAFT:-}" ] && [ -n "$(git status --porcelain)" ]; then
  die "There are changes that are not committed:" "$(git status --short)"
fi

if [ -z "${SKIP_TESTS:-}" ]; then
  bash scripts/lint.sh
  bash scripts/test.sh
fi

if [ ! -x "$tools/bin/twine" ]; then
  "$venv/bin/python" -m venv --clear "$tools"
  "$tools/bin/python" -m pip install --quiet --disable-pip-version-check --upgrade pip
  "$tools/bin/python" -m pip install --quiet --disable-pip-version-check --group release
fi

rm -rf dist
# The time of the commit goes into the archives, so that the same commit gives the same files.
SOURCE_DATE_EPOCH="$(git log -1 --format=%ct)"
export SOURCE_DATE_EPOCH
"$tools/bin/python" -m build --outdir dist .
"$tools/bin/twine" check --strict dist/*
"$tools/bin/check-wheel-contents" dist/*.whl
say "Writing the bill of materials of $venv"
"$tools/bin/cyclonedx-py" environment --output-reproducible --mc-type application \
  --pyproject pyproject.toml --output-format JSON --output-file dist/sbom.cdx.json \
  "$venv/bin/python"
introduction="docs/releases/$version.md"
if [ -e "$introduction" ]; then notes="$(cat "$introduction")"$'\n\n'"$notes"; fi
printf '%s\n' "$notes" >dist/release-notes.md
(cd dist && sha256sum -- * >SHA256SUMS)
say "Release $version is in dist/:"
cat dist/SHA256SUMS >&2

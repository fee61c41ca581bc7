#!/usr/bin/env bash
# Writes constraints-dev.txt: the exact versions of all packages for development, for Linux, Windows,
# macOS and Python 3.11 to 3.13. Needs uv (pip install --group lock); arguments go to it, such as
# --upgrade. torch and what it brings are left out: constraints-cpu.txt pins the CPU build, and a
# CUDA build must suit the driver of the machine.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
without_torch="$(mktemp)"
trap 'rm -f "$without_torch"' EXIT
echo "torch ; sys_platform == 'never'" >"$without_torch"
uv="${UV:-uv}"
"$uv" pip compile --no-config --quiet --universal --python-version 3.11 --extra dev \
  --overrides "$without_torch" --no-annotate --custom-compile-command "make lock" \
  --output-file constraints-dev.txt "$@" pyproject.toml
# Lines that apply nowhere: torch and what only torch brings.
sed -i.bak "/sys_platform == 'never'/d" constraints-dev.txt
rm constraints-dev.txt.bak

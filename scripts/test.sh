#!/usr/bin/env bash
# Runs the tests: scripts/test.sh [pytest arguments]. On Linux the windows of the tests open on a
# screen in memory, so that they neither need a desktop nor disturb one.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

pytest=("${VENV:-.venv}/bin/python" -m pytest "$@")
if [ "$(uname -s)" = "Linux" ] && command -v xvfb-run >/dev/null && command -v xauth >/dev/null; then
  unset WAYLAND_DISPLAY
  export QT_QPA_PLATFORM=xcb
  exec xvfb-run --auto-servernum --server-args="-screen 0 1600x1000x24" "${pytest[@]}"
fi
exec "${pytest[@]}"

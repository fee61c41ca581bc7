#!/usr/bin/env bash
# Runs the tests, shared among processes: scripts/test.sh [pytest arguments]; -n0 uses one process.
# On Linux the windows of the tests open on screens in memory, so that they neither need a desktop
# nor disturb one.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# One process more than cores, as many tests wait for a clock or a server; above four, starting
# them costs more than they bring. A file's tests share their fixtures, so they stay together.
cores=$(getconf _NPROCESSORS_ONLN)
processes=$((cores < 4 ? cores + 1 : 4))
pytest=("${VENV:-.venv}/bin/python" -m pytest --numprocesses "$processes" --dist loadfile)
export OMP_NUM_THREADS=1  # processes that each use all cores wait for one another
if [ "$(uname -s)" = "Linux" ] && command -v xvfb-run >/dev/null && command -v xauth >/dev/null; then
  unset WAYLAND_DISPLAY
  export QT_QPA_PLATFORM=xcb STGS_TEST_SCREENS=1
  exec xvfb-run --auto-servernum --server-args="-screen 0 1600x1000x24 -noreset" "${pytest[@]}" "$@"
fi
exec "${pytest[@]}" "$@"

#!/usr/bin/env bash
# Tries a built wheel as a new user does: installs it into an empty environment outside of the
# checkout, runs the commands, plays the bundled scene in a window, removes it, and lists what is
# left.   scripts/try_wheel.sh dist/streamstgs-VERSION-py3-none-any.whl
# Settings: PYTHON (the interpreter; default python3), DEPENDENCIES (a site-packages folder to take
# the other packages from instead of installing them). On machines without an NVIDIA GPU, torch is
# the CPU build; name an index that has it in PIP_EXTRA_INDEX_URL.
set -euo pipefail
wheel="$(realpath "$1")"
checkout="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
place="$(mktemp -d)"
trap 'rm -rf "$place"' EXIT
step() { printf '== %s\n' "$*"; }
megabytes() { du -sm "$1" | cut -f1; }

cd "$place"
python="${PYTHON:-python3}"
bin="$place/env/bin"
if [ -n "${DEPENDENCIES:-}" ]; then
  "$python" -m venv --without-pip env  # which takes seconds less
  pip=("$python" -m pip --python "$bin/python" --disable-pip-version-check)
else
  "$python" -m venv env
  pip=("$bin/python" -m pip --disable-pip-version-check)
fi

step "install"
began=$SECONDS
if [ -n "${DEPENDENCIES:-}" ]; then
  "${pip[@]}" install --quiet --no-deps "$wheel"
  site="$("$bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"
  echo "$DEPENDENCIES" >"$site/dependencies-of-the-test.pth"
else
  constraint=()
  if ! command -v nvidia-smi >/dev/null; then
    constraint=(--constraint "$checkout/constraints-cpu.txt")
  fi
  "${pip[@]}" install --quiet "${constraint[@]}" "$wheel"
fi
echo "$((SECONDS - began)) s, wheel $(megabytes "$wheel") MB, environment $(megabytes env) MB"

# From here on a home of its own shows what the program writes.
mkdir home
home_of_user="$HOME"
export HOME="$place/home" XDG_CACHE_HOME="$place/home/.cache" XDG_CONFIG_HOME="$place/home/.config"
export QT_QPA_PLATFORM=xcb
scene="$("$bin/python" -c 'from streamstgs.cli.window import bundled_scene; print(bundled_scene())')"
case "$scene" in "$place"/env/*) ;; *) echo "This is not the wheel: $scene"; exit 1 ;; esac

without_display() { env -u DISPLAY -u WAYLAND_DISPLAY -u QT_QPA_PLATFORM "$@"; }
step "version, info, render without a display"
without_display "$bin/streamstgs" --version
without_display "$bin/streamstgs" info "$scene" >info.txt
head -3 info.txt
without_display "$bin/streamstgs" render "$scene" --camera orbit --frames 0:1 --size 160x90 --backend cpu -o frame.png
test -s frame.png

if command -v xvfb-run >/dev/null; then
  step "window"
  xvfb-run --auto-servernum --server-args="-screen 0 1280x800x24 -noreset" \
    "$bin/python" "$checkout/scripts/try_window.py"
fi

step "uninstall"
HOME="$home_of_user" "${pip[@]}" uninstall --quiet --yes streamstgs
left="$(find env -iname '*streamstgs*' -not -path '*/__pycache__/*')"
if [ -n "$left" ]; then
  echo "The uninstallation left: $left"
  exit 1
fi
echo "Left in the home directory:"
find home -mindepth 1 -maxdepth 2 -printf '  %P\n' | sort

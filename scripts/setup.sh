#!/usr/bin/env bash
# Makes .venv ready: `scripts/setup.sh run` for the player, `scripts/setup.sh test` for the tests too.
# Safe to call every time: what is there already is left alone.
# Settings: PYTHON (the interpreter to use), VENV (where to install; default .venv), CI (not empty:
# also what only continuous integration needs), LOCKED (not empty: the versions of
# constraints-dev.txt).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

purpose="${1:-run}"
venv="${VENV:-.venv}"
cpu_index="https://download.pytorch.org/whl/cpu"

say() { printf '%s\n' "$@" >&2; } # one line per argument
die() { say "$@"; exit 1; }

# --- system packages ---------------------------------------------------------------------------

wanted_packages() {
  awk -v purpose="$purpose" -v ci="${CI:-}" \
    '$1 == "run" || $1 == purpose || ($1 == "ci" && ci != "") { print $2 }' \
    scripts/debian-packages.txt
}

# A package counts as there when its name, or a package that provides it, is installed: newer
# releases rename libraries (libglib2.0-0 became libglib2.0-0t64).
missing_packages() {
  dpkg-query -W -f '${db:Status-Status} ${Package} ${Provides}\n' |
    awk -v wanted="$(wanted_packages | tr '\n' ' ')" '
      $1 == "installed" { gsub(/,|\([^)]*\)/, " "); for (i = 2; i <= NF; i++) have[$i] = 1 }
      END { n = split(wanted, names, " ")
            for (i = 1; i <= n; i++) if (names[i] != "" && !(names[i] in have)) print names[i] }'
}

# apt_install PACKAGE...: 0 when they are installed afterwards.
apt_install() {
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then return 1; fi
    if [ ! -t 0 ] && ! sudo -n true 2>/dev/null; then return 1; fi
    as_root=(sudo)
  fi
  say "Installing with apt-get: $*"
  "${as_root[@]}" apt-get update -qq >/dev/null || say "apt-get update failed; trying with the old lists."
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

install_system_packages() {
  [ "$(uname -s)" = "Linux" ] || return 0
  if command -v apt-get >/dev/null && command -v dpkg-query >/dev/null; then
    local missing
    missing="$(missing_packages)"
    [ -n "$missing" ] || return 0
    # shellcheck disable=SC2086  # one word per package
    apt_install $missing ||
      say "These system packages are missing. Please install them as root, then try again:" \
          "  apt-get install $(echo $missing)"
    return 0
  fi
  local library
  for library in libGL.so.1 libEGL.so.1 libxkbcommon-x11.so.0 libxcb-cursor.so.0; do
    if ! /sbin/ldconfig -p 2>/dev/null | grep -q "$library"; then
      say "The window needs $library, and there is no apt-get here to fetch it. Please install:" \
          "  Fedora: mesa-libGL mesa-libEGL libxkbcommon-x11 xcb-util-cursor xcb-util-wm" \
          "          xcb-util-keysyms xcb-util-image xcb-util-renderutil xorg-x11-server-Xvfb" \
          "  Arch:   mesa libglvnd libxkbcommon-x11 xcb-util-cursor xcb-util-wm" \
          "          xcb-util-keysyms xcb-util-image xcb-util-renderutil xorg-server-xvfb"
      return 0
    fi
  done
}

# --- Python ------------------------------------------------------------------------------------

suits() {
  "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}

find_python() {
  local candidate
  if [ -n "${PYTHON:-}" ]; then
    suits "$PYTHON" || die "PYTHON=$PYTHON is not a Python 3.11, 3.12 or 3.13."
    printf '%s' "$PYTHON"
    return
  fi
  for candidate in python3 python3.13 python3.12 python3.11 python; do
    if suits "$candidate"; then
      printf '%s' "$candidate"
      return
    fi
  done
}

choose_python() {
  python="$(find_python)"
  if [ -z "$python" ] && command -v apt-get >/dev/null; then
    apt_install python3 python3-venv || true
    python="$(find_python)"
  fi
  [ -n "$python" ] || die "No Python 3.11, 3.12 or 3.13 was found." \
    "Install one (Debian: apt-get install python3 python3-venv; otherwise https://www.python.org)" \
    "or name it: make run PYTHON=/path/to/python3.12"
}

make_venv() {
  if [ -z "${PYTHON:-}" ] && [ -x "$venv/bin/python" ] && suits "$venv/bin/python"; then return; fi
  choose_python
  if [ -x "$venv/bin/python" ] && same_version "$venv/bin/python" "$python"; then return; fi
  say "Making $venv with $("$python" --version)"
  if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    local version
    version="$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')"
    command -v apt-get >/dev/null && apt_install "python$version-venv" ||
      die "$python has no venv module. Install it (Debian: apt-get install python$version-venv)."
  fi
  "$python" -m venv --clear "$venv"
}

same_version() { [ "$("$1" --version 2>&1)" = "$("$2" --version 2>&1)" ]; }

# --- Python packages ---------------------------------------------------------------------------

has_nvidia_gpu() { command -v nvidia-smi >/dev/null && nvidia-smi -L 2>/dev/null | grep -q '^GPU'; }

reachable() {
  "$venv/bin/python" -c 'import sys, urllib.request as u; u.urlopen(sys.argv[1], timeout=10)' \
    "$1" 2>/dev/null
}

# uv takes a quarter of pip's processor time. 0 when everything is installed.
install_with_uv() {
  local source sources=()
  "$venv/bin/python" -m pip install --disable-pip-version-check --quiet --no-compile "uv>=0.9" \
    </dev/null >&2 || return 1
  while read -r source; do sources+=("$source"); done < <(pip_sources)
  # As pip does, take the best version of all sources, not only that of the first source.
  "$venv/bin/uv" pip install --quiet --python "$venv/bin/python" --index-strategy unsafe-best-match \
    ${sources[@]+"${sources[@]}"} "$@" </dev/null >&2
}

# The sources of packages that pip is told in its files and in PIP_...; uv reads neither, but has
# options of the same names.
pip_sources() {
  "$venv/bin/python" -m pip config list | awk -F "='" '
    { name = $1; sub(/.*\./, "", name); sub(/\047$/, "", $2) }
    name == "index-url" || name == "extra-index-url" || name == "find-links" {
      n = split($2, values, /( |\\n)+/)
      for (i = 1; i <= n; i++) if (values[i] != "") print "--" name "=" values[i] }'
}

# For machines where uv does not run or cannot reach what pip reaches.
install_with_pip() {
  say "Installing with pip instead."
  # Without --no-compile, pip compiles every module of every package, which takes almost half of the
  # time; Python compiles the modules that it uses when it first imports them.
  "$venv/bin/python" -m pip install --disable-pip-version-check --quiet --progress-bar off \
    --no-compile "$@" </dev/null >&2
}

install_python_packages() {
  local extras="" options=()
  [ "$purpose" = "test" ] && extras="dev"
  if has_nvidia_gpu; then
    extras="${extras:+$extras,}cuda"
  else
    options=(--constraint constraints-cpu.txt)
  fi
  if [ -n "${LOCKED:-}" ]; then options+=(--constraint constraints-dev.txt); fi
  local key stamp
  key="$(cat pyproject.toml constraints-*.txt scripts/setup.sh | cksum | tr ' ' '-')${LOCKED:+-locked}"
  stamp="$venv/.installed-${extras:-run}-$key"
  [ -e "$stamp" ] && return
  if [ "$purpose" = "run" ] && [ -e "$venv/.installed-dev${extras:+,$extras}-$key" ]; then return; fi

  if ! has_nvidia_gpu && [ "$(uname -s)" = "Linux" ] && reachable "$cpu_index/torch/"; then
    options+=(--extra-index-url "$cpu_index")
  fi
  say "Installing Python packages into $venv (the first time takes a minute or two)"
  options+=(--editable ".${extras:+[$extras]}")
  install_with_uv "${options[@]}" || install_with_pip "${options[@]}"
  rm -f "$venv"/.installed-*
  touch "$stamp"
}

case "$purpose" in run | test) ;; *) die "Usage: scripts/setup.sh run|test" ;; esac
install_system_packages
make_venv
install_python_packages

#!/bin/sh
# Enters the player into the desktop of the current user, on Linux: menu entry, icon, file type.
#   desktop.sh install [PROGRAM]    PROGRAM is the path of streamstgs-player
#   desktop.sh uninstall            removes what `install` wrote
# The files lie beside this script: in a checkout below packaging/linux/share, in an environment
# below its share/.
set -eu

here="$(cd "$(dirname "$0")/.." && pwd)"
data="${XDG_DATA_HOME:-$HOME/.local/share}"
entry=applications/streamstgs-player.desktop
type=mime/packages/streamstgs-player.xml
icon=icons/hicolor/scalable/apps/streamstgs-player.svg

find_program() {
  if [ -x "$here/../bin/streamstgs-player" ]; then
    echo "$(cd "$here/../bin" && pwd)/streamstgs-player"
  else
    command -v streamstgs-player || {
      echo "streamstgs-player was not found; name it: $0 install PROGRAM" >&2
      exit 1
    }
  fi
}

copy() {
  mkdir -p "$data/$(dirname "$1")"
  if [ "$here/$1" != "$data/$1" ]; then cp "$here/$1" "$data/$1"; fi
}

# The databases are caches of the desktop: one without these programs reads the files themselves.
refresh() {
  if command -v update-mime-database >/dev/null; then update-mime-database "$data/mime"; fi
  if command -v update-desktop-database >/dev/null; then
    update-desktop-database "$data/applications"
  fi
}

case "${1:-}" in
  install)
    program="${2:-$(find_program)}"
    case "$program" in
      *[!A-Za-z0-9/._+@-]*)
        echo "The path of the program may hold letters, digits and / . _ + @ - only: $program" >&2
        exit 1 ;;
    esac
    copy "$type"
    copy "$icon"
    mkdir -p "$data/applications"
    sed "s|^\(Try\)\{0,1\}Exec=streamstgs-player|\1Exec=$program|" "$here/$entry" >"$data/$entry.new"
    mv "$data/$entry.new" "$data/$entry"
    refresh
    echo "Installed below $data. Remove it with: $0 uninstall"
    ;;
  uninstall)
    rm -f "$data/$entry" "$data/$type" "$data/$icon"
    mkdir -p "$data/mime/packages" "$data/applications"
    refresh
    echo "Removed from $data."
    ;;
  *)
    echo "Usage: $0 install [PROGRAM] | uninstall" >&2
    exit 2
    ;;
esac

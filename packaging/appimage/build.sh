#!/usr/bin/env bash
# Makes an AppImage of the folder that packaging/pyinstaller/streamstgs.spec builds.
#   packaging/appimage/build.sh BUNDLE OUTPUT    e.g. dist/streamstgs-player dist/player.AppImage
# Needs appimagetool in PATH. Without it, the script leaves the finished AppDir and says so.
set -euo pipefail
bundle="$(cd "$1" && pwd)"
output="$(realpath -m "$2")"
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

app_dir="$output.AppDir"
share=packaging/linux/share
rm -rf "$app_dir"
mkdir -p "$app_dir/usr/bin"
cp -a "$bundle/." "$app_dir/usr/bin/"
cp -a "$share" "$app_dir/usr/share"
cp "$share/applications/streamstgs-player.desktop" "$app_dir/"
cp "$share/icons/hicolor/scalable/apps/streamstgs-player.svg" "$app_dir/"
cp LICENSE LICENSES/*.txt "$app_dir/usr/share/streamstgs/"
ln -s usr/bin/streamstgs "$app_dir/AppRun"

if command -v appimagetool >/dev/null; then
  appimagetool "$app_dir" "$output"
  rm -rf "$app_dir"
else
  echo "appimagetool is missing; the AppDir is ready: $app_dir" >&2
fi

#!/bin/sh
# Signs Assay.app and puts it into a disk image. NOT RUN YET: it was written beside the Linux builds; it needs macOS.
# Usage: make_dmg.sh APP VERSION OUT [IDENTITY]; without an identity the app is signed ad hoc, which Gatekeeper refuses elsewhere.
set -eu
app=$1
version=$2
out=$3
identity=${4:--}
here=$(cd "$(dirname "$0")" && pwd)
find "$app/Contents" -type f \( -name '*.dylib' -o -name '*.so' \) -print0 |
    xargs -0 -n 1 codesign --force --options runtime --timestamp=none --sign "$identity"
codesign --force --options runtime --entitlements "$here/entitlements.plist" --sign "$identity" "$app"
codesign --verify --deep --strict "$app"
stage=$(mktemp -d)
trap 'rm -rf -- "$stage"' EXIT
cp -R "$app" "$stage/Assay.app"
ln -s /Applications "$stage/Applications"
hdiutil create -volname "Assay $version" -srcfolder "$stage" -format UDZO -ov "$out/assay-workbench-$version-macos.dmg"

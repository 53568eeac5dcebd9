#!/bin/sh
# runtime.sh ROOT TARGET PACKAGE...: unpacks these Debian packages into TARGET, and nothing that they depend on. ROOT is a Debian with their lists.
set -eu
root=$1 target=$2
shift 2

mkdir -p "$root/debs" "$target"
# shellcheck disable=SC2016  # expanded inside
chroot "$root" sh -c 'cd /debs && apt-get -qq download "$@"' sh "$@"
for archive in "$root"/debs/*.deb; do
  dpkg-deb --extract "$archive" "$target"
done
rm -rf "$root/debs" "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/*.bin

mkdir -p "$target/etc/ssl/certs" "$target/home/nonroot" "$target/tmp"
cp "$root/etc/ssl/certs/ca-certificates.crt" "$target/etc/ssl/certs/"
ln -s python3.13 "$target/usr/bin/python3"
ln -s python3.13 "$target/usr/bin/python"
printf '%s\n' 'root:x:0:0:root:/root:/sbin/nologin' 'nobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin' \
  'nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin' >"$target/etc/passwd"
printf '%s\n' 'root:x:0:' 'nobody:x:65534:' 'nonroot:x:65532:' >"$target/etc/group"
chown 65532:65532 "$target/home/nonroot"
chmod 700 "$target/home/nonroot"
chmod 1777 "$target/tmp"

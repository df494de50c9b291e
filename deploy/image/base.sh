#!/bin/sh
# Makes the base of the images where no registry can be reached, from Debian's packages, and gives it to buildah:
#   base.sh [TAG]        the default is localhost/unora-base:bookworm
# It needs root, debootstrap and buildah (apt-get install buildah debootstrap). It trusts the authorities that this machine
# trusts, so it is for trying the images out, not for shipping them: docs/image.md.
set -eu
tag=${1:-localhost/unora-base:bookworm}
for tool in debootstrap buildah; do
    if ! command -v "$tool" >/dev/null; then
        echo "base.sh: $tool is missing: apt-get install buildah debootstrap" >&2
        exit 1
    fi
done
if [ "$(id -u)" != 0 ]; then
    echo "base.sh: debootstrap makes device files, so run it as root" >&2
    exit 1
fi

folder=$(mktemp -d -p "${TMPDIR:-/var/tmp}" unora-base.XXXXXX)
container=
trap 'rm -rf --one-file-system "$folder"; [ -z "$container" ] || buildah rm "$container" >/dev/null' EXIT

# Python 3.11, what makes virtual environments, and the authorities; nothing else that Debian would recommend.
debootstrap --variant=minbase --include=ca-certificates,python3,python3-venv bookworm "$folder" >&2
authorities=etc/ssl/certs/ca-certificates.crt
cp -L "${SSL_CERT_FILE:-/$authorities}" "$folder/$authorities"
rm -rf "$folder"/var/cache/apt/* "$folder"/var/lib/apt/lists/* "$folder"/var/log/* \
    "$folder"/usr/share/doc/* "$folder"/usr/share/man/* "$folder"/usr/share/locale/*

container=$(buildah from scratch)
buildah add --quiet "$container" "$folder" / >/dev/null
buildah config --env PIP_CERT=/$authorities --env SSL_CERT_FILE=/$authorities --cmd '["python3"]' \
    --label org.opencontainers.image.title=unora-base "$container"
buildah commit --quiet "$container" "$tag"
echo "$tag is made; now: make image BASE=$tag"

#!/bin/sh
# Makes a small Debian in a folder, with dockerd, compose and Postgres, from Debian's packages; needs root and debootstrap:
#   debian.sh SUITE FOLDER
# Its caller gives it mounts and processes of its own, so that nothing of either is left.
set -eu
suite=$1 folder=$2
debootstrap --variant=minbase "$suite" "$folder"
# Nothing that is installed is to run at once.
printf '#!/bin/sh\nexit 101\n' >"$folder/usr/sbin/policy-rc.d"
chmod +x "$folder/usr/sbin/policy-rc.d"
mkdir -p "$folder/etc/postgresql-common"
echo 'create_main_cluster = false' >"$folder/etc/postgresql-common/createcluster.conf"
mount -t proc proc "$folder/proc"
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
chroot "$folder" apt-get update -q
chroot "$folder" apt-get install -q -y --no-install-recommends \
    busybox-static docker-cli docker-compose docker.io iproute2 iptables postgresql
chroot "$folder" apt-get clean
umount "$folder/proc"
rm -rf "$folder"/var/lib/apt/lists/* "$folder"/usr/share/doc "$folder"/usr/share/locale "$folder"/usr/share/man

#!/bin/sh
# Runs dockerd in the Debian of debian.sh; its caller gives it mounts, processes and a network of its own:
#   dockerd.sh FOLDER CLONE CGROUP
# The clone has the same path inside, since compose tells dockerd the paths of what it mounts.
set -eu
folder=$1 clone=$2 cgroup=$3
ip link set lo up
mount --bind "$folder" "$folder"
cd "$folder"
mount -t proc proc proc
mount -t sysfs sysfs sys
mount --rbind /dev dev
mount --rbind /sys/fs/cgroup sys/fs/cgroup
mkdir -p ".$clone"
mount --rbind "$clone" ".$clone"
mount -t tmpfs tmpfs run
mkdir run/outside
# A container is entered by the root of its mounts, so this folder must be that root: chroot would not do.
pivot_root . run/outside
umount --lazy /run/outside
exec env PATH=/usr/sbin:/usr/bin:/sbin:/bin dockerd --cgroup-parent="$cgroup" --log-level=warn

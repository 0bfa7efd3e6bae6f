#!/bin/sh
# The init of a machine of the tests, in namespaces of its own: $1 is its folder, $2 its name, $3 its control group. What it
# sees of control groups begins there.
set -e
[ "$4" = inside ] || {
  for group in "/sys/fs/cgroup/$3" /sys/fs/cgroup/*/"$3"; do
    [ ! -d "$group" ] || echo 0 >"$group/cgroup.procs"
  done
  exec unshare --cgroup "$0" "$1" "$2" "$3" inside
}
mount --make-rshared /
grep -E ' cgroup2? ' /proc/mounts >"$1/cgroups"
while read -r name path type options _; do
  umount "$path"
  mount -t "$type" -o "$options" "$name" "$path"
done <"$1/cgroups"
for path in /opt /run /var/lib /var/log; do mount --rbind "$1$path" "$path"; done
mount -t overlay -o "lowerdir=/etc,upperdir=$1/etc,workdir=$1/work" overlay /etc
hostname "$2"
mkdir /run/machine-is-up
trap '' CHLD # the kernel reaps the orphans that an init gets
# Version 2 wants no processes in a group that has groups.
exec "$(dirname "$0")/node-enter.sh" sleep infinity

#!/bin/sh
# Runs a program in the control group of a machine's own programs, beside that of its pods.
for group in /sys/fs/cgroup/system /sys/fs/cgroup/*/system; do
  [ ! -d "$group" ] || echo 0 >"$group/cgroup.procs"
done
exec "$@"

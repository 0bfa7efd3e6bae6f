#!/bin/sh
# Removes what a lab leaves when it dies without warning. Its standard input is a pipe that the lab holds open: the
# pipe ends when the lab does, however it ends. Everything of a lab is in namespaces and control groups whose names start
# with $1, and in the directory $2.
prefix=$1 directory=$2
cat >/dev/null
names=$(ip netns list 2>/dev/null | awk -v p="$prefix" 'index($1, p) == 1 { print $1 }')
for signal in TERM KILL; do
  pids=$(for name in $names; do ip netns pids "$name"; done)
  # shellcheck disable=SC2086 # one word for each process
  [ -n "$pids" ] && kill -s "$signal" $pids 2>/dev/null && sleep 0.5
done
for name in $names; do ip netns del "$name"; done
# Control groups can go when the kernel has buried the last process of them.
find /sys/fs/cgroup -depth -type d -path "*/$prefix*" -exec rmdir {} +
case $directory in /run/nsmesh-lab-*) rm -rf "$directory" "/var/tmp/${directory##*/}" ;; esac
exit 0

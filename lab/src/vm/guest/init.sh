#!/bin/busybox sh
# The first process of the virtual machine: loads what the disk needs, mounts it and the machine's folder, and hands over.
export PATH=/bin
/bin/busybox mount -t proc proc /proc
/bin/busybox --install -s /bin
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir /dev/pts /dev/shm
while read -r module; do insmod "/modules/$module"; done </modules/order
mount -t ext4 -o noatime /dev/vda /new || { echo 'the disk can not be mounted'; poweroff -f; }
share=$(cat /vm/share)
mkdir -p "/new$share"
mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000,cache=loose,ro share "/new$share"
mount -t devpts -o gid=5,mode=620,ptmxmode=666 devpts /dev/pts
mount -t tmpfs shm /dev/shm
for pair in 0:stdin 1:stdout 2:stderr; do ln -s "/proc/self/fd/${pair%:*}" "/dev/${pair#*:}"; done
ln -s /proc/self/fd /dev/fd
hostname vm
ip link set lo up
echo '127.0.0.1 localhost vm' >/new/etc/hosts
mount -t tmpfs -o mode=755 run /new/run
cp -r /vm /new/run/
mkdir /new/run/lock
mount -t tmpfs tmp /new/tmp
mount -t cgroup2 cgroup2 /sys/fs/cgroup
for port in /sys/class/virtio-ports/*; do ln -s "/dev/${port##*/}" "/new/run/vm/$(cat "$port/name")"; done
for each in proc sys dev; do mount --move "/$each" "/new/$each"; done
exec switch_root /new /bin/bash /run/vm/main.sh

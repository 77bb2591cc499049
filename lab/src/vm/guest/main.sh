# Runs the one command that the machine was started for, hands back its output and its exit code, and turns it off.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8
mapfile -d '' -t environment </run/vm/environment
mapfile -d '' -t argv </run/vm/argv
# What is written into the shared folder is written beside it, and gone with the machine.
share=$(cat /run/vm/share)
mkdir /tmp/written /tmp/writing
# Nobody here loads a driver when its device is asked for.
modprobe -a overlay loop fuse
mount -t overlay -o "lowerdir=$share,upperdir=/tmp/written,workdir=/tmp/writing" overlay "$share"
cd "$share"
env "${environment[@]}" "${argv[@]}" </dev/null >/run/vm/output 2>&1
echo $? >/run/vm/code
cd /
sync
echo o >/proc/sysrq-trigger
sleep 60

#!/bin/bash
# Makes a Debian forky root with Asterisk in it, for machines whose own distribution has none (Debian 12 and 13).
# Usage, as root: asterisk-root.sh <folder> [mirror]. Does nothing when the folder is there.
set -euo pipefail

target=$1
mirror=${2:-http://deb.debian.org/debian}
cache=$(dirname "$target")
mkdir -p "$cache"
# By sudo, for somebody: the rest of the cache is theirs.
[ -z "${SUDO_UID:-}" ] || chown "$SUDO_UID:$SUDO_GID" "$cache"

# One at a time: the lock is held by this script and everything it starts.
exec 9>"$target.lock"
flock 9
[ -e "$target" ] && exit 0

draft=$target.new
# An attempt that was killed may have left its mounts.
umount "$draft/proc" "$draft/sys" 2>/dev/null || true
rm -rf --one-file-system "$draft"

echo "STEP unpacking a Debian forky root"
# The script is named because an older debootstrap does not know forky.
debootstrap --variant=minbase --include=ca-certificates forky "$draft" "$mirror" /usr/share/debootstrap/scripts/sid

echo "STEP installing Asterisk into it"
# Proxies, and how strict it is about the age of a mirror: as on this machine.
apt-config dump | grep -E '^Acquire::(https?::|Check-|Retries)' >"$draft/etc/apt/apt.conf.d/00host" || true
# Nothing in it may start by itself.
printf '#!/bin/sh\nexit 101\n' >"$draft/usr/sbin/policy-rc.d"
chmod +x "$draft/usr/sbin/policy-rc.d"
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
chroot "$draft" apt-get update
chroot "$draft" apt-get install --yes --no-install-recommends asterisk asterisk-core-sounds-en-gsm
chroot "$draft" apt-get clean
rm -rf "$draft"/var/lib/apt/lists/* "$draft"/usr/share/doc "$draft"/usr/share/man

# It runs without chroot, so its links must not point at this machine.
ln -sfn en_US_f_Allison "$draft/usr/share/asterisk/sounds/en"
# Whoever may see the folder may run it.
chmod 755 "$draft"
mv "$draft" "$target"

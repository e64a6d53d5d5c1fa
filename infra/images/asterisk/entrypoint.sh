#!/bin/bash
# Renders asterisk-conf from the environment, then becomes Asterisk.
#   required  ARI_USERNAME ARI_PASSWORD TRUNK_PASSWORD SIP_PASSWORD_1001 SIP_PASSWORD_1002 SIP_PASSWORD_1003
#   optional  ARI_APP (tacet), SIP_PORT (5060), RTP_PORTS (20000-20099), EXTERNAL_ADDRESS (where phones outside reach this container; absent: its own address)
set -euo pipefail
umask 077

etc=/run/tacet/etc
mkdir -p "$etc" /run/tacet/run /run/tacet/log
ln -sfn /dev/stdout /run/tacet/log/asterisk.log
(umask 022 && mkdir -p /var/spool/asterisk/recording/tacet)

rtp_ports=${RTP_PORTS:-20000-20099}
export etcDir=$etc runDir=/run/tacet/run logDir=/run/tacet/log varDir=/var/lib/tacet-asterisk spoolDir=/var/spool/asterisk
export shareDir=/usr/share/asterisk moduleDir
moduleDir=$(dirname "$(find /usr/lib -name app_mixmonitor.so -path '*asterisk/modules*' -print -quit)")
export ariHost=0.0.0.0 ariPort=8088 ariUsername=${ARI_USERNAME:?} ariPassword=${ARI_PASSWORD:?} ariApp=${ARI_APP:-tacet}
export sipHost=0.0.0.0 sipPort=${SIP_PORT:-5060} rtpStart=${rtp_ports%-*} rtpEnd=${rtp_ports#*-}
export trunkUsername=trunk trunkPassword=${TRUNK_PASSWORD:?}
: "${SIP_PASSWORD_1001:?}" "${SIP_PASSWORD_1002:?}" "${SIP_PASSWORD_1003:?}"

# Asterisk calls the lack of one an error.
for name in acl ccss manager pjproject queuerules udptl websocket_client; do echo '[general]' >"$etc/$name.conf"; done
: >"$etc/acl.conf"
for file in /usr/share/tacet/asterisk-conf/*.conf /usr/share/tacet/asterisk-conf/demo/*.conf; do
  render.pl "$file" >"$etc/${file##*/}"
done

# What phones outside are told, instead of the container's own address.
if [ -n "${EXTERNAL_ADDRESS:-}" ]; then
  for transport in udp tcp; do
    printf '\n[%s](+)\nexternal_media_address = %s\nexternal_signaling_address = %s\nexternal_signaling_port = %s\n' \
      "$transport" "$EXTERNAL_ADDRESS" "$EXTERNAL_ADDRESS" "$sipPort" >>"$etc/pjsip.conf"
  done
fi

# The recordings must be readable for those who share the spool, as a group or as others.
umask 022
exec asterisk -C "$etc/asterisk.conf" -f -n "$@"

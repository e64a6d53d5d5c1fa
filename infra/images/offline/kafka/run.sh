#!/bin/bash
set -euo pipefail
java=(java -cp '/opt/kafka/libs/*' -Dorg.slf4j.simpleLogger.defaultLogLevel=warn)
# Formatted the last time is no error; the wrapper ends with one all the same.
if ! setup=$("${java[@]}" -Xmx128m kafka.docker.KafkaDockerWrapper setup \
  --default-configs-dir /etc/kafka/docker --mounted-configs-dir /mnt/shared/config --final-configs-dir /opt/kafka/config 2>&1); then
  grep --quiet --ignore-case 'already formatted' <<<"$setup" || { echo "$setup" >&2; exit 1; }
fi
# shellcheck disable=SC2086 # several arguments
exec "${java[@]}" ${KAFKA_HEAP_OPTS:--Xmx1G} -XX:+UseSerialGC kafka.Kafka /opt/kafka/config/server.properties

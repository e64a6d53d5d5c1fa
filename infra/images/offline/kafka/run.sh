#!/bin/bash
set -euo pipefail
java=(java -cp '/opt/kafka/libs/*' -Dorg.slf4j.simpleLogger.defaultLogLevel=warn)
"${java[@]}" -Xmx128m kafka.docker.KafkaDockerWrapper setup \
  --default-configs-dir /etc/kafka/docker --mounted-configs-dir /mnt/shared/config --final-configs-dir /opt/kafka/config
# shellcheck disable=SC2086 # several arguments
exec "${java[@]}" ${KAFKA_HEAP_OPTS:--Xmx1G} -XX:+UseSerialGC kafka.Kafka /opt/kafka/config/server.properties

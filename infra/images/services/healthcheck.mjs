// Alive, not ready: a service that waits for Kafka or Asterisk is not helped by a restart.
const url = `http://127.0.0.1:${process.env.ADMIN_PORT}/live`
const isAlive = await fetch(url, { signal: AbortSignal.timeout(4000) }).then(({ ok }) => ok, () => false)
process.exit(isAlive ? 0 : 1)

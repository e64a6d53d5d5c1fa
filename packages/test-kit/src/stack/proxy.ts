import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

export interface Proxy {
  port: number
  /** Ends all connections and refuses new ones. */
  cut (): Promise<void>
  mend (): Promise<void>
  /** Requests that match are neither answered nor passed on, until the next call; undefined: all go through. */
  swallow (requests: RegExp | undefined): void
}

interface Owner { teardown: (close: () => unknown) => void }

/** A cable that can be cut: everything sent to its port goes to the target. */
export async function createProxy (t: Owner, target: { host: string, port: number }): Promise<Proxy> {
  const sockets = new Set<Socket>()
  let swallowed: RegExp | undefined
  const server = createServer(inbound => {
    const outbound = connect(target)
    for (const [from, to] of [[inbound, outbound], [outbound, inbound]] as const) {
      sockets.add(from)
      from.on('error', () => {})
      from.on('close', () => {
        sockets.delete(from)
        to.destroy()
      })
    }
    inbound.on('data', data => { if (!swallowed?.test(data.toString('latin1'))) outbound.write(data) })
    inbound.on('end', () => outbound.end())
    outbound.pipe(inbound)
  })
  const listen = (port: number) => new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  const cut = async () => {
    const closed = new Promise(resolve => server.close(resolve))
    for (const socket of sockets) socket.destroy()
    await closed
  }
  await listen(0)
  const { port } = server.address() as AddressInfo
  t.teardown(cut)
  return { port, cut, mend: () => listen(port), swallow: requests => { swallowed = requests } }
}

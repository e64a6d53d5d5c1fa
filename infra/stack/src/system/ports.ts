import { createServer } from 'node:net'
import { createSocket } from 'node:dgram'
import { Failure } from './failure.ts'

type PortRequest = {
  /** For the error message: what wants it, and the environment variable that chose it. */
  name: string
  variable: string
  preferred: number
  host?: string
  udp?: boolean
}

const taken = new Set<number>()

/**
 * The port a part shall listen on: the one its environment variable names, else the preferred one, else a free one.
 * Rejects with a Failure when the named one is in use.
 */
export async function choosePort (request: PortRequest): Promise<number> {
  const { name, variable, preferred, host = '127.0.0.1', udp = false } = request
  const isFree = async (port: number): Promise<boolean> =>
    !taken.has(port) && await isTcpFree(port, host) !== null && (!udp || await isUdpFree(port, host))
  const named = process.env[variable]
  if (named) {
    const port = Number(named)
    if (!Number.isInteger(port) || port < 1 || port > 65535) throw new Failure(`${variable}=${named} is no port number.`)
    if (!await isFree(port)) throw new Failure(`${name} cannot have port ${port} (${variable}): something else listens there.`)
    taken.add(port)
    return port
  }
  let port = preferred
  while (!await isFree(port)) port = await isTcpFree(0, host) ?? port
  taken.add(port)
  return port
}

/** The port when it can be bound (0 finds one), else null. */
const isTcpFree = (port: number, host: string): Promise<number | null> => new Promise((resolve) => {
  const server = createServer()
  server.once('error', () => resolve(null))
  server.listen({ port, host, exclusive: true }, () => {
    const address = server.address()
    server.close(() => resolve(typeof address === 'object' && address ? address.port : null))
  })
})

const isUdpFree = (port: number, host: string): Promise<boolean> => new Promise((resolve) => {
  const socket = createSocket('udp4')
  socket.once('error', () => resolve(false))
  socket.bind({ port, address: host, exclusive: true }, () => socket.close(() => resolve(true)))
})

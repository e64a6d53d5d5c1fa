import { Socket, type TcpSocketConnectOpts } from 'node:net'
import { fileURLToPath } from 'node:url'

/**
 * A Kafka client connects to where the broker says it is, whatever address it was given. Loaded before a service, this
 * takes its connections to a port to another one, where a test may cut them.
 */
export const detourEnv = (ports: Record<number, number>): Record<string, string> =>
  ({ NODE_OPTIONS: `--import=${fileURLToPath(import.meta.url)}`, TACET_DETOUR: JSON.stringify(ports) })

const detour = process.env['TACET_DETOUR']
if (detour !== undefined) {
  const ports: Record<string, number> = JSON.parse(detour)
  const connect = Socket.prototype.connect as (this: Socket, ...args: unknown[]) => Socket
  Socket.prototype.connect = function (this: Socket, ...args: unknown[]) {
    // As net.connect passes them on: an array that begins with the options.
    const options = (Array.isArray(args[0]) ? args[0][0] : args[0]) as TcpSocketConnectOpts
    if (typeof options === 'object') options.port = ports[options.port] ?? options.port
    return connect.apply(this, args)
  } as Socket['connect']
}

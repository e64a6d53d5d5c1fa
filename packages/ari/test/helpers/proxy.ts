import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import type { Pbx } from './pbx.ts'

/**
 * A wire to the PBX that can be cut (connections refused, as while Asterisk restarts), frozen (connections accepted and
 * nothing said), and told to lose answers.
 */
export async function openProxy (pbx: Pbx) {
  const target = new URL(pbx.url)
  const sockets = new Set<Socket>()
  let isFrozen = false
  let losing: RegExp | undefined

  const server = createServer((near) => {
    const far = connect(Number(target.port), target.hostname)
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => { sockets.delete(socket); near.destroy(); far.destroy() })
    }
    near.on('data', (data) => {
      if (isFrozen) return
      if (losing?.test(data.toString('latin1'))) {
        losing = undefined
        far.once('data', () => near.resetAndDestroy())
      }
      far.write(data)
    })
    far.on('data', (data) => { if (!isFrozen && !near.destroyed) near.write(data) })
  })
  const listen = async (port: number) => {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
  }
  const cut = async () => {
    if (!server.listening) return
    const closed = once(server, 'close')
    server.close()
    for (const socket of sockets) socket.destroy()
    await closed
  }
  await listen(0)
  const { port } = server.address() as AddressInfo
  return {
    pbx: { ...pbx, url: `http://127.0.0.1:${port}` },
    cut,
    mend: () => listen(port),
    freeze () { isFrozen = true },
    thaw () { isFrozen = false },
    /** The next request that matches reaches Asterisk, but its answer dies with the connection. */
    loseAnswerTo (request: RegExp) { losing = request },
    close: cut,
  }
}

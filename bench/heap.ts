import { eventually, freePort } from '@tacet/test-kit'

/** Where a service opens its inspector when asked to. Set before the stack starts. */
export async function chooseInspectorPort (): Promise<number> {
  const port = await freePort()
  process.env.NODE_OPTIONS = `${process.env.NODE_OPTIONS ?? ''} --inspect-port=${port}`
  return port
}

/** What a process has in use right after a garbage collection, in MiB: what it took since and may give back does not count. */
export async function heapInUse (pid: number, inspectorPort: number): Promise<number> {
  process.kill(pid, 'SIGUSR1')
  const url = await eventually(async () => {
    const targets = await (await fetch(`http://127.0.0.1:${inspectorPort}/json`)).json() as { webSocketDebuggerUrl: string }[]
    return targets[0]?.webSocketDebuggerUrl
  }, { message: 'the inspector did not open' })
  const socket = new WebSocket(url)
  await new Promise(resolve => socket.addEventListener('open', resolve))
  const ask = async (method: string): Promise<{ usedSize: number }> => await new Promise(resolve => {
    socket.addEventListener('message', ({ data }) => resolve(JSON.parse(String(data)).result), { once: true })
    socket.send(JSON.stringify({ id: 1, method }))
  })
  try {
    await ask('HeapProfiler.collectGarbage')
    return (await ask('Runtime.getHeapUsage')).usedSize / 2 ** 20
  } finally {
    socket.close()
  }
}

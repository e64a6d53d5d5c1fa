import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { supervise } from '../../src/supervisor.ts'
import { choosePort } from '../../src/system/ports.ts'
import { run } from '../../src/system/process.ts'
import { untilItWorks } from '../../src/system/wait.ts'

const isAlive = (pid: number): boolean => {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}
const shell = (name: string, script: string) => ({ name, command: 'bash', args: ['-c', script] })

t.test('a part that dies is named, with its last log lines, and the others are stopped', async (t) => {
  const supervisor = supervise(t.testdir())
  const { launch } = supervisor.contextFor(() => {})
  const patient = launch(shell('patient', 'exec sleep 1000'))
  launch(shell('unlucky', 'echo the disk is full; exit 3'))
  await t.rejects(supervisor.died, { name: 'Failure', message: /unlucky died \(exit code 3\)[^]*the disk is full/ })
  t.ok(supervisor.signal.aborted)
  await supervisor.stop()
  t.notOk(isAlive(patient.pid))
})

t.test('what ignores the polite signal is killed, with its children', async (t) => {
  const supervisor = supervise(t.testdir())
  const stubborn = supervisor.contextFor(() => {}).launch({ ...shell('stubborn', "trap '' TERM; sleep 1000 & echo child=$!; wait; wait"), stopTimeoutMs: 200 })
  const child = await untilItWorks(async () => Number(/child=(\d+)/.exec(readFileSync(stubborn.logFile, 'utf8'))![1]),
    { what: 'child', timeoutMs: 20_000, signal: supervisor.signal })
  await supervisor.stop()
  t.notOk(isAlive(stubborn.pid))
  await untilItWorks(async () => { if (isAlive(child)) throw new Error('alive') }, { what: 'end', timeoutMs: 20_000, signal: AbortSignal.timeout(30_000) })
})

t.test('nothing outlives a supervisor that is killed', async (t) => {
  const dir = t.testdir()
  const module = join(import.meta.dirname, '../../src/supervisor.ts')
  const code = `const { supervise } = await import(${JSON.stringify(module)});
    console.log(supervise(${JSON.stringify(dir)}).contextFor(() => {}).launch({ name: 'x', command: 'sleep', args: ['1000'] }).pid); setInterval(() => {}, 1000)`
  const owner = spawn(process.execPath, ['--conditions=@tacet/source', '--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = await once(owner.stdout, 'data')
  const pid = Number(String(line))
  await untilItWorks(async () => { if (readFileSync(`/proc/${pid}/comm`, 'utf8') !== 'sleep\n') throw new Error('not yet') }, { what: 'sleep', timeoutMs: 20_000, signal: AbortSignal.timeout(30_000) })
  owner.kill('SIGKILL')
  await once(owner, 'exit')
  await untilItWorks(async () => { if (isAlive(pid)) throw new Error('alive') }, { what: 'end', timeoutMs: 20_000, signal: AbortSignal.timeout(30_000) })
  await supervise(dir).stop() // and the folder is free again
})

t.test('two supervisors never share a folder', async (t) => {
  const dir = t.testdir()
  const first = supervise(dir)
  t.throws(() => supervise(dir), { name: 'Failure', message: new RegExp(`process ${process.pid}`) })
  await first.stop()
  await supervise(dir).stop()
})

t.test('a taken port is replaced by a free one, unless it was asked for', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const request = { name: 'Kafka', variable: 'TACET_TEST_PORT', preferred: port }
  t.not(await choosePort(request), port)
  process.env.TACET_TEST_PORT = String(port)
  await t.rejects(choosePort(request), { name: 'Failure', message: `Kafka cannot have port ${port} (TACET_TEST_PORT)` })
})

t.test('a failing command says what it printed last', async (t) => {
  await t.rejects(run('bash', ['-c', 'echo no space left; exit 7'], { signal: AbortSignal.timeout(30_000) }), { name: 'Failure', message: /bash failed \(7\)[^]*no space left/ })
})

t.test('a wait ends at its deadline with the last error', async (t) => {
  const never = async () => { throw new Error('connection refused') }
  await t.rejects(untilItWorks(never, { what: 'It is', timeoutMs: 20, everyMs: 5, signal: AbortSignal.timeout(30_000) }), { message: 'It is not ready after 0.02 s: connection refused' })
})

t.test('a command that is aborted ends, with all it started', async (t) => {
  const stop = new AbortController()
  const child = Promise.withResolvers<number>()
  const running = run('bash', ['-c', 'sleep 1000 & echo $!; wait'], { signal: stop.signal, onLine: (line) => child.resolve(Number(line)) })
  const pid = await child.promise
  stop.abort(new Error('enough'))
  await t.rejects(running, { message: 'enough' })
  await untilItWorks(async () => { if (isAlive(pid)) throw new Error('alive') }, { what: 'end', timeoutMs: 20_000, signal: AbortSignal.timeout(30_000) })
})

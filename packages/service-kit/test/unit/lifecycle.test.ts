import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createCloser } from '../../src/lifecycle.ts'

function run (t: Test, env: Record<string, string>) {
  const service = spawn(process.execPath, ['--conditions=@tacet/source', join(import.meta.dirname, '../helpers/service.ts')], { env: { PATH: process.env['PATH'], ...env } })
  t.teardown(() => service.kill('SIGKILL'))
  let output = ''
  const started = Promise.withResolvers<void>()
  for (const stream of [service.stdout, service.stderr]) {
    stream.on('data', chunk => {
      output += chunk
      if (/^started/m.test(output)) started.resolve()
    })
  }
  return { service, started: started.promise, ended: once(service, 'close').then(([code]) => ({ code: code as number | null, output })) }
}

t.test('after a signal everything is closed in reverse order, and the exit code is 0', async t => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const { service, started, ended } = run(t, { MODE: 'fine' })
    await started
    service.kill(signal)
    const { code, output } = await ended
    t.equal(code, 0)
    t.match(output, /closed second[\s\S]*closed first[\s\S]*service stopped/)
  }
})

t.test('a wrong configuration is explained without a stack trace, and the exit code is 1', async t => {
  const { code, output } = await run(t, { MODE: 'odd' }).ended
  t.equal(code, 1)
  t.match(output, /^sample: Invalid configuration\n[\s\S]*MODE/)
  t.notMatch(output, /\n {4}at /)
})

t.test('a start that fails closes what it had opened, and the exit code is 1', async t => {
  const { code, output } = await run(t, { MODE: 'broken' }).ended
  t.equal(code, 1)
  t.match(output, /service failed to start[\s\S]*closed second[\s\S]*closed first/)
  t.match(output, /the port is taken/)
})

t.test('an error nobody caught ends the service in order, and the exit code is 1', async t => {
  const { code, output } = await run(t, { MODE: 'throws' }).ended
  t.equal(code, 1)
  t.match(output, /nobody caught this[\s\S]*closed first/)
})

t.test('a shutdown ends when its budget is spent, and the exit code is 1', async t => {
  const { service, started, ended } = run(t, { MODE: 'stuck' })
  await started
  service.kill('SIGTERM')
  const { code, output } = await ended
  t.equal(code, 1)
  t.match(output, /service did not stop in time/)
})

t.test('a resource that fails or hangs on closing does not keep the others open', async t => {
  const closer = createCloser({ stepTimeoutMs: 10 })
  const closed: string[] = []
  closer.add('first', () => closed.push('first'))
  closer.add('hangs', () => new Promise(() => {}))
  closer.add('fails', () => { throw new Error('no') })
  closer.add('last', () => closed.push('last'))
  await t.rejects(closer.close(), { message: /not closed cleanly/, errors: [{ message: 'no' }, { message: /closing hangs took more/ }] })
  t.same(closed, ['last', 'first'])
})

t.test('what is opened while closing is closed too', async t => {
  const closer = createCloser()
  const closed: string[] = []
  closer.add('first', () => closer.add('late', () => closed.push('late')))
  await closer.close()
  await closer.close()
  t.same(closed, ['late'])
})

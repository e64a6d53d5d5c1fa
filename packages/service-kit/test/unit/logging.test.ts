import t from 'tap'
import { createLogger, withCorrelationId } from '@tacet/service-kit'

function capture () {
  const lines: string[] = []
  return { lines, logger: createLogger({ name: 'test', level: 'info', destination: { write: line => { lines.push(line) } } }) }
}

t.test('secrets and callers are masked, wherever they stand', async t => {
  const { lines, logger } = capture()
  logger.info({ token: 's3cret', headers: { authorization: 'Bearer s3cret' }, call: { leg: { callerNumber: '+420777' } }, config: { password: 's3cret' } }, 'something happened')
  t.notMatch(lines[0], /s3cret|\+420777/)
  t.match(JSON.parse(lines[0] ?? ''), { msg: 'something happened', token: '***', headers: { authorization: '***' } })
})

t.test('lines within a correlation carry its id, once', async t => {
  const { lines, logger } = capture()
  withCorrelationId('c-1', () => {
    logger.info('bare')
    logger.child({ correlationId: 'c-1' }).info('child')
  })
  logger.info('outside')
  t.same(lines.map(line => line.match(/"correlationId":"c-1"/g)?.length ?? 0), [1, 1, 0])
})

t.test('a request is logged by its route, since its path may hold a token', async t => {
  const { lines, logger } = capture()
  logger.info({ req: { id: '1', method: 'GET', url: '/phone/v1/s3cret/pause', routeOptions: { url: '/phone/v1/:deviceToken/pause' } } }, 'x')
  t.notMatch(lines[0], /s3cret/)
  t.match(lines[0], /:deviceToken/)
})

import t from 'tap'
import { isProblem, problem, problemBody, problems, problemSchema, type ProblemCode } from '@tacet/contracts'

t.test('every problem has a kebab-case code, an error status and a body that its schema accepts', async t => {
  for (const code of Object.keys(problems) as ProblemCode[]) {
    t.match(code, /^[a-z]+(-[a-z]+)*$/)
    const body = problemSchema.parse(problemBody(problem(code)))
    t.same(body, { type: `urn:tacet:problem:${code}`, title: problems[code].title, status: problems[code].status, code })
    t.ok(body.status >= 400 && body.status < 600, code)
  }
})

t.test('a problem carries its detail, what explains it and the correlation id', async t => {
  const error = problem('pause-denied', 'no access', { decidedBy: 'number' })
  t.same(problemBody(error, 'c-1'), {
    type: 'urn:tacet:problem:pause-denied',
    title: 'Stopping and starting the recording is not allowed here',
    status: 403,
    code: 'pause-denied',
    detail: 'no access',
    correlationId: 'c-1',
    decidedBy: 'number',
  })
})

t.test('when to retry goes into a header, not into the body', async t => {
  t.notOk('retryAfterSeconds' in problemBody(problem('standby', undefined, { retryAfterSeconds: 2 })))
})

t.test('a problem keeps its cause for the log and is told from other errors', async t => {
  const cause = new Error('connection refused')
  const error = problem('storage-unavailable', undefined, {}, cause)
  t.equal(error.cause, cause)
  t.notMatch(JSON.stringify(problemBody(error)), /refused/)
  t.equal(isProblem(error), true)
  for (const other of [cause, null, undefined, 'text', { code: 'pause-denied' }]) t.equal(isProblem(other), false)
})

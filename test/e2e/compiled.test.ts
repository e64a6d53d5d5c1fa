import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { startTacet } from '../support/tacet.ts'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))
// Nothing to do where npm test has built before.
await run('node_modules/.bin/tsc', ['-b', 'tsconfig.build.json'], { cwd: root })

t.test('what the build makes migrates, starts, and works together, with the sources out of the way', async t => {
  const { settings, services, supervisorToken, companyId } = await startTacet(t, { isCompiled: true, env: { NODE_ENV: 'production' } })
  t.equal((await settings(`/v1/companies/${companyId}`)).status, 200)
  const addresses = { TACET_CALL_CONTROL_URL: services['call-control'].url, TACET_ASSEMBLY_URL: services['recording-assembly'].url, TACET_TOKEN: supervisorToken }
  for (const command of ['calls', 'recordings']) {
    const { stdout } = await run(process.execPath, ['packages/cli/dist/main.js', '--json', command], { cwd: root, env: { PATH: process.env.PATH, ...addresses } })
    t.same(JSON.parse(stdout), [])
  }
})

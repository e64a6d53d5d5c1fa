import { readFile } from 'node:fs/promises'
import t from 'tap'
import { configurationFile, configurationText } from '../../scripts/configuration.ts'

t.test('docs/configuration.md says what the services read; else run `npm run generate`', async t => {
  t.equal(await readFile(configurationFile, 'utf8'), await configurationText())
})

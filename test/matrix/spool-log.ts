import { watch } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Stack } from '@tacet/contracts'
import { readWavSamples } from '@tacet/test-kit'
import type { Owner } from '../support/tacet.ts'
import type { History } from './history.ts'
import { leaksIn } from './model.ts'

export interface SpoolLog {
  /** Of every recorder's file that was ever there. */
  names: () => string[]
  /** Everything else that was ever there. */
  strangers: (callIds: string[]) => string[]
  /** Of what is there now. */
  leaks: (history: History) => Promise<{ file: string, voice: string, ms: number }[]>
}

const isOurs = (name: string): boolean => name.startsWith('tacet-')
const isFiller = (name: string): boolean => name === '.full' || name === 'tacet'

/** Takes note of everything that is ever written anywhere under Asterisk's spool. */
export async function watchMatrixSpool (t: Owner, { spoolDir }: Stack): Promise<SpoolLog> {
  const spool = dirname(spoolDir!)
  const seen = new Set<string>()
  const filesNow = async () => (await readdir(spool, { recursive: true, withFileTypes: true })).filter(entry => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name))
  const directories = new Set((await readdir(spool, { recursive: true, withFileTypes: true })).filter(entry => entry.isDirectory()).map(({ name }) => name))
  const watcher = watch(spool, { recursive: true }, (_event, name) => { if (name !== null) seen.add(basename(name)) })
  t.teardown(() => watcher.close())
  return {
    names: () => [...seen].filter(isOurs),
    strangers: callIds => [...seen].filter(name => !isFiller(name) && !directories.has(name) && !callIds.some(callId => name.includes(callId))).filter(name => !isOurs(name)),
    async leaks (history) {
      const files = (await filesNow()).filter(file => isOurs(basename(file)))
      return files.flatMap(file => {
        const line = history.lines.find(({ talk }) => file.includes(talk.callId))
        return line ? leaksIn(readWavSamples(file), line).map(leak => ({ file: basename(file), ...leak })) : []
      })
    },
  }
}

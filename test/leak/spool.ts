import { statSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { WAV_HEADER_BYTES } from '@tacet/audio'
import type { Stack } from '@tacet/contracts'
import { readWavSamples } from '@tacet/test-kit'
import type { Owner } from '../support/tacet.ts'
import { watchTree } from '../support/watch-tree.ts'

export interface SegmentFile { callId: string, number: number, samples: Int16Array }

export interface SpoolWatch {
  /** What was written since the watch began, and is still there, when every recorder has closed its file. Throws when a file is none of a recorder's. */
  read: () => Promise<SegmentFile[]>
  /** Takes note of files that may be there. */
  expect: (names: string[]) => void
  /** All other files that were ever there since the watch began, for however short a time. */
  strangers: () => string[]
}

/** Looks at everything that is written anywhere under Asterisk's spool. */
export async function watchSpool (t: Owner, { spoolDir }: Stack): Promise<SpoolWatch> {
  if (spoolDir === null) throw new Error('this test looks into the spool of Asterisk: it needs a stack that shares it')
  const spool = dirname(spoolDir)
  const expected = new Set<string>()
  const seen = new Set<string>()
  const filesNow = async () => {
    const entries = await readdir(spool, { recursive: true, withFileTypes: true })
    for (const { name } of entries.filter(entry => entry.isDirectory())) seen.delete(name)
    return entries.filter(entry => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name))
  }
  const before = new Set(await filesNow())
  await watchTree(t, spool, name => seen.add(name))
  return {
    expect: names => names.forEach(name => expected.add(name)),
    strangers: () => [...seen].filter(name => !expected.has(name)),
    async read () {
      const files = (await filesNow()).filter(file => !before.has(file))
      for (const file of files) seen.add(basename(file))
      return files.map(file => ({ ...parseName(basename(file)), samples: readWhole(file) }))
    },
  }
}

function readWhole (file: string): Int16Array {
  const samples = readWavSamples(file)
  const beyond = bytesBeyond(file, samples)
  if (beyond !== 0) throw new Error(`${file} has ${beyond} bytes that its header says nothing of: nobody would look into them`)
  return samples
}

/** Of a file that was closed: what is neither the header that Asterisk writes nor these samples. */
export const bytesBeyond = (file: string, samples: Int16Array): number => statSync(file).size - WAV_HEADER_BYTES - samples.byteLength

export function parseName (name: string): { callId: string, number: number } {
  const [, callId, number] = /^tacet-([0-9a-f-]{36})-(\d+)\.wav$/.exec(name) ?? []
  if (callId === undefined) throw new Error(`${name} in the spool is no recorder's file`)
  return { callId, number: Number(number) }
}

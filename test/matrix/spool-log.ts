import { linkSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Stack } from '@tacet/contracts'
import { readWavSamples } from '@tacet/test-kit'
import { bytesBeyond, parseName } from '../leak/spool.ts'
import type { Owner } from '../support/tacet.ts'
import { watchTree } from '../support/watch-tree.ts'

/** `heard`: also where it is no WAV file, as a recorder leaves it that could not write its beginning, and what is in the file beyond what its header says. */
export interface Written { file: string, callId: string, number: number, samples: Int16Array, heard: Int16Array }

export interface SpoolLog {
  /** Every file that a recorder of the call ever wrote, as it was left, whoever has deleted it since. */
  written: (callId: string) => Written[]
  /** Everything else that was ever there. */
  strangers: (callIds: string[]) => string[]
  /** What was written so far need not be kept any longer. */
  forget: () => void
}

const isOurs = (name: string): boolean => name.startsWith('tacet-')
const isFiller = (name: string): boolean => name === '.full' || name === 'tacet'

/** Takes note of everything that is ever written anywhere under Asterisk's spool, and keeps the files of recorders by a second name. */
export async function watchMatrixSpool (t: Owner, { spoolDir }: Stack): Promise<SpoolLog> {
  const spool = dirname(spoolDir!)
  const segments = join(spoolDir!, 'tacet')
  const kept = join(segments, '.kept')
  mkdirSync(kept, { recursive: true })
  const seen = new Set<string>()
  const known = new Set<string>()
  const { folderNames } = await watchTree(t, spool, (name, folder) => {
    seen.add(name)
    if (folder === segments && isOurs(name)) keep(name)
  }, [kept])

  function keep (name: string): void {
    try {
      linkSync(join(segments, name), join(kept, name))
    } catch (error) {
      // Each is told of several times, at last that it is gone. What can't be kept while nothing can be written is kept afterwards.
      if (!['EEXIST', 'ENOENT', 'EROFS'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
    }
  }

  function written (callId: string): Written[] {
    readdirSync(segments).filter(isOurs).forEach(keep)
    return readdirSync(kept).filter(name => name.includes(callId)).map(name => ({ file: name, ...parseName(name), ...readKept(join(kept, name)) }))
  }

  return {
    written,
    strangers (callIds) {
      callIds.forEach(callId => known.add(callId))
      return [...seen].filter(name => !isFiller(name) && !folderNames.has(name) && !(isOurs(name) && known.has(parseName(name).callId)))
    },
    forget: () => readdirSync(kept).forEach(name => rmSync(join(kept, name))),
  }
}

function readKept (file: string): Pick<Written, 'samples' | 'heard'> {
  try {
    const samples = readWavSamples(file)
    return { samples, heard: bytesBeyond(file, samples) > 0 ? readBytes(file) : samples }
  } catch {
    return { samples: new Int16Array(0), heard: readBytes(file) }
  }
}

function readBytes (file: string): Int16Array {
  const bytes = readFileSync(file)
  return Int16Array.from({ length: Math.floor(bytes.length / 2) }, (_, i) => bytes.readInt16LE(2 * i))
}

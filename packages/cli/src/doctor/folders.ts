import { accessSync, constants, statfsSync } from 'node:fs'
import { messageOf, ok, unknown, warning, wrong, type Finding } from './finding.ts'

const leastFreeBytes = 2 * 1024 ** 3

/** A folder that has to be writable (or only readable) and to have room. */
export function checkFolder (check: string, folder: string | null | undefined, mode: 'read' | 'write', absent: string): Finding {
  if (folder === undefined || folder === null) return unknown(check, 'is not known here', absent)
  try {
    accessSync(folder, mode === 'write' ? constants.R_OK | constants.W_OK : constants.R_OK)
    const { bavail, bsize } = statfsSync(folder)
    const free = bavail * bsize
    const detail = `${folder}, ${(free / 1024 ** 3).toFixed(1)} GiB free`
    return free < leastFreeBytes ? warning(check, detail, 'make room: a call of an hour takes 58 MB, 115 at 16 kHz') : ok(check, detail)
  } catch (error) {
    return wrong(check, messageOf(error), 'create it, and let the user of the service get at it')
  }
}

import { createHash } from 'node:crypto'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'

/** The top of the clone. */
export const repositoryDir = resolve(import.meta.dirname, '../../../..')

/** Downloads that outlive a clone. */
export const cacheDir = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'tacet')

/** A short name for a text, for folders that belong to it. */
export const shortHash = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 12)

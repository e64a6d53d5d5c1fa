/** Older ones lack security fixes of ARI and have a broken MixMonitor. */
const oldest = [22, 10, 1] as const
export const oldestVersion = oldest.join('.')

/** The version in what Asterisk says of itself, by `-V` or over ARI; all of it where there is none. */
export const versionIn = (text: string): string => /\d+\.\d+(\.\d+)?/.exec(text)?.[0] ?? text.trim()

export function isNewEnough (version: string): boolean {
  const parts = version.split('.').map(Number)
  for (const [index, least] of oldest.entries()) {
    const part = parts[index] ?? 0
    if (part !== least) return part > least
  }
  return true
}

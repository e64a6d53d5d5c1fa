/** One event of tap's `jsonstream` reporter. */
export type TapEvent = [kind: string, detail: {
  name: string
  level?: number
  ok?: boolean
  time?: number
  fullname?: string
  skip?: string | boolean
  todo?: string | boolean
  diag?: { diff?: string, stack?: string, source?: string, error?: unknown, [key: string]: unknown }
}]

export type Failed = { name: string, diag: NonNullable<TapEvent[1]['diag']> }
export type FileResult = { file: string, ok: boolean, timeMs: number, passed: number, failed: number, /** What it measured: assertions that pass and begin with `figures: `. */ figures: string[] }

type Suite = { name: string, hasSuites: boolean, failedBefore: number, passedBefore: number }

const figuresMark = 'figures: '

export type Tally = ReturnType<typeof createTally>

/**
 * Counts test cases, that is, the innermost subtests (a file without subtests is one case).
 * A suite that failed while all its cases passed counts as one failed case: it crashed, or timed out, outside of them.
 */
export function createTally (hear: { onFile: (result: FileResult) => void, onFailed: (failed: Failed) => void }) {
  const suites: Suite[] = []
  const unrun: string[] = []
  let figures: string[] = []
  let passed = 0
  let failed = 0
  let isComplete = false

  const begin = (name: string): void => {
    const parent = suites.at(-1)
    if (parent) parent.hasSuites = true
    suites.push({ name, hasSuites: false, failedBefore: failed, passedBefore: passed })
  }
  const end = ({ ok = false, level, time = 0, name, fullname = name, skip, diag = {} }: TapEvent[1]): void => {
    const suite = suites.pop()
    if (!suite) return
    if (level === 0) {
      isComplete = true
      return
    }
    if (skip) unrun.push(`${fullname}: ${skip}`)
    else if (!suite.hasSuites && ok) passed++
    else if (!ok && failed === suite.failedBefore) {
      failed++
      if (level === 1) hear.onFailed({ name: fullname, diag })
    }
    if (level === 1) hear.onFile({ file: name, ok: ok && !skip, timeMs: time, passed: passed - suite.passedBefore, failed: failed - suite.failedBefore, figures })
    if (level === 1) figures = []
  }

  return {
    add ([kind, detail]: TapEvent): void {
      if (kind === 'start') begin(detail.name)
      else if (kind === 'end') end(detail)
      else if (kind === 'pass' && detail.name.startsWith(figuresMark)) figures.push(detail.name.slice(figuresMark.length))
      else if (kind === 'skip' || kind === 'todo') unrun.push(`${detail.fullname}: ${detail.skip ?? detail.todo}`)
      else if (kind === 'fail' && detail.time === undefined) hear.onFailed({ name: detail.fullname ?? detail.name, diag: detail.diag ?? {} })
    },
    result: () => ({ passed, failed, unrun, isComplete }),
  }
}

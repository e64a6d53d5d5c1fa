/** What a check found. `mend` says how to put it right. */
export interface Finding {
  check: string
  state: 'ok' | 'warning' | 'wrong' | 'unknown'
  detail: string
  mend?: string
}

export const ok = (check: string, detail: string): Finding => ({ check, state: 'ok', detail })
export const warning = (check: string, detail: string, mend: string): Finding => ({ check, state: 'warning', detail, mend })
export const wrong = (check: string, detail: string, mend: string): Finding => ({ check, state: 'wrong', detail, mend })
export const unknown = (check: string, detail: string, mend: string): Finding => ({ check, state: 'unknown', detail, mend })

export const messageOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  const { cause } = error
  const text = cause instanceof Error ? cause.message || (cause as NodeJS.ErrnoException).code || error.message : error.message
  return text === '' ? (error as NodeJS.ErrnoException).code ?? error.name : text
}

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { messageOf, ok, unknown, warning, type Finding } from './finding.ts'

export interface OtherRecorder { file: string, line: number, text: string, why: string }

const rules: [pattern: RegExp, why: string][] = [
  [/\b(MixMonitor|Monitor)\s*\(/i, 'records the call'],
  [/^\s*monitor-(format|type)\s*=>?\s*[^\s>]/i, 'the queue records its calls'],
  [/^\s*auto(mixmon|mon)\s*=>?\s*[^\s>]/i, 'one-touch recording'],
  [/^\s*(one_touch_recording|recordonfeature)\s*=>?\s*(yes|true|on|1|auto)/i, 'one-touch recording by the phone\'s key'],
  [/^[^=]+=>?[^,(]+,[^,(]+,\s*(MixMonitor|Monitor)\b/i, 'a key that records the call'],
  [/^\s*record_conference\s*=>?\s*(yes|true|on|1)/i, 'the conference is recorded'],
  [/\bapp\.(mixmonitor|monitor)\b/i, 'records the call'],
  [/\b(?:Dial|Queue)\s*\([^,)]*(?:,[^,)]*)?,[^,)]*[xXwW]/, 'lets somebody on the call record it (x, X, w, W)'],
]

const commentIn = (file: string): RegExp => file.endsWith('.lua') ? /(^)--.*$/ : file.endsWith('.ael') ? /(^|\s)\/\/.*$/ : /(^|[^\\]);.*$/

/** What in these files would write what we pause; our own context does not count. */
export function findOtherRecorders (file: string, text: string): OtherRecorder[] {
  let context = ''
  return text.split('\n').flatMap((raw, index) => {
    const line = raw.replace(commentIn(file), '$1')
    context = /^\s*\[([^\]]+)\]/.exec(line)?.[1] ?? context
    if (context === 'tacet-recorder') return []
    const rule = rules.find(([pattern]) => pattern.test(line))
    return rule === undefined ? [] : [{ file, line: index + 1, text: line.trim(), why: rule[1] }]
  })
}

/** Reads the configuration of an Asterisk on this machine. */
export function checkDialplanFiles (folder: string | undefined): Finding[] {
  const check = 'Asterisk: other recorders, configured'
  if (folder === undefined) return [unknown(check, 'its files were not looked at', 'on the PBX: tacet doctor --asterisk-config /etc/asterisk')]
  try {
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(name => /\.(conf|include|ael|lua)$/.test(name))
    const found = files.flatMap(name => findOtherRecorders(name, readFileSync(join(folder, name), 'utf8')))
    if (found.length === 0) return [ok(check, `none in ${files.length} files`)]
    return found.map(({ file, line, text, why }) => warning(check, `${file}:${line} ${text}: ${why}`, 'it would write what a pause keeps out of our files: take it out, or live with that'))
  } catch (error) {
    return [unknown(check, `${folder} can not be read (${messageOf(error)})`, 'run this as a user who may')]
  }
}

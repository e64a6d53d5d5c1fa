import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { silenceReasons } from '@tacet/contracts'
import { newRecording, type Recording, type RecordingInput, type RecordingTransition } from '../../src/domain/recording.ts'
import { transition } from '../../src/domain/recording-machine.ts'
import { byAgent, byPolicy, inputNames, type InputName } from '../support/recording-table.ts'

interface Drawn { name: InputName, reason: typeof silenceReasons[number], isOpenSegment: boolean, segment: number, isExplained: boolean, stepMs: number, missedMs: number | null }

const drawn: fc.Arbitrary<Drawn> = fc.record({
  // The end of everything comes now and then only, or sequences would be short.
  name: fc.constantFrom(...inputNames.filter(name => name !== 'end').flatMap(name => [name, name, name]), 'recorder-started' as const, 'recorder-stopped' as const, 'lift' as const, 'end' as const),
  reason: fc.constantFrom('agent' as const, 'agent' as const, 'agent' as const, 'agent' as const, ...silenceReasons),
  isOpenSegment: fc.constantFrom(true, true, true, false),
  segment: fc.integer({ min: 1, max: 12 }),
  isExplained: fc.boolean(),
  stepMs: fc.integer({ min: 0, max: 3000 }),
  missedMs: fc.option(fc.integer({ min: 0, max: 5000 })),
})

const sequence = fc.array(drawn, { minLength: 1, maxLength: 80, size: 'max' })

function toInput ({ name, reason, isOpenSegment, segment: anySegment, isExplained, missedMs }: Drawn, recording: Recording, atMs: number, isFirst: boolean): RecordingInput {
  const segment = isOpenSegment && 'segment' in recording.phase ? recording.phase.segment.number : anySegment
  switch (name) {
    case 'start': return { type: name, atMs, cause: byPolicy, ...(missedMs !== null && isFirst ? { missedSinceMs: atMs - missedMs } : {}) }
    case 'stay-off': return { type: name, atMs }
    case 'silence': case 'lift': return { type: name, atMs, reason, cause: byAgent }
    case 'recorder-started': return { type: name, atMs, segment, requestedAtMs: atMs }
    case 'recorder-failed': return { type: name, atMs, segment, detail: '' }
    case 'not-stored': case 'stop-unproven': case 'stop-again': return { type: name, atMs, segment }
    case 'recorder-stopped': return { type: name, atMs, segment, proof: 'event' }
    case 'recorder-lost': return { type: name, atMs, segment, isExplained }
    case 'end': return { type: name, atMs, reason: 'hangup' }
  }
}

interface Step { before: Recording, input: RecordingInput, result: RecordingTransition }

function run (inputs: Drawn[]): Step[] {
  const steps: Step[] = []
  let recording = newRecording(0)
  let atMs = 10_000
  for (const next of inputs) {
    atMs += next.stepMs
    const input = toInput(next, recording, atMs, steps.length === 0)
    const result = transition(recording, input)
    steps.push({ before: recording, input, result })
    recording = result.recording
  }
  return steps
}

/** Holds for every sequence of inputs, after each of its steps. */
const always = (holds: (step: Step, earlier: Step[]) => void): void =>
  fc.assert(fc.property(sequence, inputs => {
    const steps = run(inputs)
    steps.forEach((step, index) => holds(step, steps.slice(0, index)))
  }), { numRuns: 1000 })

const openSegment = ({ phase }: Recording): number | undefined => 'segment' in phase ? phase.segment.number : undefined
/** A stop without a reason is that of a lost recorder, after which it records on. */
const isSilent = ({ phase: { status }, reasons }: Recording): boolean => status === 'paused' || (status === 'pausing' && reasons.length > 0) || status === 'unconfirmed' || status === 'resuming'

t.test('the draws reach every state', async t => {
  const reached = new Set<string>()
  fc.assert(fc.property(sequence, inputs => { for (const { result } of run(inputs)) reached.add(result.recording.phase.status) }), { numRuns: 1000 })
  t.equal(reached.size, 9)
})

t.test('segment numbers are never used again', async () => always(({ before, result: { recording, effects } }) => {
  for (const effect of effects) {
    if (effect.type !== 'start-recorder') continue
    assert.equal(effect.segment, before.nextSegment)
    assert.equal(recording.nextSegment, before.nextSegment + 1)
  }
  assert.ok(recording.nextSegment >= before.nextSegment)
  const closed = recording.segments.map(({ number }) => number)
  assert.equal(new Set(closed).size, closed.length)
}))

t.test('at most one segment is open, and no closed one opens again', async () => always(({ before, result: { recording } }) => {
  const open = openSegment(recording)
  assert.ok(open === undefined || open < recording.nextSegment)
  assert.ok(!recording.segments.some(({ number }) => number === open))
  assert.deepEqual(recording.segments.slice(0, before.segments.length), before.segments)
}))

t.test('every start is preceded by a reservation', async () => always(({ result: { recording, effects } }) => {
  for (const effect of effects) {
    if (effect.type !== 'start-recorder') continue
    assert.ok(recording.phase.status === 'starting' || recording.phase.status === 'resuming')
    assert.equal(openSegment(recording), effect.segment)
  }
}))

t.test('it records only while nothing silences it', async () => always(({ result: { recording } }) => {
  if (recording.phase.status === 'recording' || recording.phase.status === 'starting') assert.deepEqual(recording.reasons, [])
}))

t.test('the reasons for silence are a set, and each goes only when lifted', async () => always(({ before, input, result: { recording } }) => {
  assert.deepEqual(recording.reasons, [...new Set(recording.reasons)].sort())
  for (const gone of before.reasons.filter(reason => !recording.reasons.includes(reason))) {
    const isLifted = input.type === 'lift' && input.reason === gone
    const isResumed = input.type === 'recorder-started' && before.phase.status === 'resuming' && before.phase.lifting === gone
    const isGivenUp = input.type === 'recorder-failed' && gone === 'policy' && recording.reasons.includes('agent')
    assert.ok(isLifted || isResumed || isGivenUp, `${gone} went by ${input.type}`)
  }
}))

t.test('silence ends only by a lift, never by a recovery', async () => always(({ before, input, result: { recording } }) => {
  if (!isSilent(before) || isSilent(recording) || recording.phase.status === 'ending' || recording.phase.status === 'ended') return
  assert.equal(before.phase.status, 'resuming')
  assert.equal(input.type, 'recorder-started')
}))

t.test('no recorder starts while the stop of another is unproven', async () => always(({ before, input, result: { effects } }) => {
  if (!effects.some(({ type }) => type === 'start-recorder')) return
  const isProof = input.type === 'recorder-stopped' || input.type === 'recorder-failed'
  assert.ok(!['pausing', 'unconfirmed', 'ending'].includes(before.phase.status) || isProof, before.phase.status)
}))

t.test('silence is said only when every recorder of the segment is proven stopped', async () => always(({ before, input, result: { events } }) => {
  if (!events.some(({ type }) => type === 'recording.paused') || openSegment(before) === undefined) return
  assert.ok(['pausing', 'unconfirmed'].includes(before.phase.status), before.phase.status)
  assert.ok(input.type === 'recorder-stopped' || input.type === 'recorder-failed', input.type)
}))

t.test('a stop is asked for whenever a recorder may run that should not', async () => always(({ before, result: { recording, effects } }) => {
  const wasWanted = ['starting', 'resuming', 'recording'].includes(before.phase.status)
  const isUnwanted = ['pausing', 'unconfirmed', 'ending'].includes(recording.phase.status)
  if (wasWanted && isUnwanted) assert.ok(effects.some(effect => effect.type === 'stop-recorder' && effect.segment === openSegment(recording)))
}))

t.test('a paused recording always shows the gap it is in', async () => always(({ result: { recording } }) => {
  if (recording.phase.status === 'paused' || recording.phase.status === 'resuming') assert.equal(recording.gaps.at(-1)?.endedAtMs, null)
  if (recording.phase.status === 'recording' || recording.phase.status === 'ended') assert.notEqual(recording.gaps.at(-1)?.endedAtMs, null)
}))

t.test('gaps never overlap, and only the last is open', async () => always(({ result: { recording: { gaps } } }) => {
  gaps.forEach(({ startedAtMs, endedAtMs }, index) => {
    assert.ok(endedAtMs === null ? index === gaps.length - 1 : startedAtMs <= endedAtMs)
    const next = gaps[index + 1]
    if (next) assert.ok(endedAtMs !== null && endedAtMs <= next.startedAtMs)
  })
}))

t.test('each segment is opened before it is closed, and closed once', async () => always(({ before, result: { recording, events } }) => {
  const closedNow = events.flatMap(event => event.type === 'segment.closed' ? [event.segment.number] : [])
  assert.deepEqual(closedNow, recording.segments.slice(before.segments.length).map(({ number }) => number))
  for (const event of events) if (event.type === 'segment.opened') assert.equal(openSegment(before), event.segment)
  for (const { openedAtMs, closedAtMs } of recording.segments) assert.ok(openedAtMs <= closedAtMs)
}))

t.test('it ends once, and then nothing reaches it', async () => always(({ before, result }, earlier) => {
  const ends = [...earlier.flatMap(step => step.result.events), ...result.events].filter(({ type }) => type === 'recording.ended')
  assert.ok(ends.length <= 1)
  if (before.phase.status !== 'ended') return
  assert.equal(result.recording, before)
  assert.deepEqual(result.effects, [])
  assert.notEqual(result.ignored, undefined)
}))

import t from 'tap'
import { transition } from '../../src/domain/recording-machine.ts'
import { byAgent, inputFor, inputNames, outcomeOf, paths, phaseNames, play, recordingOf, table, variants } from '../support/recording-table.ts'
import { readPage, renderStates } from '../support/state-diagram.ts'

t.test('the table has an outcome for every pair of state and input', async t => {
  t.same(Object.keys(table).sort(), [...phaseNames].sort())
  for (const phase of phaseNames) {
    t.equal(play(paths[phase]).phase.status, phase, `the path to ${phase} leads there`)
    t.same(Object.keys(table[phase]).sort(), [...inputNames].sort(), phase)
  }
})

for (const phase of phaseNames) {
  t.test(`in ${phase}, every input does what the table says`, async t => {
    const recording = play(paths[phase])
    for (const input of inputNames) {
      t.same(outcomeOf(transition(recording, inputFor(input, recording))), table[phase][input], `${phase}: ${input}`)
    }
  })
}

for (const variant of variants) {
  t.test(`in ${variant.phase}, when ${variant.when}, ${variant.input.type} does what the table says`, async t => {
    const recording = recordingOf(variant)
    t.equal(recording.phase.status, variant.phase)
    t.same(outcomeOf(transition(recording, variant.input)), variant.outcome)
  })
}

t.test('what is ignored changes nothing', async t => {
  for (const phase of phaseNames) {
    const recording = play(paths[phase])
    for (const input of inputNames) {
      const { recording: after, events, ignored } = transition(recording, inputFor(input, recording))
      if (ignored === undefined) continue
      t.equal(after, recording, `${phase}: ${input}`)
      t.same(events, [])
    }
  }
})

t.test('the machine never changes the recording it is given', async t => {
  for (const phase of phaseNames) {
    const recording = play(paths[phase])
    const before = structuredClone(recording)
    for (const input of inputNames) transition(recording, inputFor(input, recording))
    t.same(recording, before, phase)
  }
})

t.test('a start that keeps failing is given up after five recorders, and what is missing is in the timeline', async t => {
  let recording = play(paths.starting)
  for (const segment of [1, 2, 3, 4, 5]) recording = transition(recording, { type: 'recorder-failed', atMs: 1000 + segment * 100, segment, detail: '' }).recording
  t.equal(recording.phase.status, 'off')
  t.same(recording.segments.map(({ number, isUncertain }) => [number, isUncertain]), [1, 2, 3, 4, 5].map(number => [number, true]))
  t.match(recording.gaps, [{ startedAtMs: 1100, endedAtMs: null, reasons: ['lost'] }])
  t.same(recording.faults, ['recorder-failed'])
})

t.test('a start that had to wait shows its loss in the timeline', async t => {
  const late = play([...paths.starting, { type: 'recorder-started', atMs: 9000, segment: 1, requestedAtMs: 8990 }])
  t.match(late.gaps, [{ startedAtMs: 1000, endedAtMs: 9000, reasons: ['lost'] }])
  t.same(late.faults, ['started-late'])
})

t.test('a call seen late has the time before in its timeline', async t => {
  const recording = play([{ type: 'start', atMs: 5000, cause: { commandId: null, by: { kind: 'policy', agentId: null, credentialId: null } }, missedSinceMs: 1000 }, { type: 'recorder-started', atMs: 5010, segment: 1, requestedAtMs: 5001 }])
  t.match(recording.gaps, [{ startedAtMs: 1000, endedAtMs: 5010, reasons: ['lost'] }])
})

t.test('a pause leaves a gap from its proof to the proof of the next start, with who asked', async t => {
  const recording = play([...paths.resuming, { type: 'recorder-started', atMs: 3200, segment: 2, requestedAtMs: 3150 }])
  t.match(recording.gaps, [{ startedAtMs: 2010, endedAtMs: 3200, reasons: ['agent'], by: [{ kind: 'agent' }] }])
})

t.test('an unproven start leaves the recording silent until somebody lifts it', async t => {
  const recording = play([...paths.starting, { type: 'stop-unproven', atMs: 2000, segment: 1 }, { type: 'recorder-stopped', atMs: 3000, segment: 1, proof: 'deleted' }])
  t.equal(recording.phase.status, 'paused')
  t.same(recording.reasons, ['agent'])
})

t.test('the documented states are those of the table (else: run test/support/state-diagram.ts)', async t => {
  t.equal(await readPage(), renderStates())
})

t.test('a recorder that was never proven to run is missing from the moment it was asked for', async t => {
  const starting = play(paths.starting)
  const { phase } = starting
  if (phase.status !== 'starting') return t.fail('not starting')
  const atMs = phase.segment.requestedAtMs + 5000
  const recording = play([{ type: 'recorder-lost', atMs, segment: 1, isExplained: true }, { type: 'recorder-stopped', atMs, segment: 1, proof: 'absent' }], starting)
  t.match(recording.gaps, [{ startedAtMs: phase.segment.requestedAtMs, reasons: ['lost'] }])
})

t.test('a track that goes on after the other vanished ends with its stop: till then nothing is called paused', async t => {
  const lost = transition(play(paths.recording), { type: 'recorder-lost', atMs: 5000, segment: 1, isExplained: false })
  t.match(lost, { recording: { phase: { status: 'pausing' }, reasons: ['agent'], faults: ['recorder-lost'], segments: [] } })
  const { recording } = transition(lost.recording, { type: 'recorder-stopped', atMs: 5020, segment: 1, proof: 'absent' })
  t.match(recording.segments, [{ number: 1, closedBy: 'lost', closedAtMs: 5020, proof: 'absent' }])
  t.match(recording.gaps, [{ startedAtMs: 5020, reasons: ['lost'], by: [{ kind: 'recovery' }] }])
})

t.test('a call that ends while a loss is being settled still says that its segment was lost', async t => {
  const recording = play([...paths.recording, { type: 'recorder-lost', atMs: 4000, segment: 1, isExplained: false }, { type: 'end', atMs: 4001, reason: 'hangup' }, { type: 'recorder-stopped', atMs: 4002, segment: 1, proof: 'absent' }])
  t.match(recording, { phase: { status: 'ended' }, segments: [{ closedBy: 'lost' }], faults: ['recorder-lost'] })
})

t.test('somebody who pauses while a loss is being settled has paused it', async t => {
  const recording = play([...paths.recording, { type: 'recorder-lost', atMs: 4000, segment: 1, isExplained: true }, { type: 'silence', atMs: 4001, reason: 'agent', cause: byAgent }, { type: 'recorder-stopped', atMs: 4002, segment: 1, proof: 'absent' }])
  t.match(recording, { phase: { status: 'paused' }, reasons: ['agent'], gaps: [{ reasons: ['lost', 'agent'], by: [{ kind: 'recovery' }, { kind: 'agent' }] }] })
})

import t from 'tap'
import type { RecorderState } from '@tacet/ari'
import type { Phase, PhaseName, RecordingInput } from '../../src/domain/recording.ts'
import { transition } from '../../src/domain/recording-machine.ts'
import { missedInputs } from '../../src/usecases/reconcile.ts'
import type { PauseIntent } from '../../src/usecases/ports.ts'
import { byAgent, byPolicy, paths, play } from '../support/recording-table.ts'

type Open = Extract<Phase, { segment: unknown }>
const openPhases = ['starting', 'starting by an agent', 'recording', 'pausing', 'resuming', 'unconfirmed', 'ending'] as const
const founds: RecorderState[] = ['absent', 'created', 'recording', 'stopped']

const recordingIn = (name: typeof openPhases[number]) => name === 'starting by an agent'
  ? play([{ type: 'lift', atMs: 1000, reason: 'agent', cause: byAgent }])
  : play(paths[name])
const intent: PauseIntent = { callId: 'c', revision: 3, attempt: { action: 'pause', cause: byAgent, askedBy: 'agent', requestedAtMs: 4000, address: null, detail: {} } }

function inputsFor (name: typeof openPhases[number], found: RecorderState, hasIntent: boolean): RecordingInput[] {
  return missedInputs(recordingIn(name).phase as Open, { state: found, commandId: found === 'stopped' ? 'stopped-by' : null }, hasIntent ? intent : undefined, 5000, () => 'new')
}

const describe = (inputs: RecordingInput[]): string => inputs.map(input => {
  switch (input.type) {
    case 'recorder-lost': return `lost, ${input.isExplained ? 'explained' : 'unexplained'}`
    case 'silence': return `silence by ${input.cause.by.kind}${input.cause.commandId === 'stopped-by' ? ', as the recorder says' : ''}`
    default: return input.type
  }
}).join() || 'nothing'

/** What is fed to the machine, by state and by what the PBX shows; then the same when a pause had been asked for. */
const table: Record<typeof openPhases[number], Record<RecorderState, [string, string]>> = {
  starting: {
    absent: ['lost, explained', 'silence by agent'],
    created: ['lost, explained', 'silence by agent'],
    recording: ['recorder-started', 'silence by agent'],
    stopped: ['silence by recovery, as the recorder says', 'silence by agent'],
  },
  'starting by an agent': {
    absent: ['silence by recovery', 'silence by agent'],
    created: ['silence by recovery', 'silence by agent'],
    recording: ['silence by recovery', 'silence by agent'],
    stopped: ['silence by recovery, as the recorder says', 'silence by agent'],
  },
  recording: {
    absent: ['lost, unexplained', 'silence by agent'],
    created: ['lost, unexplained', 'silence by agent'],
    recording: ['nothing', 'silence by agent'],
    stopped: ['silence by recovery, as the recorder says', 'silence by agent'],
  },
  resuming: {
    absent: ['silence by recovery', 'silence by agent'],
    created: ['silence by recovery', 'silence by agent'],
    recording: ['silence by recovery', 'silence by agent'],
    stopped: ['silence by recovery, as the recorder says', 'silence by agent'],
  },
  pausing: { absent: ['stop-again', 'stop-again'], created: ['stop-again', 'stop-again'], recording: ['stop-again', 'stop-again'], stopped: ['stop-again', 'stop-again'] },
  unconfirmed: { absent: ['stop-again', 'stop-again'], created: ['stop-again', 'stop-again'], recording: ['stop-again', 'stop-again'], stopped: ['stop-again', 'stop-again'] },
  ending: { absent: ['stop-again', 'stop-again'], created: ['stop-again', 'stop-again'], recording: ['stop-again', 'stop-again'], stopped: ['stop-again', 'stop-again'] },
}

for (const name of openPhases) {
  t.test(`what was missed in ${name} is fed to the machine as the table says`, async t => {
    for (const found of founds) {
      t.same([describe(inputsFor(name, found, false)), describe(inputsFor(name, found, true))], table[name][found], found)
    }
  })
}

t.test('no recovery lifts a pause, and after none a paused call records', async t => {
  const silent: PhaseName[] = ['pausing', 'paused', 'resuming', 'unconfirmed', 'ending', 'ended']
  for (const name of openPhases) {
    for (const found of founds) {
      for (const hasIntent of [false, true]) {
        const before = recordingIn(name)
        let recording = before
        for (const input of inputsFor(name, found, hasIntent)) {
          t.notOk(input.type === 'lift')
          recording = transition(recording, input).recording
        }
        const mayRecord = name === 'recording' || name === 'starting'
        if (hasIntent || found === 'stopped' || !mayRecord) t.ok(silent.includes(recording.phase.status), `${name}, ${found}: ${recording.phase.status}`)
        t.ok(before.reasons.every(reason => recording.reasons.includes(reason)))
      }
    }
  }
})

t.test('a pause intent keeps its kind: only a supervisor lifts what a supervisor had asked for', async t => {
  const supervisors = { ...intent, attempt: { ...intent.attempt, cause: { ...byAgent, by: { ...byAgent.by, kind: 'supervisor' as const } } } }
  const phase = play(paths.recording).phase as Open
  t.match(missedInputs(phase, { state: 'recording', commandId: null }, supervisors, 5000, () => 'new'), [{ type: 'silence', reason: 'supervisor' }])
})

t.test('a start by the rules that was never stored as begun goes on under a new number, once nothing is left of the old one', async t => {
  const lost = transition(play([{ type: 'start', atMs: 1, cause: byPolicy }]), inputsFor('starting', 'absent', false)[0]!)
  t.match(lost.effects, [{ type: 'stop-recorder', segment: 1 }])
  const { recording, effects } = transition(lost.recording, { type: 'recorder-stopped', atMs: 2, segment: 1, proof: 'absent' })
  t.match(effects, [{ type: 'discard-recorder', segment: 1 }, { type: 'start-recorder', segment: 2, cause: byPolicy }])
  t.equal(recording.phase.status, 'starting')
})

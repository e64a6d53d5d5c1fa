import { newRecording, type Cause, type PhaseName, type Recording, type RecordingInput, type RecordingTransition } from '../../src/domain/recording.ts'
import { transition } from '../../src/domain/recording-machine.ts'

export type InputName = RecordingInput['type']

const everyPhase: Record<PhaseName, true> = { off: true, starting: true, recording: true, pausing: true, paused: true, resuming: true, unconfirmed: true, ending: true, ended: true }
const everyInput: Record<InputName, true> = {
  start: true,
  'stay-off': true,
  silence: true,
  lift: true,
  'recorder-started': true,
  'recorder-failed': true,
  'not-stored': true,
  'recorder-stopped': true,
  'stop-unproven': true,
  'stop-again': true,
  'recorder-lost': true,
  end: true,
}
export const phaseNames = Object.keys(everyPhase) as PhaseName[]
export const inputNames = Object.keys(everyInput) as InputName[]

export const byPolicy: Cause = { commandId: null, by: { kind: 'policy', agentId: null, credentialId: null } }
export const byAgent: Cause = { commandId: '01990000-0000-7000-8000-000000000001', by: { kind: 'agent', agentId: 'a0000000-0000-4000-8000-000000001001', credentialId: 'e0000000-0000-4000-8000-000000001001' } }

/** How a recording comes into each phase, from off. */
export const paths: Record<PhaseName, RecordingInput[]> = (() => {
  const off: RecordingInput[] = []
  const starting: RecordingInput[] = [{ type: 'start', atMs: 1000, cause: byPolicy }]
  const recording: RecordingInput[] = [...starting, { type: 'recorder-started', atMs: 1010, segment: 1, requestedAtMs: 1005 }]
  const pausing: RecordingInput[] = [...recording, { type: 'silence', atMs: 2000, reason: 'agent', cause: byAgent }]
  const paused: RecordingInput[] = [...pausing, { type: 'recorder-stopped', atMs: 2010, segment: 1, proof: 'event' }]
  const resuming: RecordingInput[] = [...paused, { type: 'lift', atMs: 3000, reason: 'agent', cause: byAgent }]
  const unconfirmed: RecordingInput[] = [...pausing, { type: 'stop-unproven', atMs: 4000, segment: 1 }]
  const ending: RecordingInput[] = [...recording, { type: 'end', atMs: 4000, reason: 'hangup' }]
  const ended: RecordingInput[] = [...ending, { type: 'recorder-stopped', atMs: 4010, segment: 1, proof: 'absent' }]
  return { off, starting, recording, pausing, paused, resuming, unconfirmed, ending, ended }
})()

export const play = (inputs: RecordingInput[], from: Recording = newRecording(0)): Recording =>
  inputs.reduce((recording, input) => transition(recording, input).recording, from)

/** An input of each kind; what names a segment names the open one, or the last. */
export function inputFor (type: InputName, recording: Recording, atMs = 5000): RecordingInput {
  const segment = 'segment' in recording.phase ? recording.phase.segment.number : 1
  switch (type) {
    case 'start': return { type, atMs, cause: byPolicy }
    case 'stay-off': return { type, atMs }
    case 'silence': case 'lift': return { type, atMs, reason: 'agent', cause: byAgent }
    case 'recorder-started': return { type, atMs, segment, requestedAtMs: atMs - 5 }
    case 'recorder-failed': return { type, atMs, segment, detail: 'no such channel' }
    case 'not-stored': case 'stop-unproven': case 'stop-again': return { type, atMs, segment }
    case 'recorder-stopped': return { type, atMs, segment, proof: 'event' }
    case 'recorder-lost': return { type, atMs, segment, isExplained: false }
    case 'end': return { type, atMs, reason: 'hangup' }
  }
}

/** What an input makes of a phase: where it goes, what is told to others, what is done; or why nothing happens. */
export interface Outcome { to?: PhaseName, says: string[], does: string[], because?: string }

export const to = (phase: PhaseName, says: string[] = [], does: string[] = []): Outcome => ({ to: phase, says, does })
export const ignored = (because: string, does: string[] = []): Outcome => ({ because, says: [], does })

export function outcomeOf ({ recording, events, effects, ignored: because }: RecordingTransition): Outcome {
  const does = effects.map(effect => `${effect.type.replace('-recorder', '')} ${effect.segment}${effect.type === 'stop-recorder' ? ` ${effect.urgency}` : ''}`)
  return because === undefined ? to(recording.phase.status, events.map(({ type }) => type), does) : ignored(because, does)
}

const notOpen = ignored('that segment is not open')
const noStart = ignored('it was started before')
const notOff = ignored('it is not off for the first time')
const noReservation = ignored('no such reservation')
const noStop = ignored('no stop is under way')
const deaf = ignored('the recording has ended')

const stopped = ['segment.closed', 'recording.paused']
const lost = to('pausing', ['recording.missing'], ['stop 1 now'])
const beingStopped = ignored('it is being stopped')
const sealed = ['segment.closed', 'recording.ended']

/** Every pair of phase and input, as the samples above make them. */
export const table: Record<PhaseName, Record<InputName, Outcome>> = {
  off: {
    start: to('starting', [], ['start 1']),
    'stay-off': to('off'),
    silence: ignored('it is off anyway'),
    lift: to('starting', [], ['start 1']),
    'recorder-started': ignored('that segment is not open', ['discard 1']),
    'recorder-failed': notOpen,
    'not-stored': noReservation,
    'recorder-stopped': notOpen,
    'stop-unproven': notOpen,
    'stop-again': notOpen,
    'recorder-lost': notOpen,
    end: to('ended'),
  },
  starting: {
    start: noStart,
    'stay-off': notOff,
    silence: to('pausing', [], ['stop 1 now']),
    lift: ignored('nothing to lift while starting'),
    'recorder-started': to('recording', ['segment.opened', 'recording.started']),
    'recorder-failed': to('starting', ['segment.closed'], ['start 2']),
    'not-stored': to('off'),
    'recorder-stopped': lost,
    'stop-unproven': to('unconfirmed', ['recording.unconfirmed'], ['stop 1 again']),
    'stop-again': noStop,
    'recorder-lost': lost,
    end: to('ending', [], ['stop 1 seal']),
  },
  recording: {
    start: noStart,
    'stay-off': notOff,
    silence: to('pausing', [], ['stop 1 now']),
    lift: ignored('nothing to lift while recording'),
    'recorder-started': ignored('it was known to be open'),
    'recorder-failed': lost,
    'not-stored': noReservation,
    'recorder-stopped': lost,
    'stop-unproven': noStop,
    'stop-again': noStop,
    'recorder-lost': lost,
    end: to('ending', [], ['stop 1 seal']),
  },
  pausing: {
    start: noStart,
    'stay-off': notOff,
    silence: ignored('a pause is under way'),
    lift: ignored('nothing to lift while pausing'),
    'recorder-started': ignored('it was known to be open'),
    'recorder-failed': to('paused', stopped, ['discard 1']),
    'not-stored': noReservation,
    'recorder-stopped': to('paused', stopped, ['discard 1']),
    'stop-unproven': to('unconfirmed', ['recording.unconfirmed'], ['stop 1 again']),
    'stop-again': ignored('stopping again', ['stop 1 now']),
    'recorder-lost': beingStopped,
    end: to('ending', [], ['stop 1 seal']),
  },
  paused: {
    start: noStart,
    'stay-off': notOff,
    silence: ignored('it is paused for that reason'),
    lift: to('resuming', [], ['start 2']),
    'recorder-started': ignored('that segment is not open', ['discard 1']),
    'recorder-failed': notOpen,
    'not-stored': noReservation,
    'recorder-stopped': notOpen,
    'stop-unproven': notOpen,
    'stop-again': notOpen,
    'recorder-lost': notOpen,
    end: to('ended', ['recording.ended']),
  },
  resuming: {
    start: noStart,
    'stay-off': notOff,
    silence: to('pausing', [], ['stop 2 now']),
    lift: ignored('nothing to lift while resuming'),
    'recorder-started': to('recording', ['segment.opened', 'recording.resumed']),
    'recorder-failed': to('paused', ['segment.closed']),
    'not-stored': to('paused'),
    'recorder-stopped': to('pausing', [], ['stop 2 now']),
    'stop-unproven': to('unconfirmed', ['recording.unconfirmed'], ['stop 2 again']),
    'stop-again': noStop,
    'recorder-lost': to('pausing', [], ['stop 2 now']),
    end: to('ending', [], ['stop 2 seal']),
  },
  unconfirmed: {
    start: noStart,
    'stay-off': notOff,
    silence: ignored('a pause is under way'),
    lift: ignored('nothing to lift while unconfirmed'),
    'recorder-started': ignored('it was known to be open'),
    'recorder-failed': to('paused', stopped, ['discard 1']),
    'not-stored': noReservation,
    'recorder-stopped': to('paused', stopped, ['discard 1']),
    'stop-unproven': ignored('still unproven', ['stop 1 again']),
    'stop-again': ignored('stopping again', ['stop 1 now']),
    'recorder-lost': beingStopped,
    end: to('ending', [], ['stop 1 seal']),
  },
  ending: {
    start: noStart,
    'stay-off': notOff,
    silence: ignored('it is ending'),
    lift: ignored('nothing to lift while ending'),
    'recorder-started': ignored('it was known to be open'),
    'recorder-failed': to('ended', sealed, ['discard 1']),
    'not-stored': noReservation,
    'recorder-stopped': to('ended', sealed, ['discard 1']),
    'stop-unproven': to('ended', sealed),
    'stop-again': ignored('stopping again', ['stop 1 seal']),
    'recorder-lost': beingStopped,
    end: ignored('it is ending'),
  },
  ended: Object.fromEntries(inputNames.map(input => [input, deaf])) as Record<InputName, Outcome>,
}

const replaced: RecordingInput[] = [...paths.recording, { type: 'recorder-lost', atMs: 4000, segment: 1, isExplained: true }]
const lifted: RecordingInput[] = [...paths.recording, { type: 'silence', atMs: 2000, reason: 'policy', cause: byPolicy }, { type: 'recorder-stopped', atMs: 2010, segment: 1, proof: 'event' }, { type: 'lift', atMs: 3000, reason: 'policy', cause: byPolicy }]
const failing = (...segments: number[]): RecordingInput[] => segments.map(segment => ({ type: 'recorder-failed', atMs: 4000, segment, detail: '' }))

export interface Variant { phase: PhaseName, when: string, before?: RecordingInput[], input: RecordingInput, outcome: Outcome }

/** Where it depends on more than phase and input. */
export const variants: Variant[] = [
  { phase: 'off', when: 'a supervisor silences it', input: { type: 'silence', atMs: 5000, reason: 'supervisor', cause: byAgent }, outcome: to('off', ['recording.reasons-changed']) },
  { phase: 'off', when: 'the rules want it, but somebody silenced it', before: [{ type: 'silence', atMs: 4000, reason: 'supervisor', cause: byAgent }], input: { type: 'start', atMs: 5000, cause: byPolicy }, outcome: to('paused', ['recording.paused']) },
  { phase: 'off', when: 'an agent would start what a supervisor silenced', before: [{ type: 'silence', atMs: 4000, reason: 'supervisor', cause: byAgent }], input: { type: 'lift', atMs: 5000, reason: 'agent', cause: byAgent }, outcome: ignored('it is not silent for that reason') },
  { phase: 'off', when: 'the rules lift their own silence', before: [{ type: 'silence', atMs: 4000, reason: 'policy', cause: byPolicy }], input: { type: 'lift', atMs: 5000, reason: 'policy', cause: byPolicy }, outcome: to('off', ['recording.reasons-changed']) },
  { phase: 'off', when: 'it had stayed off before', before: [{ type: 'stay-off', atMs: 4000 }], input: { type: 'stay-off', atMs: 5000 }, outcome: notOff },
  { phase: 'off', when: 'a start had been tried', before: [...paths.starting, { type: 'not-stored', atMs: 4000, segment: 1 }], input: { type: 'end', atMs: 5000, reason: 'hangup' }, outcome: to('ended', ['recording.ended']) },
  { phase: 'starting', when: 'it is the last attempt', before: failing(1, 2, 3, 4), input: { type: 'recorder-failed', atMs: 5000, segment: 5, detail: '' }, outcome: to('off', ['segment.closed', 'recording.missing']) },
  { phase: 'starting', when: 'the leg was replaced', input: { type: 'recorder-lost', atMs: 5000, segment: 1, isExplained: true }, outcome: to('pausing', [], ['stop 1 now']) },
  { phase: 'recording', when: 'the leg was replaced', input: { type: 'recorder-lost', atMs: 5000, segment: 1, isExplained: true }, outcome: to('pausing', [], ['stop 1 now']) },
  { phase: 'recording', when: 'it is about an older segment', input: { type: 'recorder-stopped', atMs: 5000, segment: 7, proof: 'event' }, outcome: notOpen },
  { phase: 'recording', when: 'an older recorder turns out to run', input: { type: 'recorder-started', atMs: 5000, segment: 7, requestedAtMs: 4000 }, outcome: ignored('that segment is not open', ['discard 7']) },
  { phase: 'pausing', when: 'the leg was replaced, and all that was left is stopped', before: replaced, input: { type: 'recorder-stopped', atMs: 5000, segment: 1, proof: 'absent' }, outcome: to('starting', ['segment.closed'], ['discard 1', 'start 2']) },
  { phase: 'pausing', when: 'the leg was replaced, and then somebody paused', before: [...replaced, { type: 'silence', atMs: 4500, reason: 'agent', cause: byAgent }], input: { type: 'recorder-stopped', atMs: 5000, segment: 1, proof: 'absent' }, outcome: to('paused', stopped, ['discard 1']) },
  { phase: 'pausing', when: 'the leg was replaced, and what is left can not be stopped', before: replaced, input: { type: 'stop-unproven', atMs: 5000, segment: 1 }, outcome: to('unconfirmed', ['recording.unconfirmed'], ['stop 1 again']) },
  { phase: 'pausing', when: 'a recorder vanished, and all that was left is stopped', before: [...paths.recording, { type: 'recorder-lost', atMs: 4000, segment: 1, isExplained: false }], input: { type: 'recorder-stopped', atMs: 5000, segment: 1, proof: 'absent' }, outcome: to('paused', stopped, ['discard 1']) },
  { phase: 'pausing', when: 'another reason comes', input: { type: 'silence', atMs: 5000, reason: 'supervisor', cause: byAgent }, outcome: to('pausing') },
  { phase: 'pausing', when: 'it pre-empted a start whose proof comes now', before: [...paths.resuming, { type: 'silence', atMs: 4000, reason: 'agent', cause: byAgent }], input: { type: 'recorder-started', atMs: 5000, segment: 2, requestedAtMs: 4990 }, outcome: to('pausing') },
  { phase: 'paused', when: 'another reason comes', input: { type: 'silence', atMs: 5000, reason: 'supervisor', cause: byAgent }, outcome: to('paused', ['recording.reasons-changed']) },
  { phase: 'paused', when: 'another reason holds', before: [{ type: 'silence', atMs: 4000, reason: 'supervisor', cause: byAgent }], input: { type: 'lift', atMs: 5000, reason: 'agent', cause: byAgent }, outcome: to('paused', ['recording.reasons-changed']) },
  { phase: 'paused', when: 'somebody else would lift it', input: { type: 'lift', atMs: 5000, reason: 'supervisor', cause: byAgent }, outcome: ignored('it is not silent for that reason') },
  { phase: 'starting', when: 'an agent asked for it', before: [{ type: 'lift', atMs: 3000, reason: 'agent', cause: byAgent }], input: { type: 'recorder-failed', atMs: 5000, segment: 1, detail: '' }, outcome: to('off', ['segment.closed', 'recording.missing']) },
  { phase: 'resuming', when: 'the leg was replaced', input: { type: 'recorder-lost', atMs: 5000, segment: 2, isExplained: true }, outcome: to('pausing', [], ['stop 2 now']) },
  { phase: 'resuming', when: 'the rules lift their own silence', before: lifted, input: { type: 'recorder-failed', atMs: 5000, segment: 2, detail: '' }, outcome: to('resuming', ['segment.closed'], ['start 3']) },
  { phase: 'resuming', when: 'the rules lift their own silence, and it is the last attempt', before: [...lifted, ...failing(2, 3, 4, 5)], input: { type: 'recorder-failed', atMs: 5000, segment: 6, detail: '' }, outcome: to('paused', ['segment.closed', 'recording.reasons-changed', 'recording.missing']) },
]

/** The recording of a variant: its own path, where it says one that does not start in the phase. */
export function recordingOf ({ phase, before = [] }: Pick<Variant, 'phase' | 'before'>): Recording {
  const isWholePath = before[0] !== undefined && (before[0] === paths.starting[0] || (phase === 'starting' && before[0].type === 'lift'))
  return play(before, isWholePath ? undefined : play(paths[phase]))
}

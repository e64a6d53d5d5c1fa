import { decodeMulaw, encodeMulaw } from '@tacet/audio'
import type { AudioSource, SentPacket } from '@tacet/test-kit'
import { createSearch } from './correlate.ts'
import type { Search } from './correlate.ts'

const samplesPerPacket = 160
const samplesPerMs = 8
/** Measured: Asterisk adds µ-law parties exactly. The line's hiss alone is a hundred times as loud. */
const toleratedError = 2
/** A little below that of the hiss. */
const hissPower = 125 ** 2
const stepSamples = 40
/** Fewer may fit by chance. */
const fewestSamples = 8
/** How far ahead the recording is compared to find out what was sent; the short ones find scraps. */
const windows = [4000, 800, 240, 120]

/** A party's phone: every packet it sent, in order, as the PBX hears it. */
export type Voice = { name: string, packets: SentPacket[], samples: Int16Array, search: Search }

/** Samples of the recording from `from` to `to` hold the voice's samples from `from + lag` on. */
export type Run = { voice: Voice, from: number, to: number, lag: number }

/** What a recording is made of: all of it is either in a run or in `unexplained`. */
export type Account = { runs: Run[], unexplained: Array<{ from: number, to: number }> }

export function voiceOf (name: string, packets: SentPacket[], sources: AudioSource[]): Voice {
  const samples = new Int16Array(packets.length * samplesPerPacket)
  const byName = new Map(sources.map((source) => [source.name, source]))
  for (const [index, { source, firstSample }] of packets.entries()) {
    const audio = byName.get(source)?.read(firstSample, samplesPerPacket) ?? new Int16Array(samplesPerPacket)
    samples.set(decodeMulaw(encodeMulaw(audio)), index * samplesPerPacket)
  }
  return { name, packets, samples, search: createSearch(samples, { longestWindow: windows[0]!, minPower: hissPower }) }
}

/** How loud a sample of the recording is, compared with what was sent: a recording is faded at its joins. */
export type Gains = (at: number) => number

/**
 * Accounts for every sample of a recording (8 kHz, mono) by what the voices sent and when.
 * A PBX adds the parties sample by sample, and everything they sent is known, so the difference is nothing, or something that is not accounted for.
 */
export function account (recording: Int16Array, voices: Voice[], gains: Gains = () => 1): Account {
  const runs: Run[] = []
  const unexplained: Account['unexplained'] = []
  let lags = new Map<Voice, number>()
  let before = ''
  for (let at = 0; at < recording.length;) {
    const present = explain(recording, at, voices, lags, gains)
    const isLongEnough = present && (present.to - at >= fewestSamples || present.to === recording.length || namesOf(present) === before)
    if (present && isLongEnough) {
      const from = at
      for (const voice of present.voices) extend(runs, { voice, from, to: present.to, lag: lags.get(voice)! })
      before = namesOf(present)
      at = present.to
      if (at - from >= stepSamples || at >= recording.length) continue
    }

    const found = realign(recording, at, voices, gains)
    if (found) {
      lags = new Map([...lags, ...found])
    } else {
      const to = Math.min(recording.length, at + stepSamples)
      const last = unexplained.at(-1)
      if (last?.to === at) last.to = to
      else unexplained.push({ from: at, to })
      at = to
    }
  }
  return { runs, unexplained }
}

type Present = { voices: Voice[], from: number, to: number }

const namesOf = ({ voices }: Present): string => voices.map(({ name }) => name).join()

/** Which of the voices, at their lags, make the next step of the recording, or as much of it as they do make. */
function explain (recording: Int16Array, from: number, voices: Voice[], lags: Map<Voice, number>, gains: Gains): Present | undefined {
  let best: Present | undefined
  for (const combination of combinations(voices.filter((voice) => lags.has(voice)))) {
    const to = from + explainedSamples(recording, from, combination, lags, gains)
    if (to > (best?.to ?? from)) best = { voices: combination, from, to }
    if (best && best.to - from >= stepSamples) break
  }
  return best
}

/** All of them, each alone, none. */
function * combinations (voices: Voice[]): Generator<Voice[]> {
  yield voices
  if (voices.length > 1) for (const voice of voices) yield [voice]
  if (voices.length > 0) yield []
}

function explainedSamples (recording: Int16Array, from: number, voices: Voice[], lags: Map<Voice, number>, gains: Gains): number {
  const end = Math.min(from + stepSamples, recording.length)
  let at = from
  while (at < end && Math.abs(recording[at]! - gains(at) * saturated(voices.reduce((sum, voice) => sum + (voice.samples[at + lags.get(voice)!] ?? 0), 0))) <= toleratedError) at++
  return at - from
}

/** Finds the lags at which the voices make the recording from `from` on: the loudest first, the others in what is left. */
function realign (recording: Int16Array, from: number, voices: Voice[], gains: Gains): Map<Voice, number> | undefined {
  for (const length of windows) {
    const rest = Float64Array.from({ length }, (_, i) => recording[from + i] ?? 0)
    const lags = new Map<Voice, number>()
    while (lags.size < voices.length) {
      const candidates = voices.filter((voice) => !lags.has(voice)).map((voice) => ({ voice, ...voice.search(rest) }))
      const { voice, index } = candidates.reduce((a, b) => b.correlation > a.correlation ? b : a)
      lags.set(voice, index - from)
      for (let i = 0; i < length; i++) rest[i] = rest[i]! - gains(from + i) * (voice.samples[index + i] ?? 0)
    }
    const present = explain(recording, from, voices, lags, gains)
    // Only the lags that were needed: whoever is not in there has been "found" somewhere by chance.
    if (present && present.to - from >= Math.min(stepSamples, recording.length - from)) return new Map([...lags].filter(([voice]) => present.voices.includes(voice)))
  }
  return undefined
}

function extend (runs: Run[], run: Run): void {
  if (run.to === run.from) return
  const last = runs.findLast(({ voice }) => voice === run.voice)
  if (last && last.to === run.from && last.lag === run.lag) last.to = run.to
  else runs.push(run)
}

const saturated = (sample: number): number => Math.max(-32768, Math.min(32767, sample))

type Selected = (packet: SentPacket) => boolean

/** Milliseconds of the recording that hold audio from the selected packets of a voice. */
export function presentMs ({ runs }: Account, voice: Voice, selected: Selected): number {
  let samples = 0
  for (const run of runs) {
    if (run.voice !== voice) continue
    for (let at = run.from + run.lag; at < run.to + run.lag;) {
      const end = Math.min(run.to + run.lag, (Math.floor(at / samplesPerPacket) + 1) * samplesPerPacket)
      const packet = voice.packets[Math.floor(at / samplesPerPacket)]
      if (packet && selected(packet)) samples += end - at
      at = end
    }
  }
  return samples / samplesPerMs
}

/** Milliseconds of audio in the selected packets of a voice. */
export const sentMs = (voice: Voice, selected: Selected): number =>
  voice.packets.filter(selected).length * samplesPerPacket / samplesPerMs

export const unexplainedMs = ({ unexplained }: Account): number =>
  unexplained.reduce((sum, { from, to }) => sum + to - from, 0) / samplesPerMs

import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, totalmem } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { preflight, runUntilStopped, showProgress, startStack, supervise } from '@tacet/stack'
import { measureFsync } from './disk.ts'
import { chooseInspectorPort } from './heap.ts'
import type { Bench, LiveBench, Row } from './row.ts'
import { assembly } from './rows/assembly.ts'
import { events } from './rows/events.ts'
import { load } from './rows/load.ts'
import { pause } from './rows/pause.ts'
import { stitch } from './rows/stitch.ts'
import { together } from './rows/together.ts'
import { tableOf, type Line } from './table.ts'

/** assembly comes last: what it leaves to be measured a minute later would be in the way of the others. */
const allRows: Row[] = [pause, together, events, load, assembly]
/** A part of `assembly` that needs no stack. */
const parts: Row[] = [stitch]
const named = [...allRows, ...parts]
const { values: { quick }, positionals } = parseArgs({ allowPositionals: true, options: { quick: { type: 'boolean', default: false } } })
const unknown = positionals.filter(name => !named.some(row => row.name === name))
if (unknown.length > 0) throw new Error(`there is no ${unknown.join(', ')}; there are ${named.map(({ name }) => name).join(', ')}`)
const rows = positionals.length === 0 ? allRows : named.filter(({ name }) => positionals.includes(name))

const localDir = fileURLToPath(new URL('../.local', import.meta.url))
const dataDir = join(localDir, 'bench')
const notes = [
  'Calls: the test kit\'s phones over real SIP and RTP, in a process of their own on the same machine; the customer talks, the agent listens.',
  'Pause, one call: a new call after every twenty pauses; every recorder, the bare one too, runs for 200 ms before it is stopped.',
  'fsync: 4 KiB on the same disk, right before each row. ✓ and ✗: whether the goal was met in this run.',
  'Bare ARI: until the same proof on which Tacet answers; both delete the recorder later.',
  'An answer with durable: false, or any other than 200, misses the goal. "Most" and "worst" are of all rounds.',
  'Stitching: page cache to page cache; what a tool takes to start is taken off.',
  'Assembly: a real call is hung up, and as soon as a Kafka consumer has its recording.ended, that of a prepared hour is published, whose outcome must be complete, to the sample. That way through Kafka counts, the assembly of the real call goes on beside it, and cat, sha256sum and fsync begin with their programs\' start.',
]

process.env.RATE_LIMIT_PER_MINUTE ??= '10000000'

/** Measures and prints; whether a goal is met does not change how it ends. */
await runUntilStopped(async own => {
  const progress = showProgress()
  const supervisor = own(supervise(dataDir, { isFresh: true }))
  await preflight(progress, supervisor.signal, ['sox'])
  const dir = join(dataDir, 'work')
  const times = (count: number) => quick ? Math.max(2, Math.ceil(count / 20)) : count
  const live = rows.some(({ needsStack }) => needsStack) ? await startLive() : undefined
  const machine = describeMachine()

  async function startLive (): Promise<Omit<LiveBench, keyof Bench>> {
    const inspectorPort = await chooseInspectorPort()
    const stack = await startStack(supervisor, progress, join(dataDir, 'stack.json'))
    const agentToken = stack.agents[0]?.apiToken
    if (agentToken === undefined || stack.spoolDir === null) throw new Error('the figures need the demo\'s agent and a shared spool')
    return { stack, agentToken, inspectorPort, supervisor }
  }

  const lines: Line[] = []
  for (const row of rows) {
    mkdirSync(dir, { recursive: true })
    const fsync = await measureFsync(dir)
    const figures = await progress.step(row.name, async say => {
      const bench: Bench = { dir, times, say }
      return await Promise.race([supervisor.died, row.needsStack ? row.run({ ...bench, ...live! }) : row.run(bench)])
    })
    lines.push(...figures.map(figure => ({ ...figure, row: row.name, fsync })))
    rmSync(dir, { recursive: true })
  }

  writeFileSync(join(localDir, 'bench.json'), JSON.stringify({ measuredAt: new Date().toISOString(), isQuick: quick, machine, loadAfter: loadavg(), lines }, null, 2))
  progress.line(`\n${tableOf(lines)}\n\n${describe(machine)}\n\n${notes.map(note => `- ${note}\n`).join('')}`)
})

interface Machine { cpu: string, cores: number, memoryGiB: number, node: string, load: number[] }

function describeMachine (): Machine {
  return { cpu: cpus()[0]?.model.trim() ?? '', cores: cpus().length, memoryGiB: Math.round(totalmem() / 2 ** 30), node: process.version, load: loadavg() }
}

function describe ({ cpu, cores, memoryGiB, node, load }: Machine): string {
  return `Machine: ${cores} × ${cpu}, ${memoryGiB} GiB, Node ${node}; load ${load[0]?.toFixed(1)} when it began. ${quick ? 'A quick run: too few repetitions to believe.' : ''}`.trim()
}

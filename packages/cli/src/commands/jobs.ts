import type { Command } from 'commander'
import type { GetContext } from '../program.ts'

interface JobOptions { state?: string, kind?: string, recording?: string }

export function addJobCommands (program: Command, getContext: GetContext): void {
  const jobs = program.command('jobs').description('what recording-assembly has still to do, and what it gave up')
    .option('-s, --state <state>', 'waiting, running or parked').option('-k, --kind <kind>', 'e.g. assemble or encode').option('-r, --recording <id>')
    .action(async ({ state, kind, recording }: JobOptions) => {
      const context = getContext()
      const given = Object.entries({ state, kind, recordingId: recording }).filter((pair): pair is [string, string] => pair[1] !== undefined)
      context.show(await context.assembly.list(`/v1/jobs?${new URLSearchParams(given)}`), ['jobId', 'kind', 'item', 'state', 'progress', 'attempts', 'runAt', 'recordingId', 'lastError'])
    })
  jobs.command('rerun').description('let a parked job begin anew').argument('<jobId>').action(async (jobId: string) => {
    const context = getContext()
    context.show(await context.assembly.call(`/v1/jobs/${encodeURIComponent(jobId)}/run`, { method: 'POST' }))
  })
}

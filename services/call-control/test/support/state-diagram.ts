import { readFile, writeFile } from 'node:fs/promises'
import { inputNames, phaseNames, table, variants, type Outcome } from './recording-table.ts'

const page = new URL('../../../../docs/call-control-states.md', import.meta.url)

/** The page on the recorder's states, as the table of its tests has them. */
export function renderStates (): string {
  return `# The states of a recording

Generated from the table in \`services/call-control/test/support/recording-table.ts\`, which the tests hold against the state machine
(\`services/call-control/src/domain/recording-machine.ts\`). To rewrite it: \`node --conditions=@tacet/source services/call-control/test/support/state-diagram.ts\`.

\`\`\`mermaid
stateDiagram-v2
  [*] --> off
${edges().map(edge => `  ${edge}`).join('\n')}
  ended --> [*]
\`\`\`

\`starting\`, \`pausing\`, \`resuming\` and \`ending\` wait for a proof from Asterisk. To the outside, \`ending\` is \`ended\`.

${phaseNames.map(section).join('\n\n')}

## Where more than state and input decides
| state | input | when | becomes | says | does |
|---|---|---|---|---|---|
${variants.map(({ phase, input, when, outcome }) => `| ${phase} | ${input.type} | ${when} | ${cells(outcome)} |`).join('\n')}
`
}

function edges (): string[] {
  const byEdge = new Map<string, Set<string>>()
  const add = (from: string, to: string | undefined, input: string) => {
    if (to === undefined || to === from) return
    const edge = `${from} --> ${to}`
    byEdge.set(edge, (byEdge.get(edge) ?? new Set()).add(input))
  }
  for (const phase of phaseNames) for (const input of inputNames) add(phase, table[phase][input].to, input)
  for (const { phase, input, outcome } of variants) add(phase, outcome.to, input.type)
  return Array.from(byEdge, ([edge, inputs]) => `${edge}: ${[...inputs].join(', ')}`)
}

function section (phase: (typeof phaseNames)[number]): string {
  return `## ${phase}
| input | becomes | says | does |
|---|---|---|---|
${inputNames.map(input => `| ${input} | ${cells(table[phase][input])} |`).join('\n')}`
}

const cells = ({ to, says, does, because }: Outcome): string =>
  [because === undefined ? `**${to}**` : `ignored: ${because}`, says.join(', '), does.join(', ')].join(' | ')

export const readPage = async (): Promise<string> => await readFile(page, 'utf8')

if (import.meta.main) await writeFile(page, renderStates())

import { directions, type Agent, type Direction, type PhoneNumber } from '@tacet/contracts'

export type CsvRow = Record<string, string>

const recordingColumns: Record<Direction, string> = { inbound: 'recordingInbound', outbound: 'recordingOutbound', internal: 'recordingInternal' }
const ruleColumns = [...Object.values(recordingColumns), 'agentInitiatedPause']
export const numberColumns = ['numberId', 'number', 'label', ...ruleColumns]
export const agentColumns = ['agentId', 'name', 'email', 'endpoints', ...ruleColumns]

const ruleCells = ({ recording, agentInitiatedPause }: Pick<Agent, 'recording' | 'agentInitiatedPause'>): CsvRow =>
  ({ ...Object.fromEntries(directions.map(direction => [recordingColumns[direction], recording[direction]])), agentInitiatedPause })

/** A spreadsheet would take a leading =, +, - or @ for a formula; the apostrophe says that it is text. */
const asText = (text: string): string => /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
const fromText = (text: string): string => /^'[=+\-@\t\r]/.test(text) ? text.slice(1) : text

export const numberCells = ({ numberId, number, label, ...rules }: PhoneNumber): CsvRow => ({ numberId, number: asText(number), label: asText(label), ...ruleCells(rules) })
export const agentCells = ({ agentId, name, email = '', endpoints, ...rules }: Agent): CsvRow =>
  ({ agentId, name: asText(name), email: asText(email), endpoints: endpoints.join(' '), ...ruleCells(rules) })

/** What a row says, by the names of the API. A column that is absent or empty says nothing. */
function said (row: CsvRow): Record<string, string> {
  return Object.fromEntries(Object.entries(row).map(([column, text]) => [column, fromText(text.trim())]).filter(([, text]) => text !== ''))
}

function rulesOf (cells: Record<string, string>) {
  const recording = Object.fromEntries(directions.map(direction => [direction, cells[recordingColumns[direction]] ?? 'inherit']))
  return { recording, ...(cells['agentInitiatedPause'] === undefined ? {} : { agentInitiatedPause: cells['agentInitiatedPause'] }) }
}

/** The fields as a request would send them, still to be checked, and the id if the row names one. */
export function numberOfRow (row: CsvRow): { id: string | undefined, fields: Record<string, unknown> } {
  const { numberId, number, label, ...cells } = said(row)
  return { id: numberId, fields: { number, label, ...rulesOf(cells) } }
}

export function agentOfRow (row: CsvRow): { id: string | undefined, fields: Record<string, unknown> } {
  const { agentId, name, email, endpoints, ...cells } = said(row)
  return { id: agentId, fields: { name, email, endpoints: endpoints?.split(/[\s;,]+/).filter(part => part !== '') ?? [], ...rulesOf(cells) } }
}

const columnOfField: Record<string, string> = Object.fromEntries(directions.map(direction => [`recording.${direction}`, recordingColumns[direction]]))

/** The column in which a field of the API stands. */
export const columnOf = (field: string): string => columnOfField[field] ?? field.split('.')[0] ?? field

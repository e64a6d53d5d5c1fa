import { directions, type Agent, type Direction, type PhoneNumber } from '@tacet/contracts'

export type CsvRow = Record<string, string>

const recordingColumns: Record<Direction, string> = { inbound: 'recordingInbound', outbound: 'recordingOutbound', internal: 'recordingInternal' }
const ruleColumns = [...Object.values(recordingColumns), 'agentInitiatedPause']
export const numberColumns = ['numberId', 'number', 'label', ...ruleColumns]
export const agentColumns = ['agentId', 'name', 'email', 'endpoints', 'roles', ...ruleColumns]

const ruleCells = ({ recording, agentInitiatedPause }: Pick<Agent, 'recording' | 'agentInitiatedPause'>): CsvRow =>
  ({ ...Object.fromEntries(directions.map(direction => [recordingColumns[direction], recording[direction]])), agentInitiatedPause })

/**
 * By these a spreadsheet takes a cell for a formula, also in their full-width forms. One that separates by semicolons
 * begins a cell after each of them, wherever our quotes are.
 */
const formula = '[=+\\-@\\t\\r＝＋－＠]'
const formulaAnywhere = new RegExp(`(^|;)( *)('*${formula})`, 'gu')
const escapedAnywhere = new RegExp(`(^|;)( *)'('*${formula})`, 'gu')

/** The apostrophe says to a spreadsheet that it is text. `fromText` takes away exactly what `asText` put there. */
export const asText = (text: string): string => text.replaceAll(formulaAnywhere, "$1$2'$3")
export const fromText = (text: string): string => text.replaceAll(escapedAnywhere, '$1$2$3')

export const numberCells = ({ numberId, number, label, ...rules }: PhoneNumber): CsvRow => ({ numberId, number: asText(number), label: asText(label), ...ruleCells(rules) })
export const agentCells = ({ agentId, name, email = '', endpoints, roles, ...rules }: Agent): CsvRow =>
  ({ agentId, name: asText(name), email: asText(email), endpoints: endpoints.join(' '), roles: roles.join(' '), ...ruleCells(rules) })

/** What a row says, by the names of the API. A column that is absent or empty says nothing. */
function said (row: CsvRow): Record<string, string> {
  return Object.fromEntries(Object.entries(row).map(([column, text]) => [column, fromText(text.trim())]).filter(([, text]) => text !== ''))
}

function rulesOf (cells: Record<string, string>): Record<string, unknown> {
  const recording = directions.map(direction => [direction, cells[recordingColumns[direction]]]).filter(([, value]) => value !== undefined)
  return { ...(recording.length > 0 && { recording: Object.fromEntries(recording) }), agentInitiatedPause: cells['agentInitiatedPause'] }
}

const listOf = (text: string | undefined): string[] | undefined => text?.split(/[\s;,]+/).filter(part => part !== '')
const given = (fields: Record<string, unknown>): Record<string, unknown> => Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))

/** What a row says, as a JSON Merge Patch of the fields still to be checked, and the id if it names one. */
export interface RowSays {
  id: string | undefined
  patch: Record<string, unknown>
}

export function numberOfRow (row: CsvRow): RowSays {
  const { numberId, number, label, ...cells } = said(row)
  return { id: numberId, patch: given({ number, label, ...rulesOf(cells) }) }
}

export function agentOfRow (row: CsvRow): RowSays {
  const { agentId, name, email, endpoints, roles, ...cells } = said(row)
  return { id: agentId, patch: given({ name, email, endpoints: listOf(endpoints), roles: listOf(roles), ...rulesOf(cells) }) }
}

const columnOfField: Record<string, string> = Object.fromEntries(directions.map(direction => [`recording.${direction}`, recordingColumns[direction]]))

/** The column in which a field of the API stands. */
export const columnOf = (field: string): string => columnOfField[field] ?? field.split('.')[0] ?? field

import { anna, ben } from './rules.ts'

/** What a scenario's call must look like in the end. */
export interface ExpectedCall {
  /** The first linkedid; the call's id is made from it. */
  linkedId: string
  direction: 'inbound' | 'outbound' | 'internal'
  number: string | null
  customer: string | null
  /** Who joined, in order. */
  agents: string[]
  /** The one leg that was recorded; null when nothing was. */
  recorded: string | null
  reason: 'hangup' | 'transfer'
  /** Call ids that were found to be this call, by their linkedid. */
  aliases?: string[]
  transfer?: { kind: 'blind' | 'attended', by: string | null, to: string | null }
}

const [did, caller, outside] = ['+442071838750', '+447700900123', '+447700900999']
const inbound = (linkedId: string, call: Partial<ExpectedCall> = {}): ExpectedCall =>
  ({ linkedId, direction: 'inbound', number: did, customer: caller, agents: [anna], recorded: 'PJSIP/trunk', reason: 'hangup', ...call })
const outbound = (linkedId: string, call: Partial<ExpectedCall> = {}): ExpectedCall => inbound(linkedId, { direction: 'outbound', customer: outside, ...call })
const internal = (linkedId: string, call: Partial<ExpectedCall> = {}): ExpectedCall =>
  inbound(linkedId, { direction: 'internal', number: null, customer: null, agents: [anna, ben], recorded: 'PJSIP/1001', ...call })
const unanswered: Partial<ExpectedCall> = { agents: [], recorded: null }
/** Ended by a transfer, as transfers do unless the company says otherwise. */
const cut = (kind: 'blind' | 'attended', to: string, call: Partial<ExpectedCall> = {}): Partial<ExpectedCall> =>
  ({ reason: 'transfer', transfer: { kind, by: anna, to }, ...call })

/** By scenario: the calls, oldest first, when transfers stop the recording. */
export const expectedCalls: Record<string, ExpectedCall[]> = {
  'inbound-agent-hangs-up': [inbound('1795419347.6')],
  'inbound-caller-hangs-up': [inbound('1795419346.4')],
  'inbound-caller-gives-up': [inbound('1795419347.8', unanswered)],
  'inbound-rejected': [inbound('1795419348.10', unanswered)],
  'inbound-customer-hold': [inbound('1795419349.14')],
  'inbound-hold': [inbound('1795419348.12')],
  'inbound-dtmf': [inbound('1795419350.16')],
  'inbound-ivr-first': [inbound('1795419352.18', { number: '+442071838756' })],
  'inbound-ring-group': [inbound('1795419352.20', { number: '+442071838755', agents: [ben] })],
  pickup: [inbound('1795419447.91', { agents: [ben] })],
  queue: [inbound('1795419369.43', { number: '+442071838751' })],
  'queue-caller-gives-up': [inbound('1795419369.46', { number: '+442071838751', ...unanswered })],
  'queue-local-members': [inbound('1795419370.49', { number: '+442071838757' })],
  'local-optimised': [inbound('1795419371.53', { number: '+442071838752' })],
  'local-not-optimised': [inbound('1795419372.57', { number: '+442071838753' })],
  outbound: [outbound('1795419353.23')],
  'outbound-callee-hangs-up': [outbound('1795419354.25')],
  'outbound-busy': [outbound('1795419354.27', unanswered)],
  internal: [internal('1795419354.29')],
  'blind-transfer-to-agent': [inbound('1795419355.31', cut('blind', '1002', { agents: [anna, ben] }))],
  'blind-transfer-by-customer-leg': [outbound('1795419368.40', cut('blind', '1002', { agents: [anna, ben] }))],
  'blind-transfer-to-outside': [inbound('1795419356.34', cut('blind', '+447700900777'))],
  'blind-transfer-unanswered': [inbound('1795419434.80', cut('blind', '1002'))],
  'attended-transfer': [
    inbound('1795419374.61', cut('attended', '1002', { agents: [anna, ben], aliases: ['1795419374.63'] })),
    internal('1795419374.63', { reason: 'transfer' }),
  ],
  'attended-transfer-while-ringing': [
    inbound('1795419445.83', cut('attended', '1002', { agents: [anna, ben], aliases: ['1795419445.85'] })),
    internal('1795419445.85', { ...unanswered, reason: 'transfer' }),
  ],
  'attended-transfer-to-outside': [
    inbound('1795419375.65', cut('attended', '+447700900777', { aliases: ['1795419375.67'] })),
    outbound('1795419375.67', { customer: '+447700900777', reason: 'transfer' }),
  ],
  'consultation-abandoned': [inbound('1795419446.87'), internal('1795419446.89')],
}

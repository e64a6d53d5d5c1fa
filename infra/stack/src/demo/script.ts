export type Speaker = 'agent' | 'customer'

/** One utterance of the demo call. `name` is what the checks and the report call it. */
export type Line = { name: string, by: Speaker, text: string }

/** What is said, in the order of the call; `secret` while the recording is paused. The card number is a test number of Visa's. */
export const script = {
  before: [
    { name: 'greeting', by: 'agent', text: 'Example Limited, Anna speaking. How can I help you?' },
    { name: 'request', by: 'customer', text: 'Hello. I would like to pay my invoice by card.' },
    { name: 'announcement', by: 'agent', text: 'Certainly. I am stopping the recording. Now your card number, please.' },
  ],
  secret: [
    { name: 'card number', by: 'customer', text: 'Four five three nine. One four eight eight. Zero three four three. Six four six seven.' },
    { name: 'confirmation', by: 'agent', text: 'Thank you, I have got it.' },
  ],
  after: [
    { name: 'receipt', by: 'agent', text: 'We are recording again. Your invoice is paid.' },
    { name: 'thanks', by: 'customer', text: 'Wonderful, thank you. Goodbye.' },
    { name: 'goodbye', by: 'agent', text: 'Goodbye.' },
  ],
} as const satisfies Record<string, readonly Line[]>

export const lines: readonly Line[] = [...script.before, ...script.secret, ...script.after]

/** For a call that lasts: said over and over. */
export const chat: readonly Line[] = [
  { name: 'chat 1', by: 'agent', text: 'The next train to Brighton leaves at nine forty.' },
  { name: 'chat 2', by: 'customer', text: 'And is there one a little later?' },
  { name: 'chat 3', by: 'agent', text: 'At ten fifteen, from platform two.' },
  { name: 'chat 4', by: 'customer', text: 'That suits me better. When does the last one come back?' },
]

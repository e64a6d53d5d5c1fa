// The people of the benchmark, in a process of their own: customers who talk and agents who listen, each call over SIP and RTP.
import { createPhone, eventually, type AudioSource, type Call, type Phone } from '@tacet/test-kit'
import type { CallersRequest, CallersAnswer } from './calls.ts'

const packets = 500
const noise = Int16Array.from({ length: 160 * packets }, (_, n) => (Math.imul(n, 0x9e3779b1) >> 20))
const babble: AudioSource = { name: 'babble', read: (from, count) => noise.subarray(from % noise.length, from % noise.length + count) }
const calls: { out: Call, in: Call }[] = []
const phones: Phone[] = []

async function handle (request: CallersRequest): Promise<CallersAnswer> {
  switch (request.do) {
    case 'register':
      for (const account of request.accounts) {
        const phone = await createPhone({ sip: request.sip, account })
        phones.push(phone)
        await phone.register()
      }
      return { sipCallIds: [] }
    case 'call': {
      const [outside, desk] = phones as [Phone, Phone]
      const opened: typeof calls = []
      for (let i = 0; i < request.count; i++) {
        const out = await outside.call(request.number, { audio: babble, callerId: { number: '+447700900123' } })
        const incoming = await desk.waitForCall()
        await incoming.answer()
        // Listens: a phone that sends nothing while its owner is silent.
        incoming.lossRatio = 1
        await out.answered()
        opened.push({ out, in: incoming })
      }
      calls.push(...opened)
      return { sipCallIds: opened.map(call => call.out.sipCallId) }
    }
    case 'hangup': {
      const ended = calls.splice(0)
      await Promise.all(ended.map(async call => await call.out.hangup()))
      await eventually(() => ended.every(call => call.in.state === 'ended'), { timeoutMs: 30_000, message: 'not all calls ended' })
      return { sipCallIds: [] }
    }
  }
}

// Nobody asks what was said.
const forget = setInterval(() => {
  for (const call of calls.flatMap(({ out, in: incoming }) => [out, incoming])) {
    call.sentPackets.length = 0
    call.received.length = 0
  }
}, 1000)

process.on('message', (request: CallersRequest) => {
  void handle(request).catch((error): CallersAnswer => ({ error: String(error) })).then(answer => process.send?.(answer))
})
process.on('disconnect', () => {
  clearInterval(forget)
  void Promise.all(phones.map(phone => phone.close())).finally(() => process.exit())
})

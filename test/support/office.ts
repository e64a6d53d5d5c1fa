import { createPhone, pcmu, type Codec, type Phone } from '@tacet/test-kit'
import type { Owner, Tacet } from './tacet.ts'

/** The demo PBX's numbers, by where they lead. */
export const numbers = { direct: '+442071838750', queue: '+442071838751', local: '+442071838752' }
export const customerNumber = '+447700900123'

/** Registered phones: everybody outside, and one for each agent. Closed with the test. */
export interface Office {
  tacet: Tacet
  outside: Phone
  desks: [Phone, Phone, Phone]
}

/** A phone that only calls: somebody outside whose line speaks another codec than the rest. Closed with the test. */
export async function openLine (t: Owner, { stack: { sip, trunk } }: Tacet, codec: Codec): Promise<Phone> {
  const phone = await createPhone({ sip, account: trunk, codec })
  t.teardown(() => phone.close())
  return phone
}

export async function openOffice (t: Owner, tacet: Tacet, { codec = pcmu }: { codec?: Codec } = {}): Promise<Office> {
  const register = async (account: Phone['account']): Promise<Phone> => {
    const phone = await createPhone({ sip: tacet.stack.sip, account, codec })
    t.teardown(() => phone.close())
    await phone.register()
    return phone
  }
  const [anna, ben, chloe] = tacet.agents
  return {
    tacet,
    outside: await register(tacet.stack.trunk),
    desks: [await register(anna.sip), await register(ben.sip), await register(chloe.sip)],
  }
}

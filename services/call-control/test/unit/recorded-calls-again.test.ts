import t from 'tap'
import type { Lab } from '../support/lab.ts'
import { createMirror, createReplayLab, endState, readEvents, replay, replayEvents, scenarios, show } from '../support/replay.ts'
import { company } from '../support/rules.ts'

const startsOf = ({ driver }: Lab) => driver.calls.filter(({ name }) => name === 'start').length

for (const transfers of ['stop', 'continue'] as const) {
  const rules = { company: company({ transfers }) }
  const concerned = scenarios.filter(scenario => transfers === 'stop' || scenario.includes('transfer'))

  t.test(`every event twice leads to the same calls, where transfers ${transfers}`, async t => {
    for (const scenario of concerned) {
      const once = await replay(scenario, rules)
      const twice = await replayEvents(readEvents(scenario).flatMap(recorded => [recorded, recorded]), rules)
      t.same(endState(twice), endState(once), scenario)
      t.equal(startsOf(twice), startsOf(once), scenario)
    }
  })

  t.test(`looking at the PBX after every event changes nothing, where transfers ${transfers}`, async t => {
    for (const scenario of concerned) {
      const events = readEvents(scenario)
      const lab = createReplayLab(events, rules)
      const mirror = createMirror()
      for (const recorded of events) {
        await show(lab, recorded)
        mirror.see(recorded)
        lab.follower.replace(mirror.snapshot())
        await lab.time.settle()
      }
      await lab.time.advance(5000)
      t.same(endState(lab), endState(await replay(scenario, rules)), scenario)
    }
  })
}

t.test('a scenario that is replayed again after its end adds nothing', async t => {
  for (const scenario of scenarios) {
    const lab = await replay(scenario)
    const before = endState(lab)
    const types = lab.eventTypes()
    for (const recorded of readEvents(scenario)) await show(lab, recorded)
    await lab.time.advance(5000)
    t.same(endState(lab), before, scenario)
    t.same(lab.eventTypes(), types, scenario)
  }
})

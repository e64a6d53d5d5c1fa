import t from 'tap'
import { choose } from './choose.ts'
import { faults } from './faults.ts'

const all = faults({ isLong: false })
const slice = (seed: number, budgetSeconds = 60) => choose(all, { seed, isAll: false, only: undefined, budgetSeconds })
const seeds = Array.from({ length: 400 }, (_, index) => 7919 * index % 1_000_000)

t.test('whatever the seed, a fault of each group is played, and no more than there is time for', async t => {
  const groups = [...new Set(all.map(({ group }) => group))].sort()
  for (const seed of seeds) {
    const played = slice(seed).flat()
    t.same([...new Set(played.map(({ group }) => group))].sort(), groups)
    t.ok(played.reduce((sum, { costs }) => sum + costs, 0) <= 60, `seed ${seed}`)
  }
  t.same([...new Set(slice(1, 0).flat().map(({ group }) => group))].sort(), groups, 'also when there is none')
})

t.test('a seed always names the same faults, and all seeds together each of them', async t => {
  const names = (seed: number) => slice(seed).flat().map(({ name }) => name)
  t.same(names(7), names(7))
  const played = new Set(seeds.flatMap(names))
  t.same(all.filter(({ name }) => !played.has(name)).map(({ name }) => name), [])
})

t.test('what befalls its calls alone has a round to itself', async t => {
  for (const round of choose(all, { seed: 0, isAll: true, only: undefined, budgetSeconds: 0 })) t.ok(round.length === 1 || round.every(({ isAlone }) => !isAlone))
})

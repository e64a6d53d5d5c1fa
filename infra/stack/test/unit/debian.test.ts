import t from 'tap'
import { mirrorOf } from '../../src/system/debian.ts'

t.test('the mirror is the first Debian archive of either format of apt sources', async (t) => {
  t.equal(mirrorOf('deb http://deb.debian.org/debian-security bookworm-security main\ndeb [signed-by=/x.gpg] https://mirror.example/debian/ bookworm main'), 'https://mirror.example/debian')
  t.equal(mirrorOf('Types: deb\n# http://snapshot.debian.org/archive/debian\nURIs: http://apt.example/debian http://other.example/debian\nSuites: trixie'), 'http://apt.example/debian')
})

t.test('other archives are no mirror of Debian', async (t) => {
  t.equal(mirrorOf('deb https://deb.nodesource.com/node_20.x nodistro main\nURIs: http://archive.ubuntu.com/ubuntu'), undefined)
})

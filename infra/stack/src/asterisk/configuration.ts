import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fillIn, writePrivately } from '../system/files.ts'
import { repositoryDir } from '../system/paths.ts'

/** Asterisk calls the lack of one an error. */
const emptyFiles = ['acl.conf', 'ccss.conf', 'manager.conf', 'pjproject.conf', 'queuerules.conf', 'udptl.conf', 'websocket_client.conf']

/** asterisk-conf/, then asterisk-conf/demo/ over it, with the placeholders filled in. */
export function writeConfiguration (etcDir: string, ...[values, lists]: [Record<string, string | number>, Parameters<typeof fillIn>[2]]): void {
  const general = join(repositoryDir, 'asterisk-conf')
  for (const name of emptyFiles) writePrivately(join(etcDir, name), name === 'acl.conf' ? '' : '[general]\n')
  for (const dir of [general, join(general, 'demo')]) {
    for (const name of readdirSync(dir).filter((entry) => entry.endsWith('.conf'))) {
      writePrivately(join(etcDir, name), fillIn(readFileSync(join(dir, name), 'utf8'), values, lists))
    }
  }
}

import { commonConfig, crashConfig, secret, variable, wholeNumber, type ConfigOf } from '@tacet/service-kit'
import { z } from 'zod'

export const callControlConfig = {
  ...commonConfig,
  pbxId: variable('PBX_ID', z.string().regex(/^[A-Za-z0-9._-]{1,64}$/), 'name of the PBX; part of every call id, so never change it'),
  ariUrl: variable('ARI_URL', z.url({ protocol: /^https?$/ }), 'Asterisk\'s HTTP server, e.g. http://127.0.0.1:8088'),
  ariUsername: variable('ARI_USERNAME', z.string().min(1), 'ARI user, as in ari.conf'),
  ariPassword: secret('ARI_PASSWORD', z.string().min(1), 'its password'),
  ariApp: variable('ARI_APP', z.string().regex(/^[A-Za-z0-9_-]{1,40}$/).default('tacet'), 'Stasis application; the same as in extensions_tacet.conf'),
  resumeGuardMs: variable('RESUME_GUARD_MS', wholeNumber(0, 5_000).default(150), 'how long a resume waits, so that speech still under way in the network stays out'),
  stopTimeoutMs: variable('STOP_TIMEOUT_MS', wholeNumber(200, 30_000).default(2_000), 'how long a pause may take to be proven before it is answered as unconfirmed'),
  startTimeoutMs: variable('START_TIMEOUT_MS', wholeNumber(200, 30_000).default(2_000), 'how long a recorder may take to start'),
  commitTimeoutMs: variable('COMMIT_TIMEOUT_MS', wholeNumber(100, 30_000).default(1_000), 'how long a command waits for the database'),
  leaseTtlMs: variable('LEASE_TTL_MS', wholeNumber(2_000, 120_000).default(10_000), 'after this silence of the active instance another one takes over'),
  callRetentionDays: variable('CALL_RETENTION_DAYS', wholeNumber(1, 3_650).default(7), 'how long a call that is over can still be asked about; then it is deleted, once all its events are published'),
  ...crashConfig,
}
export type CallControlConfig = ConfigOf<typeof callControlConfig>

import { z } from 'zod'

const httpService = z.object({ url: z.url(), adminUrl: z.url() })

/** `.local/stack.json`: the address book of a running stack, for scripts, people and tests. It holds secrets. */
export const stackSchema = z.object({
  pbxId: z.string(),
  postgres: z.object({
    /** Superuser. */
    url: z.string(),
    database: z.string(),
    roles: z.object({ settings: z.string(), call_control: z.string(), recording_assembly: z.string() }),
  }),
  kafka: z.object({ brokers: z.array(z.string()).min(1), topicPrefix: z.string() }),
  /** Only for tests. */
  s3: z.object({ endpoint: z.url(), accessKeyId: z.string(), secretAccessKey: z.string() }).optional(),
  ari: z.object({ url: z.url(), username: z.string(), password: z.string(), app: z.string() }),
  sip: z.object({ host: z.string(), port: z.int() }),
  spoolDir: z.string().nullable(),
  trunk: z.object({ username: z.string(), password: z.string(), endpoint: z.string() }),
  agents: z.array(z.object({
    agentId: z.string(),
    name: z.string(),
    endpoint: z.string(),
    extension: z.string(),
    sip: z.object({ username: z.string(), password: z.string() }),
    /** Absent while only the infrastructure runs. */
    apiToken: z.string().optional(),
    deviceToken: z.string().optional(),
  })),
  numbers: z.array(z.object({ e164: z.string(), label: z.string() })),
  settings: httpService.optional(),
  callControl: httpService.optional(),
  assembly: httpService.optional(),
  recordingsDir: z.string().optional(),
  companyId: z.string().optional(),
  /** Of an owner of that company: valid at all three services. */
  adminToken: z.string().optional(),
  /** The operator's, for what is no company's: valid at settings only, which makes a JWT of it for the others. */
  operatorToken: z.string().optional(),
})
export type Stack = z.infer<typeof stackSchema>

import { defineConfig } from 'drizzle-kit'

/** Only tests have tables here: `NODE_OPTIONS=--conditions=@tacet/source drizzle-kit generate --config test/helpers/drizzle.config.ts`. */
export default defineConfig({
  dialect: 'postgresql',
  schema: './test/helpers/schema.ts',
  out: './test/helpers/migrations',
})

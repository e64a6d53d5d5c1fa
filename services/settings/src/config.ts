import { commaList, commonConfig, secret, variable, wholeNumber, type ConfigOf } from '@tacet/service-kit'
import { z } from 'zod'

/** 22 characters of base64url or 32 of hex hold 128 random bits. */
const operatorTokenSchema = z.string().regex(/^[\x21-\x7e]{22,256}$/, 'expected at least 22 printable characters, from at least 128 random bits')

export const settingsConfig = {
  ...commonConfig,
  operatorToken: secret('SETTINGS_OPERATOR_TOKEN', operatorTokenSchema, 'the operator\'s token, who may do everything; made of at least 128 random bits'),
  jwtPrivateKey: secret('SETTINGS_JWT_PRIVATE_KEY', z.string().min(1).optional(), 'P-256 key in PEM (PKCS #8) that signs JWTs; without it each start makes one'),
  jwksOrigins: variable('SETTINGS_JWKS_ORIGINS', commaList().pipe(z.array(z.url({ protocol: /^https?$/ }))).default([]), 'from where the keys of companies\' identity providers may be fetched, e.g. https://login.example.org'),
  jwksRefreshMs: variable('SETTINGS_JWKS_REFRESH_MS', wholeNumber(1_000, 86_400_000).default(600_000), 'how often they are fetched again'),
}
export type SettingsConfig = ConfigOf<typeof settingsConfig>

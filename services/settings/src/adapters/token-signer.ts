import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { ConfigError } from '@tacet/service-kit'
import { publicKeySchema } from '@tacet/contracts'
import { calculateJwkThumbprint, exportJWK, SignJWT } from 'jose'
import type { TokenSigner } from '../usecases/ports.ts'

/** Signs with the given PKCS #8 key, else with one that lives only as long as this process. */
export async function createTokenSigner (privateKeyPem: string | undefined): Promise<TokenSigner> {
  const privateKey = privateKeyPem === undefined ? generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey : readKey(privateKeyPem)
  const jwk = await exportJWK(createPublicKey(privateKey))
  const kid = await calculateJwkThumbprint(jwk)
  return {
    publicKey: publicKeySchema.parse({ ...jwk, kid }),
    sign: async ({ subject, issuer, audience, issuedAt, expiresAt, tokenId }) => await new SignJWT({ jti: tokenId })
      .setProtectedHeader({ alg: 'ES256', kid, typ: 'JWT' }).setSubject(subject).setIssuer(issuer).setAudience(audience)
      .setIssuedAt(issuedAt).setExpirationTime(expiresAt).sign(privateKey),
  }
}

function readKey (pem: string): KeyObject {
  try {
    // Many ways to set a variable turn line breaks into \n.
    const key = createPrivateKey(pem.replaceAll('\\n', '\n'))
    if (key.asymmetricKeyDetails?.namedCurve === 'prime256v1') return key
  } catch { /* named below, without its text */ }
  throw new ConfigError('SETTINGS_JWT_PRIVATE_KEY is no P-256 private key in PEM; make one with: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256')
}

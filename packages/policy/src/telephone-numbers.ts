import { isSupportedCountry, parsePhoneNumberFromString, type CountryCode } from 'libphonenumber-js'

/** Up to this length a number without + is an extension, whatever the country. */
const longestExtension = 6

export const isCountry = (country: string): country is CountryCode => isSupportedCountry(country)

/**
 * The one spelling under which a number is kept: E.164, or an extension as it is. Null: no country has such a number, or
 * nobody said which country's it is.
 */
export function normaliseNumber (number: string, country: string | null): string | null {
  const isInternational = number.startsWith('+')
  if (!isInternational && number.length <= longestExtension) return number
  if (!isInternational && country === null) return null
  const parsed = parsePhoneNumberFromString(number, isInternational || country === null || !isCountry(country) ? {} : { defaultCountry: country })
  return parsed?.isPossible() ? parsed.number : null
}

/** How a trunk's spelling of a number may be kept here: as it is, else as the country's, else as E.164 without its + or with 00. */
export function spellingsOf (number: string, country: string | null): string[] {
  const international = number.replace(/^(00)?/, '+')
  const candidates = [number, normaliseNumber(number, country), number.startsWith('+') || number.length <= longestExtension ? null : normaliseNumber(international, null)]
  return [...new Set(candidates.filter(candidate => candidate !== null))]
}

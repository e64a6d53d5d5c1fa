import { isSupportedCountry, parsePhoneNumberFromString, type CountryCode } from 'libphonenumber-js'

/** Up to this length a number without + is an extension, whatever the country. */
const longestExtension = 6

export const isCountry = (country: string): country is CountryCode => isSupportedCountry(country)

/**
 * The one spelling under which a number is kept: E.164, or an extension as it is. Without a country a number without +
 * stays as it is too. Null: no country has such a number.
 */
export function normaliseNumber (number: string, country: string | null): string | null {
  const isInternational = number.startsWith('+')
  if (!isInternational && (number.length <= longestExtension || country === null)) return number
  const parsed = parsePhoneNumberFromString(number, isInternational || country === null || !isCountry(country) ? {} : { defaultCountry: country })
  return parsed?.isPossible() ? parsed.number : null
}

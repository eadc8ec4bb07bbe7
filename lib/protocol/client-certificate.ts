/** No header that Node takes is longer. */
const MAX_LENGTH = 16_384
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/
const BLANKS = /\s+/g
const BEGIN = '-----BEGIN CERTIFICATE-----'
const END = '-----END CERTIFICATE-----'

/**
 * The certificate (DER) that a proxy writes into a header: a byte sequence as RFC 9440 §2.1 says, or PEM with URL
 * encoding as nginx and Envoy do. Answers `null` for everything else, several certificates included. Says nothing about
 * whether the bytes are a certificate, or who wrote the header.
 */
export function readCertificateHeader (value: string): Buffer | null {
  if (value.length > MAX_LENGTH) return null
  const base64 = value.startsWith(':') ? byteSequence(value) : pemBody(value)
  if (!BASE64.test(base64)) return null
  const bytes = Buffer.from(base64, 'base64')
  return bytes.toString('base64') === base64 ? bytes : null
}

/** RFC 8941 §3.3.5: an item without parameters. */
function byteSequence (value: string): string {
  return value.length > 1 && value.endsWith(':') ? value.slice(1, -1) : ''
}

function pemBody (value: string): string {
  const pem = decoded(value).trim()
  return pem.startsWith(BEGIN) && pem.endsWith(END) ? pem.slice(BEGIN.length, -END.length).replace(BLANKS, '') : ''
}

function decoded (value: string): string {
  try {
    return decodeURIComponent(value)
  } catch {
    return ''
  }
}

import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:http2'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { text } from 'node:stream/consumers'
import { join } from 'node:path'
import { hash, X509Certificate } from 'node:crypto'

/** A key with a certificate that it signed itself. */
export interface MadeCertificate {
  readonly key: string
  readonly cert: string
  readonly der: Buffer
  /** RFC 8705 §3.1. */
  readonly thumbprint: string
}

/** Made anew, good for a day, for `127.0.0.1` or what else it is to say, as `DNS:NAME`. Needs openssl on the path. */
export function makeCertificate (name: string, also: readonly string[] = ['IP:127.0.0.1']): MadeCertificate {
  const directory = mkdtempSync(join(tmpdir(), 'certificate-'))
  try {
    const [key, cert] = ['key.pem', 'cert.pem'].map((file) => join(directory, file)) as [string, string]
    const config = join(directory, 'openssl.cnf')
    const names = also.map((name, index) => name.replace(':', `.${index}=`))
    const sections = ['[req]', 'distinguished_name=dn', '[dn]', '[ext]', 'subjectAltName=@names', '[names]']
    writeFileSync(config, [...sections, ...names].join('\n'))
    execFileSync('openssl', [
      'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1',
      '-subj', `/CN=${name}`, '-config', config, '-extensions', 'ext', '-keyout', key, '-out', cert
    ], { stdio: 'ignore' })
    const pem = readFileSync(cert, 'utf8')
    const der = new X509Certificate(pem).raw
    return { key: readFileSync(key, 'utf8'), cert: pem, der, thumbprint: hash('sha256', der, 'base64url') }
  } finally {
    rmSync(directory, { recursive: true })
  }
}

/** Posts nothing, or `body`, over TLS, and answers the status. `own`: who the client is. */
export async function tlsPost (url: string, headers: Readonly<Record<string, string | string[]>>, how: {
  readonly ca: string, readonly own: MadeCertificate | null, readonly version?: 1 | 2, readonly body?: string
}): Promise<number> {
  const { ca, own, version = 1, body = 'x' } = how
  const identity = own === null ? {} : { key: own.key, cert: own.cert }
  if (version === 2) {
    const session = connect(url, { ca, ...identity })
    const stream = session.request({ ':method': 'POST', ':path': new URL(url).pathname, 'content-type': 'text/x', ...headers })
    stream.end(body)
    const [answered] = await once(stream, 'response')
    session.destroy()
    return Number(answered[':status'])
  }
  const sent = request(url, { method: 'POST', ca, ...identity, agent: false, headers: { 'content-type': 'text/x', ...headers } })
  sent.end(body)
  const [answer] = await once(sent, 'response')
  answer.resume()
  return answer.statusCode
}

/** A `fetch` over TLS, without redirects, by a client that has a certificate. */
export function tlsFetch (ca: string, { key, cert }: MadeCertificate) {
  return async (url: string, { method, headers, body }: {
    readonly method: string, readonly headers: Readonly<Record<string, string>>, readonly body?: unknown
  }): Promise<Response> => {
    const sent = request(url, { method, ca, key, cert, agent: false, headers })
    sent.end(body instanceof URLSearchParams ? body.toString() : body)
    const [answer] = await once(sent, 'response')
    const received = new Headers()
    for (const [name, value] of Object.entries(answer.headers)) received.append(name, String(value))
    return new Response(await text(answer), { status: answer.statusCode, headers: received })
  }
}

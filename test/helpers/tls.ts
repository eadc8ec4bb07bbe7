import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

export interface TestCertificate {
  readonly key: string
  /** Signed by itself: also what a client has to trust. */
  readonly cert: string
}

const run = promisify(execFile)

/** Makes a key and a certificate that is good for these names and for the loopback address. */
export async function makeCertificate (names: readonly string[] = ['localhost']): Promise<TestCertificate> {
  const folder = await mkdtemp(join(tmpdir(), 'mcp-tls-'))
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const subjects = [...names.map((name) => `DNS:${name}`), 'IP:127.0.0.1'].join(',')
  try {
    await run('openssl', [
      'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2',
      '-subj', `/CN=${names[0] ?? 'localhost'}`, '-addext', `subjectAltName=${subjects}`, '-keyout', key, '-out', cert
    ])
    return { key: await readFile(key, 'utf8'), cert: await readFile(cert, 'utf8') }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

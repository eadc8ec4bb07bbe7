import { StoreUnavailableError } from '../stores/errors.js'

export interface JsonSource {
  /** Chosen by the operator: where it leads is not looked at. */
  readonly url: string
  /** How a failure calls it: `the keys of the authorization server`. */
  readonly what: string
  readonly fetch: typeof fetch
  readonly timeoutMs: number
}

export interface JsonRequest {
  readonly method: 'GET' | 'POST'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** 256 KiB: the largest key sets of big providers are a tenth of that. */
const MAX_BYTES = 262_144
const JSON_TYPE = /^application\/(?:[a-z0-9.!#$&^_-]+\+)?json *(?:;|$)/i

/**
 * Asks another server for a JSON document: only status 200 and a JSON type count, redirects are not followed, at most
 * 256 KiB are read, and all of it has to be there within `timeoutMs`.
 * @throws {StoreUnavailableError} for everything else: nothing is known then, so nobody is let in and nobody is told
 * that a token is bad (RS-16). Its message holds nothing of the answer.
 */
export async function fetchJson (source: JsonSource, request: JsonRequest): Promise<unknown> {
  const { url, what, timeoutMs } = source
  try {
    const response = await source.fetch(url, {
      ...request,
      headers: { accept: 'application/json', ...request.headers },
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs)
    })
    return parse(await readText(response))
  } catch (cause) {
    throw new StoreUnavailableError(`${what} cannot be had from ${new URL(url).origin}`, { cause })
  }
}

async function readText (response: Response): Promise<string> {
  const { status, headers, body } = response
  const type = headers.get('content-type') ?? ''
  if (status !== 200 || !JSON_TYPE.test(type) || body === null) {
    await body?.cancel()
    throw new Error(`the answer has the status ${status}, where 200 and JSON are needed`)
  }
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.byteLength
    if (size > MAX_BYTES) throw new Error(`the answer is larger than ${MAX_BYTES} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

function parse (text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // The parser's own message repeats what it could not read.
    throw new Error('the answer is not JSON')
  }
}

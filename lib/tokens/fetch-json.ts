import { SERVER_DOWN, VerifierUnavailableError } from './errors.js'

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

/** What kind of answer counts. */
interface AnswerType {
  readonly accept: string
  /** Whether this is the `Content-Type` of one. */
  readonly fits: (type: string) => boolean
}

const JSON_ANSWER: AnswerType = { accept: 'application/json', fits: (type) => JSON_TYPE.test(type) }

/**
 * Asks another server for a JSON document: only status 200 and a JSON type count, redirects are not followed, at most
 * 256 KiB are read, and all of it has to be there within `timeoutMs`.
 * @throws {VerifierUnavailableError} for everything else: nothing is known then, so nobody is let in and nobody is told
 * that a token is bad (RS-16). Its message holds nothing of the answer.
 */
export async function fetchJson (source: JsonSource, request: JsonRequest): Promise<unknown> {
  return await ask(source, { request, type: JSON_ANSWER, read: parse })
}

/**
 * The same for text of exactly this media type.
 * @throws {VerifierUnavailableError}
 */
export async function fetchText (source: JsonSource, request: JsonRequest, accept: string): Promise<string> {
  const fits = (type: string): boolean => type.replace(/ *;.*/, '').toLowerCase() === accept
  return await ask(source, { request, type: { accept, fits }, read: (text) => text })
}

async function ask<T> (
  { url, what, timeoutMs, fetch }: JsonSource,
  { request, type, read }: { request: JsonRequest, type: AnswerType, read: (text: string) => T }
): Promise<T> {
  try {
    const response = await fetch(url, {
      ...request,
      headers: { accept: type.accept, ...request.headers },
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs)
    })
    return read(await readText(response, type))
  } catch (cause) {
    throw new VerifierUnavailableError(SERVER_DOWN, `${what} cannot be had from ${new URL(url).origin}`, { cause })
  }
}

async function readText (response: Response, { accept, fits }: AnswerType): Promise<string> {
  const { status, headers, body } = response
  const type = headers.get('content-type') ?? ''
  if (status !== 200 || !fits(type) || body === null) {
    await body?.cancel()
    throw new Error(`the answer has the status ${status}, where 200 and ${accept} are needed`)
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

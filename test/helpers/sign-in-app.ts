import { setTimeout as wait } from 'node:timers/promises'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { createAccounts } from '../../lib/identity/accounts.js'
import { createPasswords } from '../../lib/identity/passwords.js'
import { auditHook } from '../../lib/plugins/audit-hook.js'
import { pkceStore } from '../../lib/plugins/pkce-store.js'
import { signIn } from '../../lib/plugins/sign-in/index.js'
import { memoryStore } from '../../lib/stores/memory.js'
import type { AuditEvent } from '../../types/audit.js'
import type { SignInOptions } from '../../types/options.js'
import type { RecordStore } from '../../types/stores.js'
import type { Teardown } from './build-app.js'
import { stoppedClock, type StoppedClock } from './clock.js'
import { versions } from './fastify-versions.js'
import { fieldsOf } from './markup.js'

export const ISSUER = 'https://as.example'
export const NAME = 'ada'
export const PASSWORD = 'a few unrelated words'

const SECRET = 'a-secret-of-thirty-two-characters-or-more'

export interface SignInApp {
  readonly app: FastifyInstance
  readonly clock: StoppedClock
  readonly events: AuditEvent[]
  readonly records: RecordStore
  addAccount (): Promise<{ readonly subject: string }>
}

/** The built-in sign-in over memory with a stopped clock, and an authorization endpoint that answers who is there. */
export async function signInApp (t: Teardown, input: {
  readonly options?: Partial<SignInOptions>
  readonly store?: RecordStore
  readonly version?: string
  readonly tenant?: string
} = {}): Promise<SignInApp> {
  const { options = {}, store: records = memoryStore(), version = 'newest', tenant = 'default' } = input
  const app = versions[version]?.(t)
  if (app === undefined) throw new Error(`there is no Fastify ${version}`)
  const clock = stoppedClock()
  const events: AuditEvent[] = []
  // What makes a reply that was not returned go on to the next handler.
  app.addHook('onSend', async () => { await wait(1) })
  await app.register(auditHook, { log: false, clock, sink: (event) => { events.push(event) } })
  await app.register(pkceStore, { store: records, tenant, secrets: [SECRET], clock, pruneInterval: 0 })
  await app.register(signIn, { issuer: ISSUER, ...options })
  const wishOf = ({ url }: FastifyRequest) => {
    const query = new URLSearchParams(url.slice(url.indexOf('?')))
    const loginHint = query.get('hint')
    return { since: Number(query.get('since')), ...(loginHint === null ? {} : { loginHint }) }
  }
  app.get('/authorize', async (request, reply) => {
    const user = await app.mcpSignIn(request, reply, { interactive: true, ...wishOf(request) })
    return user ?? reply
  })
  app.get('/silent', async (request, reply) => {
    return { user: await app.mcpSignIn(request, reply, { interactive: false, ...wishOf(request) }) }
  })
  await app.ready()
  events.length = 0
  const accounts = createAccounts({ records, tenant, passwords: createPasswords() })
  const addAccount = async () => await accounts.add({ name: NAME, password: PASSWORD }, clock())
  return { app, clock, events, records, addAccount }
}

export type Answer = Awaited<ReturnType<FastifyInstance['inject']>>

export type Fields = Readonly<Record<string, string>>

/** A browser that keeps cookies and sends forms, and follows no redirect. */
export interface Visitor {
  readonly cookies: Map<string, string>
  open (url: string): Promise<Answer>
  /** Sends fields as a browser does from a page of ours, unless `headers` say otherwise. */
  post (url: string, fields: Fields, headers?: Fields): Promise<Answer>
  /** Fills in the form of a page. */
  submit (page: Answer, url: string, changes: Fields, headers?: Fields): Promise<Answer>
  /** Signs in from scratch. */
  signIn (changes?: Fields): Promise<Answer>
}

export function visitor (app: FastifyInstance, path = ''): Visitor {
  const cookies = new Map<string, string>()

  async function send (options: { method: 'GET' | 'POST', url: string, headers?: Fields, payload?: string }): Promise<Answer> {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const headers = { ...options.headers, ...(cookie !== '' && { cookie }) }
    const answer = await app.inject({ remoteAddress: '203.0.113.9', ...options, headers })
    for (const { name, value, maxAge } of answer.cookies) {
      if (maxAge === 0) cookies.delete(name)
      else cookies.set(name, value)
    }
    return answer
  }

  const self: Visitor = {
    cookies,
    open: async (url) => await send({ method: 'GET', url }),
    post: async (url, fields, headers = { origin: ISSUER, 'sec-fetch-site': 'same-origin' }) => await send({
      method: 'POST',
      url,
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      payload: new URLSearchParams(fields).toString()
    }),
    submit: async (page, url, changes, headers) =>
      await self.post(url, { ...Object.fromEntries(fieldsOf(page.body)), ...changes }, headers),
    async signIn (changes = {}) {
      const page = await self.open(`${path}/sign-in`)
      return await self.submit(page, `${path}/sign-in`, { name: NAME, password: PASSWORD, ...changes })
    }
  }
  return self
}

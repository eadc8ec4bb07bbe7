import type { FastifyRequest } from 'fastify'
import { consentPage } from '../../lib/pages/consent-page.js'
import { devicePage } from '../../lib/pages/device-page.js'
import { errorPage } from '../../lib/pages/error-page.js'
import { noticePage } from '../../lib/pages/notice-page.js'
import { pageHeaders } from '../../lib/pages/page-headers.js'
import { setUpPage } from '../../lib/pages/set-up-page.js'
import { signInPage } from '../../lib/pages/sign-in-page.js'
import { signedInPage } from '../../lib/pages/signed-in-page.js'
import { buildApp, type Teardown } from './build-app.js'
import {
  consentDevice, consentModel, deviceModel, errorModel, hostileModel, noticeModel, setUpModel, signInModel
} from './page-models.js'

/** Every page that people can meet, by the path under which `servePages` shows it. */
export const pages: ReadonlyMap<string, string> = new Map([
  ['/consent', consentPage({ ...consentModel, action: '/post' })],
  ['/consent-plain', consentPage({ ...consentModel, trust: { by: 'operator' }, loopback: false })],
  ['/consent-hostile', consentPage(hostileModel)],
  ['/consent-device', consentPage({ ...consentModel, loopback: false, redirectHost: '', device: consentDevice })],
  ['/consent-device-elsewhere', consentPage({
    ...consentModel, trust: { by: 'operator' }, loopback: false, device: { ...consentDevice, network: '2001:db8:1:2::', isHere: false }
  })],
  ['/device', devicePage({ ...deviceModel, action: '/post' })],
  ['/device-link', devicePage({ ...deviceModel, userCode: 'WDJB-MJHT' })],
  ['/device-again', devicePage({ ...deviceModel, userCode: 'WDJB-MJHT', error: 'No device is waiting under this code.' })],
  ['/sign-in', signInPage({ ...signInModel, action: '/post' })],
  ['/sign-in-again', signInPage({ ...signInModel, name: 'ada', error: 'The name or the password is not right.' })],
  ['/signed-in', signedInPage({ user: 'ada', signOutAction: '/post', site: 'Notes' })],
  ['/set-up', setUpPage({ ...setUpModel, action: '/post' })],
  ['/set-up-again', setUpPage({ ...setUpModel, name: 'ada', error: 'The two passwords are not the same.' })],
  ['/error', errorPage(errorModel)],
  ['/error-bare', errorPage({ status: 500, title: 'Something went wrong', message: 'Try again later.' })],
  ['/notice', noticePage(noticeModel)]
])

export interface Post {
  readonly fields: Array<[string, string]>
  readonly origin: string | undefined
}

export interface PageServer {
  readonly origin: string
  /** What the forms of the pages sent, in order. */
  readonly posts: Post[]
}

/** Serves the pages with their real headers; a form's answer is a redirect to `location`. */
export async function servePages (t: Teardown, { formActions, location }: {
  readonly formActions: readonly string[]
  readonly location: string
}): Promise<PageServer> {
  const posts: Post[] = []
  const app = buildApp(t)
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, async (_request: FastifyRequest, body: string) => body)
  for (const [path, page] of pages) {
    app.get(path, async (_request, reply) => reply.headers(pageHeaders(formActions)).send(page))
  }
  app.post('/post', async (request, reply) => {
    posts.push({ fields: [...new URLSearchParams(String(request.body))], origin: request.headers.origin })
    return reply.redirect(location, 303)
  })
  return { origin: await app.listen({ port: 0, host: '127.0.0.1' }), posts }
}

export interface ClientSite {
  readonly origin: string
  /** The `Referer` of each request for its callback. */
  readonly referrers: Array<string | undefined>
}

/** Plays a client on an origin of its own. `/callback` says hello, `/hop` goes on to another origin, as some do. */
export async function serveClient (t: Teardown, next = '/callback'): Promise<ClientSite> {
  const referrers: ClientSite['referrers'] = []
  const app = buildApp(t)
  app.get('/', async (_request, reply) => reply.type('text/html').send('<title>Client</title>'))
  app.get('/callback', async (request, reply) => {
    referrers.push(request.headers.referer)
    return reply.type('text/html').send('<title>Back at the client</title>')
  })
  app.get('/hop', async (_request, reply) => reply.redirect(next, 302))
  return { origin: await app.listen({ port: 0, host: '127.0.0.1' }), referrers }
}

/** One form of a page: where it goes and what it holds. */
interface Form {
  readonly action: string
  readonly fields: URLSearchParams
}

export interface Page {
  readonly url: URL
  readonly status: number
  readonly html: string
}

type Changes = Readonly<Record<string, string | readonly string[]>>

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" }

const decode = (text: string): string =>
  text.replace(/&(amp|lt|gt|quot|#39);/g, (_entity, name: string) => ENTITIES[name] ?? '')

const attribute = (tag: string, name: string): string | undefined => {
  const found = new RegExp(`\\s${name}="([^"]*)"`).exec(tag)?.[1]
  return found === undefined ? undefined : decode(found)
}

function formsOf (html: string): Form[] {
  return [...html.matchAll(/<form\b[^>]*>[\s\S]*?<\/form>/g)].map(([form]) => {
    const fields = new URLSearchParams()
    for (const [input] of form.matchAll(/<input\b[^>]*>/g)) {
      const name = attribute(input, 'name')
      if (name === undefined || /\stype="submit"/.test(input)) continue
      if (/\stype="checkbox"/.test(input) && !/\schecked\b/.test(input)) continue
      fields.append(name, attribute(input, 'value') ?? '')
    }
    return { action: attribute(form, 'action') ?? '', fields }
  })
}

/**
 * What a person does in a browser, without one: keeps the cookies of one server, follows its redirects, fills in its
 * forms. It stops at the first redirect that leaves the server: that is the client's.
 */
export class FormBrowser {
  readonly #cookies = new Map<string, string>()

  get cookies (): readonly (readonly [string, string])[] {
    return [...this.#cookies]
  }

  /** Opens a page and follows redirects on the same server. */
  async open (url: URL | string): Promise<Page | URL> {
    return await this.#request(new URL(url), { method: 'GET' })
  }

  /** Sends the form of a page that has the field `marker`; `changes` replaces fields, a list puts several. */
  async submit (page: Page, marker: string, changes: Changes): Promise<Page | URL> {
    const form = formsOf(page.html).find(({ fields }) => fields.has(marker))
    if (form === undefined) throw new Error(`the page at ${page.url.pathname} (status ${page.status}) has no form with ${marker}`)
    for (const [name, value] of Object.entries(changes)) {
      form.fields.delete(name)
      for (const one of typeof value === 'string' ? [value] : value) form.fields.append(name, one)
    }
    return await this.#request(new URL(form.action, page.url), {
      method: 'POST',
      body: form.fields.toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded', origin: page.url.origin }
    })
  }

  async #request (start: URL, first: RequestInit): Promise<Page | URL> {
    let url = start
    let init = first
    for (let hop = 0; hop < 10; hop++) {
      const headers = new Headers(init.headers)
      headers.set('cookie', [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; '))
      const response = await fetch(url, { ...init, headers, redirect: 'manual' })
      this.#keepCookies(response)
      const location = response.headers.get('location')
      if (location === null) return { url, status: response.status, html: await response.text() }
      await response.body?.cancel()
      const next = new URL(location, url)
      if (next.origin !== start.origin) return next
      url = next
      init = { method: 'GET' }
    }
    throw new Error('more than ten redirects')
  }

  #keepCookies (response: Response): void {
    for (const line of response.headers.getSetCookie()) {
      const [pair = '', ...attributes] = line.split(';')
      const at = pair.indexOf('=')
      const isGone = attributes.some((text) => /^\s*max-age=0$/i.test(text))
      if (isGone) this.#cookies.delete(pair.slice(0, at))
      else this.#cookies.set(pair.slice(0, at), pair.slice(at + 1))
    }
  }
}

/** Signs in when asked to, answers the consent page, and answers the redirect to the client. */
export async function signInAndConsent (browser: FormBrowser, authorizationUrl: URL, input: {
  readonly name: string
  readonly password: string
  /** Scopes left ticked; all of them when left out. */
  readonly scopes?: readonly string[]
}): Promise<URL> {
  let page = await browser.open(authorizationUrl)
  if (!(page instanceof URL) && page.html.includes('name="password"')) {
    page = await browser.submit(page, 'password', { name: input.name, password: input.password })
  }
  if (!(page instanceof URL)) {
    page = await browser.submit(page, 'transaction', {
      decision: 'allow', ...(input.scopes === undefined ? {} : { scope: input.scopes })
    })
  }
  if (!(page instanceof URL)) throw new Error(`no redirect to the client: status ${page.status} at ${page.url.pathname}`)
  return page
}

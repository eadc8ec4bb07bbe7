import { html, type Html } from './html.js'

export interface Link {
  readonly href: string
  readonly text: string
}

// Schemes that a browser would run or render as a page of its own, whatever the redirect rules let through (AS-A4).
const SCRIPT_SCHEMES = new Set(['javascript:', 'vbscript:', 'data:', 'blob:', 'file:', 'about:', 'filesystem:', 'view-source:'])

function isHarmless (href: string): boolean {
  if (/^\/(?![/\\])/.test(href)) return true
  return URL.canParse(href) && !SCRIPT_SCHEMES.has(new URL(href).protocol)
}

/** A link that looks like a button; nothing when its URL is neither a path of ours nor an absolute, script-free one. */
export function linkTo (link: Link | undefined): Html | null {
  if (link === undefined || !isHarmless(link.href)) return null
  return html`<p class="actions"><a class="button primary" href="${link.href}">${link.text}</a></p>`
}

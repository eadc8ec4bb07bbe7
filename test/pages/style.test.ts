import { createHash } from 'node:crypto'
import t from 'tap'
import { render } from '../../lib/pages/html.js'
import { styleElement, styleHash } from '../../lib/pages/style.js'

const [, stylesheet = ''] = /^<style>([^]*)<\/style>$/.exec(render(styleElement)) ?? []

t.test('the hash is that of the stylesheet as a parser reads it', async (t) => {
  t.equal(styleHash, `sha256-${createHash('sha256').update(stylesheet).digest('base64')}`)
  t.notMatch(stylesheet, /[\r\0]/)
})

t.test('the stylesheet fetches nothing and cannot end its element', async (t) => {
  t.notMatch(stylesheet, /url\(|@import|<\//)
})

const [light, dark] = [...stylesheet.matchAll(/:root\{([^}]*)\}/g)].map(([, block = '']) =>
  new Map([...block.matchAll(/(--[a-z-]+):(#[0-9a-f]{3,6})/g)].map(([, name = '', colour = '']) => [name, colour])))

t.test('every colour of the light scheme has one for the dark scheme', async (t) => {
  t.ok(light && light.size > 10)
  t.same([...dark?.keys() ?? []], [...light?.keys() ?? []])
})

/** WCAG 2.2, relative luminance. */
function luminanceOf (colour: string): number {
  const digits = colour.length === 4 ? [...colour.slice(1)].map((digit) => digit + digit) : colour.slice(1).match(/../g) ?? []
  const [red = 0, green = 0, blue = 0] = digits.map((pair) => parseInt(pair, 16) / 255)
    .map((share) => share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4)
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

function contrastOf (scheme: Map<string, string> | undefined, front: string, back: string): number {
  const [low = 0, high = 0] = [front, back].map((name) => luminanceOf(scheme?.get(`--${name}`) ?? '#888')).sort((a, b) => a - b)
  return (high + 0.05) / (low + 0.05)
}

// axe cannot measure text over which a label is stretched, so the pairs are measured here.
const TEXT = [
  ['ink', 'sheet'], ['ink', 'tint'], ['ink', 'claim'], ['ink', 'warn'], ['soft', 'sheet'], ['soft', 'tint'],
  ['accent', 'sheet'], ['on-accent', 'accent'], ['on-accent', 'strong'], ['warn-ink', 'warn'], ['bad-ink', 'bad']
] as const
const EDGES = [['edge', 'sheet'], ['accent', 'sheet'], ['accent', 'tint'], ['bad-ink', 'sheet'], ['warn-ink', 'warn']] as const

for (const [scheme, colours] of Object.entries({ light, dark })) {
  t.test(`text and edges stand out enough in the ${scheme} scheme (WCAG AA)`, async (t) => {
    for (const [front, back] of TEXT) t.ok(contrastOf(colours, front, back) >= 4.5, `${front} on ${back}`)
    for (const [front, back] of EDGES) t.ok(contrastOf(colours, front, back) >= 3, `${front} on ${back}`)
  })
}

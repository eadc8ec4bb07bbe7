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

t.test('every colour of the light scheme has one for the dark scheme', async (t) => {
  const [light = '', dark = ''] = [...stylesheet.matchAll(/:root\{([^}]*)\}/g)].map(([, block = '']) => block)
  const namesIn = (block: string) => [...block.matchAll(/--[a-z-]+/g)].map(String)

  t.ok(namesIn(light).length > 10)
  t.same(namesIn(dark), namesIn(light))
})

import t from 'tap'
import { audienceOf } from '../../../lib/plugins/scope-guard/wish.js'

t.test('at the MCP endpoint JSON-RPC is spoken, elsewhere the words of OAuth', async (t) => {
  t.strictSame(audienceOf(true), { rpc: true, id: null })
  t.strictSame(audienceOf(false), { rpc: false })
})

import fc from 'fast-check'
import t from 'tap'
import { isHeaderSuffix, paramsAgree } from '../../lib/protocol/mcp-params.js'

const MIRRORED = { Region: 'region' }

const sent = (value?: string) => ({
  headers: value === undefined ? {} : { 'mcp-param-region': value },
  rawHeaders: value === undefined ? [] : ['Mcp-Param-Region', value]
})
const encode = (text: string): string => `=?base64?${Buffer.from(text).toString('base64')}?=`

const AGREEING: Record<string, [unknown, string | undefined]> = {
  'text as it is': ['us-west1', 'us-west1'],
  'text in Base64': ['Zürich', encode('Zürich')],
  'empty text in Base64': ['', '=?base64??='],
  'empty text': ['', ''],
  'text like a number': ['42', '42'],
  'an integer': [42, '42'],
  'an integer with a point': [42, '42.0'],
  'an integer in Base64': [42, encode('42')],
  'a negative integer': [-7, '-7'],
  'zero below zero': [-0, '0'],
  'a fraction': [0.5, '0.50'],
  'a very small number': [1e-7, '1e-7'],
  'a very large fractionless number that no client sends': [2 ** 60, undefined],
  true: [true, 'true'],
  false: [false, 'false'],
  null: [null, undefined],
  'null, with a header': [null, 'us-west1'],
  'nothing, with a header': [undefined, 'us-west1'],
  'nothing, with a header that is no Base64': [undefined, '=?base64?!?='],
  'an object': [{}, undefined],
  'a list': [['us-west1'], undefined]
}

for (const [name, [argument, value]] of Object.entries(AGREEING)) {
  t.test(`${name} agrees (TR-7)`, async (t) => {
    t.ok(paramsAgree(sent(value), MIRRORED, { region: argument }))
  })
}

const DISAGREEING: Record<string, [unknown, string | undefined]> = {
  'text without its header': ['us-west1', undefined],
  'empty text without its header': ['', undefined],
  'another text': ['us-west1', 'us-east1'],
  'text in other letters': ['us-west1', 'US-WEST1'],
  'text in the wrong Base64': ['us-west1', encode('us-east1')],
  'text in no Base64': ['Hello', '=?base64?SGVsbG8?='],
  'text that is marked and no Base64': ['=?base64?!?=', '=?base64?!?='],
  'text like a number, as another spelling of it': ['42', '42.0'],
  'an integer without its header': [0, undefined],
  'another integer': [42, '43'],
  'an integer in hexadecimal': [42, '0x2a'],
  'an integer with a sign': [42, '+42'],
  'an integer with an exponent': [42, '4.2e1'],
  'an integer with a blank inside': [42, '4 2'],
  'an integer as nothing': [0, ''],
  'an integer of a thousand digits': [1, `1.${'0'.repeat(1000)}`],
  'true without its header': [true, undefined],
  'true as a number': [true, '1'],
  'true in other letters': [true, 'True'],
  'a number that no client sends, with a header': [2 ** 60, String(2 ** 60)],
  'an object with a header': [{}, '[object Object]'],
  'a list with a header': [['us-west1'], 'us-west1']
}

for (const [name, [argument, value]] of Object.entries(DISAGREEING)) {
  t.test(`${name} disagrees (TR-7)`, async (t) => {
    t.notOk(paramsAgree(sent(value), MIRRORED, { region: argument }))
  })
}

t.test('a header that is sent twice disagrees', async (t) => {
  const twice = { headers: { 'mcp-param-region': 'a, b' }, rawHeaders: ['mcp-param-region', 'a', 'Mcp-Param-Region', 'b'] }
  t.notOk(paramsAgree(twice, MIRRORED, { region: 'a, b' }))
})

t.test('all that are mirrored have to agree; what is not mirrored is not looked at', async (t) => {
  const headers = { 'mcp-param-region': 'a', 'mcp-param-tenant': 'b', 'mcp-param-other': '=?base64?!?=' }
  const mirrored = { Region: 'region', TENANT: 'customer' }
  t.ok(paramsAgree({ headers, rawHeaders: [] }, mirrored, { region: 'a', customer: 'b', other: 'c' }))
  t.notOk(paramsAgree({ headers, rawHeaders: [] }, mirrored, { region: 'a', customer: 'c' }))
  t.notOk(paramsAgree({ headers, rawHeaders: [] }, mirrored, { region: 'b', customer: 'b' }))
  t.ok(paramsAgree({ headers: {}, rawHeaders: [] }, {}, { region: 'a' }))
})

t.test('only members of the arguments themselves are arguments', async (t) => {
  for (const args of [undefined, null, 'region', [], {}]) t.ok(paramsAgree(sent(), { X: 'constructor' }, args))
  t.notOk(paramsAgree(sent(), { X: 'constructor' }, JSON.parse('{"constructor":"x"}')))
})

t.test('an argument agrees with its own text and with no other', async () => {
  const primitive = fc.oneof(fc.string(), fc.maxSafeInteger(), fc.boolean())
  fc.assert(fc.property(primitive, primitive, (one, other) => {
    const header = sent(encode(String(one)))
    return paramsAgree(header, MIRRORED, { region: one }) &&
      paramsAgree(header, MIRRORED, { region: other }) === (String(one) === String(other))
  }), { numRuns: 2000 })
})

t.test('a header suffix is a token of at most 100 characters', async (t) => {
  for (const suffix of ['Region', 'x-1', "!#$%&'*+-.^_`|~", 'x'.repeat(100)]) t.ok(isHeaderSuffix(suffix), suffix)
  for (const suffix of ['', 'a b', 'a:b', 'ä', 'a\n', 'x'.repeat(101)]) t.notOk(isHeaderSuffix(suffix), suffix)
})

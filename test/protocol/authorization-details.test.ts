import t from 'tap'
import { narrowDetails, readAuthorizationDetails } from '../../lib/protocol/authorization-details.js'

const any = (): boolean => true
const payment = { type: 'payment', amount: '10.00', to: { iban: 'X' } }

t.test('what is omitted is nothing, what is known is read as it is', async (t) => {
  t.equal(readAuthorizationDetails(undefined, any), undefined)
  t.strictSame(readAuthorizationDetails(JSON.stringify([payment]), any), [payment])
})

const refused: Record<string, string> = {
  'no JSON': '[{',
  'an object': JSON.stringify(payment),
  'an empty list': '[]',
  'twenty-one details': JSON.stringify(Array.from({ length: 21 }, () => payment)),
  'a detail without a type': '[{"amount":1}]',
  'a type that is no text': '[{"type":1}]',
  'a list in the list': '[[]]',
  'null in the list': '[null]',
  'a type that is inherited': '[{"__proto__":{"type":"payment"}}]',
  'more than 8192 characters': JSON.stringify([{ ...payment, text: 'x'.repeat(8192) }])
}

for (const [what, text] of Object.entries(refused)) {
  t.test(`${what} is invalid_authorization_details`, async (t) => {
    t.throws(() => readAuthorizationDetails(text, any), { code: 'invalid_authorization_details' })
  })
}

t.test('one detail that is not known among others is refused', async (t) => {
  t.throws(() => readAuthorizationDetails(JSON.stringify([payment, { type: 'other' }]), ({ type }) => type === 'payment'),
    { code: 'invalid_authorization_details' })
})

t.test('a token carries all details of its grant, or those that are named word by word', async (t) => {
  const granted = [payment, { type: 'account' }]

  t.strictSame(narrowDetails(granted), granted)
  t.strictSame(narrowDetails(undefined), [])
  t.strictSame(narrowDetails(granted, [{ to: { iban: 'X' }, amount: '10.00', type: 'payment' }]), [payment])
  for (const asked of [{ ...payment, amount: '11.00' }, { type: 'payment' }, { ...payment, more: true }]) {
    t.throws(() => narrowDetails(granted, [asked]), { code: 'invalid_authorization_details' })
  }
  t.throws(() => narrowDetails(undefined, [payment]), { code: 'invalid_authorization_details' })
})

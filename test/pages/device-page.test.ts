import t from 'tap'
import { devicePage } from '../../lib/pages/device-page.js'
import { elementsOf, fieldsOf } from '../helpers/markup.js'
import { deviceModel } from '../helpers/page-models.js'

const inputOf = (page: string) => elementsOf(page).find(({ attributes }) => attributes.get('name') === 'user_code')?.attributes

t.test('the form posts what was typed with what the server gave it', async (t) => {
  const page = devicePage(deviceModel)

  t.match(page, '<form method="post" action="/device" autocomplete="off">')
  t.same(fieldsOf(page), [['csrf', 'the-csrf-token'], ['user_code', '']])
  t.ok(inputOf(page)?.has('autofocus'))
})

t.test('a code from a link is filled in, and nothing more (RFC 8628 §5.4)', async (t) => {
  const page = devicePage({ ...deviceModel, userCode: 'WDJB-MJHT' })

  t.equal(inputOf(page)?.get('value'), 'WDJB-MJHT')
  t.match(page, 'Never enter a code that somebody sent you')
})

t.test('a wrong code says so, and is kept to be corrected', async (t) => {
  const page = devicePage({ ...deviceModel, userCode: 'WDJB-MJHT', error: 'No device is waiting.' })

  t.match(page, '<p class="problem" id="problem" role="alert">No device is waiting.</p>')
  t.equal(inputOf(page)?.get('aria-describedby'), 'problem user_code-hint')
})

t.test('who is signed in stands under the page, with a way out where there is one', async (t) => {
  const { signOutAction, ...without } = deviceModel

  t.match(devicePage(deviceModel), `action="${signOutAction}"><button class="quiet" type="submit">Not you?`)
  t.notMatch(devicePage(without), 'Not you?')
})

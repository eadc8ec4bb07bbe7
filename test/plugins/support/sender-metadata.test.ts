import t from 'tap'
import { senderMetadataOf } from '../../../lib/plugins/support/sender-metadata.js'

t.test('where nothing is switched on nothing is said', async (t) => {
  t.strictSame(senderMetadataOf({}), { dpopAlgorithms: [], dpopRequired: false, certificates: false })
})

t.test('RS-7: DPoP is said with its algorithms', async (t) => {
  t.match(senderMetadataOf({ dpop: {} }), { dpopAlgorithms: ['ES256', 'RS256', 'PS256', 'EdDSA'], dpopRequired: false })
  t.match(senderMetadataOf({ dpop: { algorithms: ['PS512'] } }), { dpopAlgorithms: ['PS512'] })
})

t.test('that DPoP is needed is only said when nothing else would do, and for everything', async (t) => {
  const dpop = {}

  t.equal(senderMetadataOf({ dpop, requireSenderConstraint: true }).dpopRequired, true)
  t.equal(senderMetadataOf({ dpop, requireSenderConstraint: { scopes: ['a'] } }).dpopRequired, false)
  const either = senderMetadataOf({ dpop, clientCertificate: {}, requireSenderConstraint: true })
  t.match(either, { dpopRequired: false, certificates: true })
})

t.test('a constraint that no token could meet stops the boot', async (t) => {
  for (const requireSenderConstraint of [true, { scopes: ['a'] }]) {
    t.throws(() => senderMetadataOf({ requireSenderConstraint }), { message: /^requireSenderConstraint needs dpop/ })
  }
})

import t from 'tap'
import { createPasswords, SCRYPT } from '../../lib/identity/passwords.js'

const weak = { cost: 2 ** 4, blockSize: 8, parallelization: 1 }
const password = 'a few unrelated words'

t.test('a password is verified against what was kept of it', async (t) => {
  const passwords = createPasswords({ parameters: weak })
  const kept = await passwords.hash(password)

  t.same(await passwords.verify(password, kept), { matches: true, outdated: false })
  t.same(await passwords.verify('a few unrelated word', kept), { matches: false, outdated: false })
  t.same(await passwords.verify('', kept), { matches: false, outdated: false })
})

t.test('what is kept tells the parameters and never the password, and no two are alike', async (t) => {
  const passwords = createPasswords({ parameters: weak })
  const [one, two] = await Promise.all([passwords.hash(password), passwords.hash(password)])

  t.match(one, /^\$scrypt\$ln=4,r=8,p=1\$[\w-]{22}\$[\w-]{43}$/)
  t.not(one, two)
})

t.test('the parameters of today ask for 32 MiB and three passes', async (t) => {
  t.ok(SCRYPT.cost >= 2 ** 15)
  t.match(await createPasswords().hash(password), /^\$scrypt\$ln=15,r=8,p=3\$/)
})

t.test('two ways to type one password are one password', async (t) => {
  const passwords = createPasswords({ parameters: weak })

  const { matches } = await passwords.verify('re\u0301sume\u0301 of a life', await passwords.hash('résumé of a life'))

  t.equal(matches, true)
})

t.test('a hash of fewer rounds still works and is called outdated', async (t) => {
  const kept = await createPasswords({ parameters: weak }).hash(password)
  const stronger = createPasswords({ parameters: { ...weak, cost: 2 ** 5 } })

  t.same(await stronger.verify(password, kept), { matches: true, outdated: true })
  t.same(await stronger.verify('wrong', kept), { matches: false, outdated: false })
})

t.test('a hash of more rounds than today is not outdated', async (t) => {
  const kept = await createPasswords({ parameters: { ...weak, cost: 2 ** 5 } }).hash(password)

  t.same(await createPasswords({ parameters: weak }).verify(password, kept), { matches: true, outdated: false })
})

t.test('nothing matches an account that does not exist', async (t) => {
  const passwords = createPasswords({ parameters: weak })

  t.same(await passwords.verify(password, null), { matches: false, outdated: false })
})

const DAMAGED = {
  'an empty text': '',
  'the password itself': password,
  'another algorithm': '$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$aGFzaA',
  'a hash without a salt': `$scrypt$ln=4,r=8,p=1$$${'a'.repeat(43)}`
}

for (const [what, kept] of Object.entries(DAMAGED)) {
  t.test(`nothing matches a damaged record: ${what}`, async (t) => {
    t.same(await createPasswords({ parameters: weak }).verify(password, kept), { matches: false, outdated: false })
  })
}

t.test('a record with impossible parameters is an error, never a match', async (t) => {
  const kept = `$scrypt$ln=99,r=8,p=1$${'a'.repeat(22)}$${'a'.repeat(43)}`

  await t.rejects(createPasswords({ parameters: weak }).verify(password, kept))
})

t.test('scrypt failing fails for the caller', async (t) => {
  const passwords = createPasswords({ parameters: { ...weak, cost: 3 } })

  await t.rejects(passwords.hash(password))
})

t.test('known and unknown accounts wait in one bounded queue', async (t) => {
  const passwords = createPasswords({ parameters: weak, bounds: { running: 1, waiting: 1 } })
  const kept = await passwords.hash(password)

  const results = await Promise.allSettled([
    passwords.verify(password, kept), passwords.verify(password, null), passwords.verify(password, null)
  ])

  t.same(results.map(({ status }) => status), ['fulfilled', 'fulfilled', 'rejected'])
  t.match(results[2], { reason: { code: 'MCPS_ERR_TOO_BUSY' } })
})

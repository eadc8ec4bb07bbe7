import t from 'tap'
import type { FastifyInstance, InjectOptions } from 'fastify'
import { acceptForms, acceptJson, BODY_LIMIT, formOf } from '../../../lib/plugins/support/body-parsers.js'
import type { Teardown } from '../../helpers/build-app.js'
import { versions } from '../../helpers/fastify-versions.js'

type Build = (t: Teardown) => FastifyInstance

function formApp (t: Teardown, build: Build): FastifyInstance {
  const app = build(t)
  acceptForms(app)
  app.post('/', async (request) => [...formOf(request)])
  return app
}

function jsonApp (t: Teardown, build: Build): FastifyInstance {
  const app = build(t)
  acceptJson(app)
  app.post('/', async (request) => ({ got: request.body }))
  return app
}

const form = (payload: string | Buffer, type = 'application/x-www-form-urlencoded'): InjectOptions =>
  ({ method: 'POST', url: '/', payload, headers: { 'content-type': type } })
const json = (payload: string | Buffer, type = 'application/json'): InjectOptions => form(payload, type)

for (const [version, build] of Object.entries(versions)) {
  t.test(`Fastify ${version}: a form keeps every value of every parameter`, async (t) => {
    const app = formApp(t, build)
    t.same((await app.inject(form('a=1&a=2&b=%C3%A4'))).json(), [['a', ['1', '2']], ['b', ['ä']]])
    t.same((await app.inject(form('a=1', 'application/x-www-form-urlencoded; charset=UTF-8'))).json(), [['a', ['1']]])
  })

  t.test(`Fastify ${version}: a byte order mark is part of the first name, not taken off`, async (t) => {
    t.same((await formApp(t, build).inject(form('\uFEFFa=1'))).json(), [['\uFEFFa', ['1']]])
  })

  t.test(`Fastify ${version}: a request without a body is an empty form`, async (t) => {
    const app = formApp(t, build)
    t.same((await app.inject({ method: 'POST', url: '/' })).json(), [])
    t.same((await app.inject(form(''))).json(), [])
  })

  t.test(`Fastify ${version}: JSON is read up to the limit`, async (t) => {
    const app = jsonApp(t, build)
    t.same((await app.inject(json('{"a":["ä"]}', 'application/json; charset=utf-8'))).json(), { got: { a: ['ä'] } })
    t.equal((await app.inject(json(`"${'x'.repeat(BODY_LIMIT - 2)}"`))).statusCode, 200)
    t.equal((await app.inject(json(`"${'x'.repeat(BODY_LIMIT - 1)}"`))).statusCode, 413)
  })

  const refused: Record<string, [(t: Teardown, build: Build) => FastifyInstance, InjectOptions, number]> = {
    'a form over the limit': [formApp, form('x'.repeat(BODY_LIMIT + 1)), 413],
    'a form that is not UTF-8': [formApp, form(Buffer.from([0x61, 0x3D, 0xC3, 0x28])), 400],
    'JSON where forms go': [formApp, json('{}'), 415],
    'text where forms go': [formApp, form('a=1', 'text/plain'), 415],
    'a form where JSON goes': [jsonApp, form('a=1'), 415],
    'broken JSON': [jsonApp, json('{'), 400],
    'JSON that is not UTF-8': [jsonApp, json(Buffer.from([0x22, 0xC3, 0x28, 0x22])), 400],
    'JSON that reaches for the prototype': [jsonApp, json('{"__proto__":{"a":1}}'), 400],
    'JSON that reaches for the constructor': [jsonApp, json('{"constructor":{"prototype":{"a":1}}}'), 400]
  }

  for (const [what, [make, request, status]] of Object.entries(refused)) {
    t.test(`Fastify ${version}: ${what} never reaches the handler`, async (t) => {
      const app = make(t, build)
      t.equal((await app.inject(request)).statusCode, status)
    })
  }
}

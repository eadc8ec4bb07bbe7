import { ESLint } from 'eslint'
import t from 'tap'

const eslint = new ESLint({ cwd: process.cwd() })

async function rulesBroken (filePath: string, code: string): Promise<string[]> {
  const results = await eslint.lintText(code, { filePath })
  return results.flatMap(({ messages }) => messages.map(({ ruleId }) => ruleId ?? ''))
}

const broken: Record<string, [string, string, string]> = {
  'a protocol file that imports a store': ['lib/protocol/x.ts', "import { a } from '../stores/memory.js'\na()\n", 'no-restricted-imports'],
  'a protocol file that imports Fastify': ['lib/protocol/x.ts', "import a from 'fastify'\na()\n", 'no-restricted-imports'],
  'an oauth file that imports identity': ['lib/oauth/x.ts', "import { a } from '../identity/a.js'\na()\n", 'no-restricted-imports'],
  'an access file that imports a plugin': ['lib/access/x.ts', "import { a } from '../plugins/a.js'\na()\n", 'no-restricted-imports'],
  'a page that imports oauth': ['lib/pages/x.ts', "import { a } from '../oauth/a.js'\na()\n", 'no-restricted-imports'],
  'a plugin that imports the umbrella': ['lib/plugins/x.ts', "import { a } from '../index.js'\na()\n", 'no-restricted-imports'],
  'a hook that sends without returning the reply': ['lib/plugins/x.ts', 'export async function hook (_request, reply) {\n  reply.code(401).send({})\n}\n', 'local/return-reply'],
  'a hook that awaits the send and goes on': ['lib/plugins/x.ts', 'export async function hook (_request, reply) {\n  await reply.redirect(\'/\')\n}\n', 'local/return-reply'],
  'a hook with a callback that returns what it sent': ['lib/plugins/x.ts', 'export function hook (_request, reply, done) {\n  if (reply.sent) return done()\n  return refuse(reply)\n}\n', 'local/return-reply'],
  'an async hook before the handler': ['lib/plugins/x.ts', "export const guard = (app) => app.addHook('onRequest', async () => {})\n", 'local/return-reply'],
  'a rule that reads the clock': ['lib/tokens/x.ts', 'export const now = Date.now()\n', 'local/no-clock'],
  'a rule that makes a date of now': ['lib/tokens/x.ts', 'export const now = new Date()\n', 'local/no-clock']
}

for (const [what, [file, code, rule]] of Object.entries(broken)) {
  t.test(`${what} does not pass lint`, async (t) => {
    t.ok((await rulesBroken(file, code)).includes(rule))
  })
}

const fine: Record<string, string> = {
  'a handler that returns the reply': 'export async function handler (_request, reply) {\n  return reply.code(401).send({})\n}\n',
  'a hook with a callback that sends and returns nothing': 'export function hook (_request, reply, done) {\n  if (reply.sent) return done()\n  reply.code(401).send({})\n}\n'
}

for (const [what, code] of Object.entries(fine)) {
  t.test(`${what} passes lint`, async (t) => {
    t.strictSame(await rulesBroken('lib/plugins/x.ts', code), [])
  })
}

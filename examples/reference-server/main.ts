import type { FastifyInstance } from 'fastify'
import { buildServer } from './app.js'
import { openData, openSecrets } from './data.js'
import { readSettings, SettingsError, usage } from './settings.js'

const DRAIN_MS = 10_000
const IDLE_MS = 100

const say = (line: string): void => { process.stdout.write(`${line}\n`) }

async function main (): Promise<void> {
  const settings = await readSettings(process.argv.slice(2), process.env)
  if (settings === null) {
    process.stdout.write(usage)
    return
  }
  const data = await openData(settings.dataDirectory)
  for (const line of data.report) say(line)
  const { secrets, report } = openSecrets(settings)
  say(report)
  const { app, offerSetUp } = await buildServer(settings, data, secrets)
  app.addHook('onClose', data.close)
  await app.ready()

  say(`issuer: ${settings.issuer}`)
  const link = await offerSetUp()
  if (link !== null) say(`no accounts yet: make the first one at ${link} (good once, for one hour), or with: npm run account -- add NAME`)
  say(`connect a client: claude mcp add --transport http notes ${settings.issuer}/mcp`)
  say(`             or: npx @modelcontextprotocol/inspector, URL ${settings.issuer}/mcp`)

  let stopping = false
  // A signal to the process group comes twice, as npm passes its own one on: the second must not cut the first short.
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (!stopping) stop(app).catch(fail)
      stopping = true
    })
  }
  await app.listen({ host: settings.host, port: settings.port })
  say(`listening on http://${settings.host.includes(':') ? `[${settings.host}]` : settings.host}:${settings.port}/mcp`)
}

/** Lets requests in flight finish; whatever still hangs after the drain time is cut off. */
async function stop (app: FastifyInstance): Promise<void> {
  say('stopping ...')
  setTimeout(() => { process.exit(0) }, DRAIN_MS)
  // A connection that is done is kept open for the next request, which would be waited for.
  setInterval(() => { app.server.closeIdleConnections() }, IDLE_MS)
  await app.close()
  say('stopped')
  process.exit(0)
}

/** What an operator can mend is said in a sentence, what is a bug with its stack. */
function explain (error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const isOperators = error instanceof SettingsError || 'code' in error
  return isOperators ? error.message : error.stack ?? error.message
}

function fail (error: unknown): void {
  process.stderr.write(`${explain(error)}\n`)
  process.exit(error instanceof SettingsError ? 2 : 1)
}

await main().catch(fail)

import { buildServer } from './app.js'
import { openData, openSecret } from './data.js'
import { readSettings, SettingsError, usage } from './settings.js'

const DRAIN_MS = 10_000

const say = (line: string): void => { process.stdout.write(`${line}\n`) }

async function main (): Promise<void> {
  const settings = await readSettings(process.argv.slice(2), process.env)
  if (settings === null) {
    process.stdout.write(usage)
    return
  }
  const data = await openData(settings.dataDirectory)
  const { secret, report } = openSecret(settings.dataDirectory)
  const { app, offerSetUp } = await buildServer(settings, data, secret)
  app.addHook('onClose', data.close)
  await app.ready()

  say(report)
  for (const line of data.report) say(line)
  say(`issuer: ${settings.issuer}`)
  const link = await offerSetUp()
  if (link !== null) say(`no accounts yet: make the first one at ${link} (good once, for one hour), or with: npm run account -- add NAME`)
  say(`connect a client: claude mcp add --transport http notes ${settings.issuer}/mcp`)
  say(`             or: npx @modelcontextprotocol/inspector, URL ${settings.issuer}/mcp`)

  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => { stop(app.close()).catch(fail) })
  await app.listen({ host: settings.host, port: settings.port })
  say(`listening on http://${settings.host.includes(':') ? `[${settings.host}]` : settings.host}:${settings.port}/mcp`)
}

/** Lets requests in flight finish; whatever still hangs after the drain time is cut off. */
async function stop (closed: Promise<void>): Promise<void> {
  say('stopping ...')
  const late = setTimeout(() => { process.exit(0) }, DRAIN_MS)
  late.unref()
  await closed
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

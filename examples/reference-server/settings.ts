import { readFileSync } from 'node:fs'
import { createServer, isIP } from 'node:net'
import { parseArgs } from 'node:util'
import { readConfiguration, type Configuration } from 'fastify-mcp-security/configuration'

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']

export interface Settings {
  readonly host: string
  readonly port: number
  readonly issuer: string
  readonly dataDirectory: string
  readonly logLevel: string
  /** As for Fastify: the proxies whose `X-Forwarded-For` is believed. */
  readonly trustProxy: string[] | false
  readonly configuration: Configuration
}

/** A mistake of the operator's: printed without a stack, exit code 2. */
export class SettingsError extends Error {}

export const usage = `Usage: npm start -- [--config FILE]

  --config FILE  JSON in the shape of the plugin's options; \${NAME} is filled from the environment
  --help         this text

Environment: HOST (127.0.0.1), PORT (3000; 0 picks a free one), ISSUER (http://HOST:PORT),
DATA_DIR (./data), LOG_LEVEL (info), TRUST_PROXY (none; addresses of proxies in front, with commas).
`

/** Reads the command line, the environment and the configuration file. Answers `null` when help was asked for. */
export async function readSettings (args: string[], environment: NodeJS.ProcessEnv): Promise<Settings | null> {
  const { values } = parse(args)
  if (values.help === true) return null
  const configuration = values.config === undefined ? {} : readConfigurationFile(values.config, environment)

  const host = environment['HOST'] ?? '127.0.0.1'
  const port = await portOf(environment['PORT'] ?? '3000', host)
  const logLevel = environment['LOG_LEVEL'] ?? 'info'
  if (!LOG_LEVELS.includes(logLevel)) throw new SettingsError(`LOG_LEVEL must be one of ${LOG_LEVELS.join(', ')}`)
  return {
    host,
    port,
    issuer: configuration.issuer ?? environment['ISSUER'] ?? `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    dataDirectory: environment['DATA_DIR'] ?? './data',
    logLevel,
    trustProxy: proxiesOf(environment['TRUST_PROXY'] ?? ''),
    configuration
  }
}

function parse (args: string[]) {
  try {
    return parseArgs({ args, options: { config: { type: 'string' }, help: { type: 'boolean' } } })
  } catch (error) {
    throw new SettingsError(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`)
  }
}

/** @throws {SettingsError} for a file that cannot be read; InvalidOptionError for what it says. */
export function readConfigurationFile (path: string, environment: NodeJS.ProcessEnv): Configuration {
  return readConfiguration(readFile(path), environment)
}

function readFile (path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new SettingsError(`--config ${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function proxiesOf (text: string): string[] | false {
  if (text === '') return false
  const proxies = text.split(',').map((address) => address.trim())
  if (proxies.every((address) => isIP(address.replace(/\/\d{1,3}$/, '')) !== 0)) return proxies
  throw new SettingsError('TRUST_PROXY must be the addresses of the proxies in front, with commas between them')
}

/** The issuer names the port, so a free one has to be known before the server listens. */
async function portOf (text: string, host: string): Promise<number> {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : NaN
  if (!(port <= 65_535)) throw new SettingsError('PORT must be a whole number from 0 to 65535')
  if (port !== 0) return port
  return await new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, host, () => {
      const address = probe.address()
      const found = typeof address === 'object' && address !== null ? address.port : 0
      probe.close(() => { resolve(found) })
    })
  })
}

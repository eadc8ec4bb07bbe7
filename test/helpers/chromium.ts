import { existsSync } from 'node:fs'
import { chromium, type Browser } from 'playwright-core'
import type { Teardown } from './build-app.js'

const executablePath = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium'
const required = process.env.REQUIRE_SERVICES === '1'

/** Why the browser tests are skipped, or `false`. With `REQUIRE_SERVICES=1` they are not skipped: they fail. */
export const withoutChromium: string | false =
  existsSync(executablePath) || required ? false : `there is no Chromium at ${executablePath} (CHROMIUM_PATH)`

/** A headless Chromium that keeps to itself and is closed at the end of the test. */
export async function launchChromium (t: Teardown): Promise<Browser> {
  const browser = await chromium.launch({
    executablePath,
    args: [
      '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync'
    ]
  })
  t.teardown(async () => { await browser.close() })
  return browser
}

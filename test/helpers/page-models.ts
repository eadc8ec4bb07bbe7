import type { ConsentDevice } from '../../lib/pages/consent-device.js'
import type { ConsentModel } from '../../lib/pages/consent-page.js'
import type { DeviceModel } from '../../lib/pages/device-page.js'
import type { ErrorModel } from '../../lib/pages/error-page.js'
import type { NoticeModel } from '../../lib/pages/notice-page.js'
import type { SetUpModel } from '../../lib/pages/set-up-page.js'
import type { SignInModel } from '../../lib/pages/sign-in-page.js'

export const consentModel: ConsentModel = {
  user: 'ada',
  clientName: 'Claude Code',
  clientId: '8Jq2uXo7TtmWb0n1yDk5Ug',
  trust: { by: 'nobody', since: '2 minutes' },
  loopback: true,
  device: null,
  redirectHost: 'localhost:54321',
  site: 'Notes',
  resources: [{ resource: 'https://notes.example/mcp', name: 'Notes' }],
  scopes: [
    {
      name: 'notes:read',
      title: 'Read your notes',
      checked: true,
      components: [
        { title: 'List notes', destructive: false },
        { title: 'Search notes', destructive: false },
        { title: 'Who am I', destructive: false }
      ]
    },
    {
      name: 'notes:write',
      title: 'Change your notes',
      description: 'Includes reading them.',
      checked: true,
      components: [{ title: 'Add a note', destructive: false }, { title: 'Delete a note', destructive: true }]
    }
  ],
  rememberedFor: null,
  action: '/authorize/decision',
  handle: 'the-handle',
  csrf: 'the-csrf-token',
  signOutAction: '/sign-out'
}

export const consentDevice: ConsentDevice = {
  userCode: 'WDJB-MJHT', network: '203.0.113.7', isHere: true, askedAgo: 'less than a minute'
}

export const deviceModel: DeviceModel = {
  user: 'ada', action: '/device', csrf: 'the-csrf-token', site: 'Notes', signOutAction: '/sign-out'
}

export const signInModel: SignInModel = {
  action: '/sign-in',
  csrf: 'the-csrf-token',
  returnTo: '/authorize?client_id=x&state=y',
  site: 'Notes'
}

export const setUpModel: SetUpModel = {
  action: '/set-up',
  csrf: 'the-csrf-token',
  token: 'the-set-up-token',
  minPasswordLength: 12,
  site: 'Notes'
}

export const errorModel: ErrorModel = {
  status: 400,
  title: 'This request cannot go on',
  message: 'The application sent you here with an address that it did not register. Start again from the application.',
  requestId: 'req-7f3k',
  link: { href: '/', text: 'Go to the start' },
  site: 'Notes'
}

export const noticeModel: NoticeModel = {
  title: 'Nothing was allowed',
  message: 'You can close this page, or go back and let the application know.',
  destination: 'localhost:54321',
  link: { href: 'http://localhost:54321/callback?error=access_denied', text: 'Return to the application' },
  site: 'Notes'
}

const manyTools = Array.from({ length: 14 }, (_, index) => ({ title: `Tool ${index} ${'unbreakable'.repeat(6)}`, destructive: index % 4 === 0 }))

/** Everything that a client or a careless operator could choose, at its worst. */
export const hostileModel: ConsentModel = {
  ...consentModel,
  user: 'W'.repeat(300),
  clientName: '"><script>document.title="owned"</script><img src=x onerror=alert(1)>\u202eevil\u200b' + 'W'.repeat(10_000),
  clientId: "'><b>" + 'i'.repeat(500),
  redirectHost: `${'a'.repeat(63)}.${'b'.repeat(63)}.example:54321`,
  site: '</title><script>document.title="owned"</script>' + 'N'.repeat(100),
  resources: [{
    resource: `https://${'very-long-label.'.repeat(8)}example/mcp`,
    name: '</title><script>document.title="owned"</script>' + 'N'.repeat(100)
  }],
  scopes: [
    ...consentModel.scopes,
    { name: 'admin', title: 'Everything'.repeat(20), description: '<i>All</i> of it. '.repeat(30), checked: false, components: manyTools }
  ]
}

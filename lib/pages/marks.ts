import { html } from './html.js'

/** A keyhole: the sign of this front door. */
export const mark = html`<svg class="mark" viewBox="0 0 32 32" width="32" height="32" aria-hidden="true" focusable="false"><rect width="32" height="32" rx="9" class="plate"/><path class="hole" d="M16 8.5a4.5 4.5 0 0 0-2.3 8.37L12.4 23.5h7.2l-1.3-6.63A4.5 4.5 0 0 0 16 8.5Z"/></svg>`

export const warningMark = html`<svg class="sign" viewBox="0 0 20 20" width="20" height="20" aria-hidden="true" focusable="false"><path d="M10 2.6 18.4 17H1.6L10 2.6Z" fill="none" stroke="currentColor" stroke-width="1.6" stroke-linejoin="round"/><path d="M10 8v4.2" stroke="currentColor" stroke-width="1.7" stroke-linecap="round"/><circle cx="10" cy="14.6" r="1" fill="currentColor"/></svg>`

/** The same keyhole for the browser's tab, where neither our stylesheet nor the page's colours reach. */
export const favicon = 'data:image/svg+xml,' + encodeURIComponent('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="9" fill="#12685f"/><path fill="#fff" d="M16 8.5a4.5 4.5 0 0 0-2.3 8.37L12.4 23.5h7.2l-1.3-6.63A4.5 4.5 0 0 0 16 8.5Z"/></svg>')

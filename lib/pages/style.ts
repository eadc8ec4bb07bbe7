import { createHash } from 'node:crypto'
import { html, render } from './html.js'

/** The only stylesheet there is. No page uses a `style` attribute: the policy would refuse it. */
export const styleElement = html`<style>
:root{color-scheme:light dark;--paper:#f3f5f4;--sheet:#fff;--ink:#161b1a;--soft:#56615e;--line:#e0e5e2;--edge:#7c8884;--accent:#12685f;--strong:#0c4f48;--on-accent:#fff;--tint:#f2f7f5;--claim:#e3efec;--warn:#fdf7e7;--warn-line:#ead6a3;--warn-ink:#6f4d00;--bad:#fdefec;--bad-line:#eabfb7;--bad-ink:#9a2b1d}
@media (prefers-color-scheme:dark){:root{--paper:#0d1110;--sheet:#161b1a;--ink:#e9eeec;--soft:#a5b0ad;--line:#2a3230;--edge:#76837f;--accent:#7fcdc0;--strong:#a6e0d6;--on-accent:#06251f;--tint:#1a2321;--claim:#233430;--warn:#231e11;--warn-line:#51431e;--warn-ink:#ecca7e;--bad:#2b1916;--bad-line:#663029;--bad-ink:#f4a89c}}
@media (prefers-contrast:more){:root{--soft:var(--ink);--line:var(--edge)}}
*,::before,::after{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;min-height:100vh;min-height:100dvh;background:var(--sheet);color:var(--ink);font:400 1rem/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Helvetica Neue",Arial,sans-serif;overflow-wrap:anywhere}
h1,h2,p,dl,dd,ul,fieldset{margin:0;padding:0;border:0}
code{font:400 .8125rem/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace}
.sheet{padding:1.25rem 1.25rem 2.5rem}
header{display:flex;flex-wrap:wrap;align-items:center;gap:.25rem .75rem;min-height:2.75rem;margin-bottom:1.75rem}
.mark{flex:none}.plate{fill:var(--accent)}.hole{fill:var(--on-accent)}
.site{font-weight:600;letter-spacing:-.006em}
h1{font-size:1.5rem;line-height:1.35;font-weight:650;letter-spacing:-.018em;text-wrap:balance}
.claimed{padding:0 .25em;border-radius:.25em;background:var(--claim);-webkit-box-decoration-break:clone;box-decoration-break:clone}
.lead,.destination{margin-top:.625rem;color:var(--soft);text-wrap:pretty}
.destination bdi{color:var(--ink);font-weight:600}
.eyebrow{margin-bottom:.25rem;color:var(--soft);font-size:.875rem;font-variant-numeric:tabular-nums}
.reference{margin-top:2rem;padding-top:1rem;border-top:1px solid var(--line);color:var(--soft);font-size:.875rem}
main form{margin:1.5rem 0 0}
.field+.field{margin-top:1.125rem}
label{font-weight:600}
.field label{display:block;margin-bottom:.375rem;font-size:.9375rem}
.field input{display:block;width:100%;min-height:3rem;padding:.625rem .875rem;font:inherit;color:inherit;background:var(--sheet);border:1px solid var(--edge);border-radius:.5rem}
.field input[aria-invalid]{border-color:var(--bad-ink)}
.hint{margin-top:.375rem;color:var(--soft);font-size:.875rem;text-wrap:pretty}
.problem{margin-top:1.25rem;padding:.75rem 1rem;background:var(--bad);border:1px solid var(--bad-line);border-radius:.5rem;color:var(--bad-ink)}
.actions{margin-top:1.75rem}
.button{display:flex;align-items:center;justify-content:center;width:100%;min-height:3rem;padding:.625rem 1.25rem;font:inherit;font-weight:600;text-align:center;text-decoration:none;cursor:pointer;border:1px solid var(--edge);border-radius:.5rem;background:transparent;color:var(--ink)}
.button:hover{border-color:var(--ink)}
.primary{background:var(--accent);border-color:var(--accent);color:var(--on-accent)}
.primary:hover{background:var(--strong);border-color:var(--strong)}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
.account{display:flex;flex-wrap:wrap;align-items:center;gap:0 .5rem;color:var(--soft);font-size:.875rem}
footer{margin-top:1.5rem;padding-top:.75rem;border-top:1px solid var(--line)}
.account bdi{color:var(--ink)}
.account form{margin:0}
.quiet{min-height:2.75rem;padding:0 .25rem;font:inherit;color:var(--accent);background:none;border:0;border-radius:.25rem;text-decoration:underline;text-underline-offset:.2em;cursor:pointer}
.sign{flex:none}
.warning{display:grid;grid-template-columns:auto 1fr;gap:.375rem .625rem;margin-top:1.25rem;padding:.875rem 1rem 1rem;background:var(--warn);border:1px solid var(--warn-line);border-radius:.75rem}
.warning .sign{margin-top:.125rem;color:var(--warn-ink)}
.warning h2{font-size:1rem;line-height:1.5;font-weight:650;color:var(--warn-ink);text-wrap:balance}
.warning p{grid-column:1/-1;font-size:.9375rem;line-height:1.45;text-wrap:pretty}
.user-code{white-space:nowrap}
.facts{margin-top:1.25rem}
.facts div{display:grid;grid-template-columns:6.5rem 1fr;column-gap:.75rem;padding:.625rem 0;border-bottom:1px solid var(--line)}
.facts dt{color:var(--soft);font-size:.875rem;line-height:1.5rem}
.facts code,.facts small{display:block;color:var(--soft);font-size:.8125rem}
legend{padding:0;font-size:1.0625rem;font-weight:650;letter-spacing:-.006em}
.scopes{margin-top:.875rem;border:1px solid var(--line);border-radius:.75rem;overflow:hidden}
.scope{position:relative;display:grid;grid-template-columns:auto 1fr;column-gap:.875rem;padding:.875rem 1rem 1rem}
.scope+.scope{border-top:1px solid var(--line)}
.scope:has(:checked){background:var(--tint)}
.scope:has(:focus-visible){outline:3px solid var(--accent);outline-offset:-3px;border-radius:.75rem}
.scope input{position:relative;z-index:1;width:1.25rem;height:1.25rem;margin:.125rem 0 0;accent-color:var(--accent);outline:0}
.scope label{cursor:pointer}
.scope label::after{content:"";position:absolute;inset:0}
.about{grid-column:2;color:var(--soft);font-size:.9375rem}
.opens{margin-top:.375rem;font-size:.875rem}
.opens p{margin-bottom:.125rem}
.opens ul{display:flex;flex-wrap:wrap;gap:.25rem .375rem;list-style:none}
.opens li{padding:0 .5rem;border-radius:.375rem;background:var(--claim);color:var(--ink)}
.opens .destructive{background:var(--bad);color:var(--bad-ink);box-shadow:inset 0 0 0 1px var(--bad-line)}
.opens .sign{width:.875rem;height:.875rem;margin-right:.3125rem;vertical-align:-.125em}
.decision{display:grid;grid-template-columns:1fr 1fr;gap:.75rem}
.decision+.hint{margin-top:1rem}
@media (min-width:40rem){
body{display:grid;justify-items:center;align-content:center;padding:3rem 1.5rem;background:var(--paper)}
.sheet{width:100%;max-width:28.5rem;padding:1.75rem 2.5rem 2.5rem;background:var(--sheet);border:1px solid var(--line);border-radius:1rem;box-shadow:0 1px 2px rgb(0 0 0/.04),0 16px 48px rgb(0 0 0/.06)}
.sheet:has(.facts){max-width:38rem}
.facts div{grid-template-columns:8rem 1fr}
.warning p{grid-column:2}
.opens{display:flex;gap:.625rem}
.opens p{flex:none}
}
@media (prefers-reduced-motion:no-preference){.button,.scope{transition:background-color .12s,border-color .12s}}
@media (max-width:22rem){.facts div{grid-template-columns:1fr}}
@media (forced-colors:active){.claimed,.opens li{outline:1px solid}}
@media print{body,.sheet{display:block;background:none;border:0;box-shadow:none;padding:0}.actions,.quiet{display:none}}
</style>`

const stylesheet = render(styleElement).slice('<style>'.length, -'</style>'.length)

/** Names the stylesheet in the policy (CSP 3, hash-source). */
export const styleHash = `sha256-${createHash('sha256').update(stylesheet).digest('base64')}`

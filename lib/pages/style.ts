import { createHash } from 'node:crypto'
import { html, render } from './html.js'

/** The only stylesheet there is. No page uses a `style` attribute: the policy would refuse it. */
export const styleElement = html`<style>
:root{color-scheme:light dark;--paper:#f4f5f3;--sheet:#fff;--ink:#171c1b;--soft:#55605d;--line:#dfe3e0;--edge:#7f8b87;--accent:#12685f;--accent-strong:#0c514a;--on-accent:#fff;--tint:#eef5f3;--warn-line:#e3c98a;--warn:#fdf6e3;--warn-ink:#6b4a00;--bad:#fdf0ee;--bad-line:#e9b9b1;--bad-ink:#9c2a1b}
@media (prefers-color-scheme:dark){:root{--paper:#0f1312;--sheet:#171c1b;--ink:#e8edeb;--soft:#a3aeab;--line:#2b3331;--edge:#75827e;--accent:#7ccabd;--accent-strong:#a0ddd3;--on-accent:#06251f;--tint:#1b2624;--warn-line:#5c4a1d;--warn:#262011;--warn-ink:#efcf85;--bad:#2a1815;--bad-line:#6b322a;--bad-ink:#f5a99d}}
*,::before,::after{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;min-height:100vh;min-height:100dvh;background:var(--paper);color:var(--ink);font:400 1rem/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Helvetica Neue",Arial,sans-serif;overflow-wrap:anywhere}
h1,h2,p,dl,dd,ul,fieldset,form{margin:0;padding:0;border:0}
code,small{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace;font-size:.8125rem}
.sheet{background:var(--sheet);min-height:100vh;min-height:100dvh;padding:1.5rem 1.25rem 2rem}
header{display:flex;align-items:center;gap:.75rem;margin-bottom:2rem}
.mark{flex:none;display:block}.plate{fill:var(--accent)}.hole{fill:var(--on-accent)}
.site{font-weight:600;letter-spacing:-.005em}
h1{font-size:1.5rem;line-height:1.25;font-weight:650;letter-spacing:-.018em;text-wrap:balance}
.lead,.destination{margin-top:.75rem;color:var(--soft);max-width:34rem}
.eyebrow{color:var(--soft);font-size:.875rem;margin-bottom:.375rem}
.reference{margin-top:2rem;padding-top:1rem;border-top:1px solid var(--line);color:var(--soft);font-size:.875rem}
form{margin-top:1.5rem}
.field+.field{margin-top:1.25rem}
label{font-weight:600}
.field label{display:block;margin-bottom:.375rem;font-size:.9375rem}
.field input{display:block;width:100%;min-height:3rem;padding:.625rem .875rem;font:inherit;color:inherit;background:var(--sheet);border:1px solid var(--edge);border-radius:.625rem}
.field input[aria-invalid]{border-color:var(--bad-ink)}
.hint{color:var(--soft);font-size:.875rem;margin-top:.375rem}
.problem{margin-top:1.25rem;padding:.75rem 1rem;background:var(--bad);border:1px solid var(--bad-line);border-radius:.625rem;color:var(--bad-ink)}
.actions{margin-top:1.75rem}
.button{display:inline-flex;align-items:center;justify-content:center;width:100%;min-height:3rem;padding:.625rem 1.25rem;font:inherit;font-weight:600;text-decoration:none;cursor:pointer;border:1px solid var(--edge);border-radius:.625rem;background:transparent;color:var(--ink)}
.button:hover{border-color:var(--ink)}
.primary{background:var(--accent);border-color:var(--accent);color:var(--on-accent)}
.primary:hover{background:var(--accent-strong);border-color:var(--accent-strong)}
.quiet{min-height:2.75rem;padding:0 .25rem;font:inherit;font-size:.875rem;color:var(--accent);background:none;border:0;text-decoration:underline;text-underline-offset:.2em;cursor:pointer}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
.account{display:flex;flex-wrap:wrap;align-items:center;gap:0 .75rem;margin-bottom:1rem;color:var(--soft);font-size:.875rem}
.account form{margin:0}
.warning{display:flex;gap:.75rem;margin-top:1.5rem;padding:1rem;background:var(--warn);border:1px solid var(--warn-line);border-radius:.75rem;color:var(--warn-ink)}
.sign{flex:none;margin-top:.125rem}
.warning h2{font-size:1rem;line-height:1.5}
.warning p{margin-top:.25rem;font-size:.9375rem}
.facts{margin-top:1.5rem;border-top:1px solid var(--line)}
.facts div{padding:.75rem 0;border-bottom:1px solid var(--line)}
.facts dt{color:var(--soft);font-size:.875rem}
.facts small{display:block;color:var(--soft)}
legend{padding:0;font-size:1.0625rem;font-weight:650}
.scope{position:relative;display:grid;grid-template-columns:auto 1fr;column-gap:.875rem;margin-top:.75rem;padding:1rem;border:1px solid var(--line);border-radius:.75rem}
.scope:has(:checked){border-color:var(--accent);background:var(--tint)}
.scope input{width:1.25rem;height:1.25rem;margin:.125rem 0 0;accent-color:var(--accent)}
.scope label{cursor:pointer}
.scope label::after{content:"";position:absolute;inset:0}
.about{grid-column:2;color:var(--soft);font-size:.9375rem}
.opens{margin-top:.5rem;font-size:.8125rem}
.about ul{display:flex;flex-wrap:wrap;gap:.375rem;margin-top:.25rem;list-style:none}
.about li{padding:.125rem .625rem;border:1px solid var(--line);border-radius:1rem;background:var(--sheet);color:var(--ink);font-size:.875rem}
.about .destructive{border-color:var(--bad-line);background:var(--bad);color:var(--bad-ink)}
.decision{display:grid;grid-template-columns:1fr 1fr;gap:.75rem}
@media (min-width:40rem){
body{display:grid;justify-items:center;align-content:center;padding:3rem 1.5rem}
.sheet{width:100%;max-width:29rem;min-height:0;padding:2.25rem 2.5rem 2.5rem;border:1px solid var(--line);border-radius:1.25rem;box-shadow:0 1px 2px rgb(0 0 0/.04),0 12px 40px rgb(0 0 0/.06)}
.sheet:has(.facts){max-width:38rem}
.facts div{display:grid;grid-template-columns:9rem 1fr}
}
@media (prefers-reduced-motion:no-preference){.button,.scope{transition:background-color .12s,border-color .12s}}
@media print{body,.sheet{display:block;background:none;border:0;box-shadow:none;padding:0}.actions,.quiet{display:none}}
</style>`

const stylesheet = render(styleElement).slice('<style>'.length, -'</style>'.length)

/** Names the stylesheet in the policy (CSP 3, hash-source). */
export const styleHash = `sha256-${createHash('sha256').update(stylesheet).digest('base64')}`

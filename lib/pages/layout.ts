import { html, render, type Html } from './html.js'
import { favicon, mark } from './marks.js'
import { styleElement } from './style.js'

export interface LayoutModel {
  /** Names the page in the tab and the history; no text of a client's. */
  readonly title: string
  /** How people call this server; stands beside the mark. */
  readonly site: string | undefined
  /** Stands under the page: who is signed in. After the main part, so that the keyboard reaches that first. */
  readonly aside?: Html
  readonly main: Html
}

/** A whole page as text. */
export function layout ({ title, site, aside, main }: LayoutModel): string {
  return render(html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>${site === undefined ? title : `${title} · ${site}`}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="${favicon}">
${styleElement}
</head>
<body>
<div class="sheet">
<header>${mark}${site !== undefined && html`<p class="site"><bdi>${site}</bdi></p>`}</header>
<main>${main}</main>
${aside !== undefined && html`<footer>${aside}</footer>`}
</div>
</body>
</html>
`)
}

import { html, type Html } from './html.js'
import { warningMark } from './marks.js'

export interface ConsentComponent {
  readonly title: string
  readonly destructive: boolean
}

export interface ConsentScope {
  readonly name: string
  readonly title: string
  readonly description?: string
  readonly checked: boolean
  /** What a grant of this scope opens. */
  readonly components: readonly ConsentComponent[]
}

function componentOf ({ title, destructive }: ConsentComponent): Html {
  if (!destructive) return html`<li><bdi>${title}</bdi></li>`
  return html`<li class="destructive">${warningMark}<bdi>${title}</bdi> <strong>destructive</strong></li>`
}

/** A checkbox named `scope`, and in words what ticking it gives away. */
export function consentScopeOf (scope: ConsentScope, index: number): Html {
  const id = `scope-${index}`
  const { description, components } = scope
  return html`<div class="scope">
<input type="checkbox" id="${id}" name="scope" value="${scope.name}"${scope.checked && html` checked`} aria-describedby="${id}-about">
<label for="${id}"><bdi>${scope.title}</bdi></label>
<div class="about" id="${id}-about">
${description !== undefined && html`<p>${description}</p>`}
${components.length > 0 && html`<div class="opens"><p>Opens</p><ul>${components.map(componentOf)}</ul></div>`}
</div>
</div>`
}

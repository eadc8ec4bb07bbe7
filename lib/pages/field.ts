import { html, type Html } from './html.js'

export interface Field {
  readonly name: string
  readonly label: string
  readonly type: 'text' | 'password'
  readonly autocomplete: 'username' | 'current-password' | 'new-password' | 'off'
  readonly value?: string | undefined
  readonly hint?: string | undefined
  readonly minLength?: number | undefined
  readonly autofocus?: boolean
  /** Whether the page shows a problem (see `problemOf`), which then describes the field. */
  readonly wrong: boolean
}

/** A required input with its label and hint. */
export function fieldOf (field: Field): Html {
  const { name, hint, value, minLength } = field
  const described = [field.wrong && 'problem', hint !== undefined && `${name}-hint`].filter((id) => id !== false).join(' ')
  return html`<div class="field">
<label for="${name}">${field.label}</label>
<input id="${name}" name="${name}" type="${field.type}" autocomplete="${field.autocomplete}" required
autocapitalize="none" autocorrect="off" spellcheck="false"${value !== undefined && html` value="${value}"`}${minLength !== undefined && html` minlength="${minLength}"`}${field.wrong && html` aria-invalid="true"`}${described !== '' && html` aria-describedby="${described}"`}${field.autofocus === true && html` autofocus`}>
${hint !== undefined && html`<p class="hint" id="${name}-hint">${hint}</p>`}
</div>`
}

/** What went wrong with the form, told at once by screen readers. */
export function problemOf (problem: string | undefined): Html | null {
  return problem === undefined ? null : html`<p class="problem" id="problem" role="alert">${problem}</p>`
}

export function hiddenFieldsOf (fields: Readonly<Record<string, string>>): Html[] {
  return Object.entries(fields).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)
}

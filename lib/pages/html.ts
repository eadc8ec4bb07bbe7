const MARKUP = Symbol('markup')

/** Markup that `html` made, and nothing else can: its key is a symbol that stays in this file. */
export interface Html { readonly [MARKUP]: string }

/** What a template may hold. `null` and `false` render as nothing. */
export type HtmlValue = string | number | Html | readonly Html[] | null | false

const REPLACEMENTS: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
  // A parser would turn a bare one into a line feed, or drop it.
  '\r': '&#13;',
  '\0': '\uFFFD'
}

function escape (text: string): string {
  return text.replace(/[&<>"'`\r\0]|\p{Surrogate}/gu, (character) => REPLACEMENTS[character] ?? '\uFFFD')
}

function markupOf (value: HtmlValue): string {
  if (value === null || value === false) return ''
  if (typeof value === 'string') return escape(value)
  if (typeof value === 'number') return String(value)
  return MARKUP in value ? value[MARKUP] : value.map(render).join('')
}

/**
 * Makes markup of a template. Whatever is put into it is escaped, for text and *quoted* attribute values alike,
 * unless it is markup that `html` made itself: there is no way to pass a string through. Lone surrogates and NUL
 * become U+FFFD. It does not judge the URL of a link (`linkTo` does) and is of no use in `<script>` or `<style>`.
 */
export function html (template: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  const text = template.reduce((before, part, index) => before + markupOf(values[index - 1] ?? null) + part)
  return { [MARKUP]: text }
}

/** The markup as text, for the wire. */
export function render (markup: Html): string {
  return markup[MARKUP]
}

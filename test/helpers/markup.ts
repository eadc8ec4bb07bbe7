export interface Element {
  readonly name: string
  readonly attributes: ReadonlyMap<string, string>
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#39;': "'", '&#96;': '`', '&#13;': '\r'
}

/** Reads escaped text back; an ampersand that starts no entity of ours is an error of the page. */
export function unescape (text: string): string {
  return text.replace(/&[^;]*;?/g, (entity) => {
    const character = ENTITIES[entity]
    if (character === undefined) throw new Error(`a page holds the entity ${entity}`)
    return character
  })
}

/** The start tags of a page with their attributes, in order. Knows the quoted attributes that our pages use. */
export function elementsOf (page: string): Element[] {
  return [...page.matchAll(/<([a-z][a-z0-9]*)([^>]*)>/g)].map(([, name = '', rest = '']) => {
    const attributes = [...rest.matchAll(/([a-z-]+)(?:="([^"]*)")?/gi)]
    return { name, attributes: new Map(attributes.map(([, key = '', value = '']) => [key, unescape(value)])) }
  })
}

/** The `name` -> values that a browser would send if the page's form were submitted as it stands. */
export function fieldsOf (page: string): Array<[string, string]> {
  return elementsOf(page)
    .filter(({ name, attributes }) => name === 'input' && (attributes.get('type') !== 'checkbox' || attributes.has('checked')))
    .map(({ attributes }) => [attributes.get('name') ?? '', attributes.get('value') ?? ''])
}

/** A JSON object, as parsed. */
export type Json = Readonly<Record<string, unknown>>

export const isJson = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A member that the object has by itself. */
export const own = (json: Json, name: string): unknown => Object.hasOwn(json, name) ? json[name] : undefined

/** The object at `name` edited: a copy, or the same `json` when there is no object or nothing of it changed. */
export function within (json: Json, name: string, edit: (inner: Json) => Json): Json {
  const inner = own(json, name)
  if (!isJson(inner)) return json
  const edited = edit(inner)
  return edited === inner ? json : { ...json, [name]: edited }
}

/** A copy that lacks `name`. */
export const without = (json: Json, name: string): Json =>
  Object.fromEntries(Object.entries(json).filter(([key]) => key !== name))
